"""What a handler returns: facts to say, work to do later, and what is to be forgotten."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chassis.envelope import Event
from contracts.message import Message
from contracts.refusal import FieldError, MessageRefused
from contracts.topics import HEADROOM, MAX_FACT_BYTES, MAX_RECORD_BYTES


class TooLarge(Exception):
    """Kafka would not take this, and the relay would be stuck with it: the cause must not have its effect."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to say because of `cause`: to everybody on the fact's topic, or in one partner's outbox.

    `value` is its final bytes. Raises TooLarge.
    """

    data: Message
    cause: Event[Any]
    to: str | None = None
    is_answer: bool = False
    value: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        value = self.data.model_dump_json().encode()
        if len(value) > (MAX_RECORD_BYTES if self.to else MAX_FACT_BYTES) - HEADROOM:
            raise TooLarge(self.data.spec.type)
        object.__setattr__(self, "value", value)


@dataclass(frozen=True, slots=True)
class Later:
    """Work to do at a time; `data` is a model of the service's own, handled as an event of its class."""

    at: datetime
    data: BaseModel
    key: str
    cause: Event[Any]


@dataclass(frozen=True, slots=True)
class Errand:
    """A call to the outside to be made by a sender, not before a time, at most one at a time."""

    not_before: datetime
    data: BaseModel
    key: str
    cause: Event[Any]


@dataclass(frozen=True, slots=True)
class Forget:
    """From here on nothing is kept of a key, and what is heard of it has no effect.

    With it go work, letters and messages of the keys in `also`, and what is kept of the `submissions`, as (partner,
    submission id), that it came by.
    """

    key: str
    also: Sequence[str] = ()
    submissions: Sequence[tuple[str, str]] = ()


Said = Fact | Later | Errand | Forget
Handler = Callable[[Sequence[Event[Any]], Any, datetime], Awaitable[Sequence[Said]]]
"""Takes the events of one type, the service's store in the open transaction, and the time."""


def answer(cause: Event[Any], data: Message) -> Fact:
    """What the sender of a door message is told; the same message sent again is told the same."""
    return Fact(data, cause, to=cause.partner, is_answer=True)


def refusal(cause: Event[Any], *errors: FieldError) -> Fact:
    """The message of this event had no effect. Its id is not used up: it may be mended and sent again."""
    reference = getattr(cause.data, "reference", None)
    return answer(cause, MessageRefused(submission_id=cause.id or None, reference=reference, errors=list(errors)))
