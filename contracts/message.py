"""What every message is: a pydantic model that knows its type, topic, key, owner, readers and data class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts.topics import INBOX, OUTBOX

Service = Literal["referrals", "matching", "notifications", "grants", "reporting"]
SERVICES: tuple[Service, ...] = ("referrals", "matching", "notifications", "grants", "reporting")

DataClass = Literal["none", "pseudonymous", "personal"]


class Part(BaseModel):
    """A piece of a message. Writers are closed: a field that is not in the model is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Spec:
    """The catalogue entry of a message.

    `topic` is a Kafka topic, `INBOX` or `OUTBOX`; `key` names the field (dots for a path) whose value
    orders the message; `owner` publishes a fact, or acts on a partner's message; `consumers` read it.
    """

    type: str
    topic: str
    key: str
    owner: Service
    consumers: tuple[Service, ...]
    data_class: DataClass


class Message(Part):
    """What travels in the data of a CloudEvent.

    Readers are open: read with `model_validate_json(..., extra="ignore")`.
    """

    spec: ClassVar[Spec]
    example: ClassVar[dict[str, Any]]

    def key(self) -> str:
        value: Any = self
        for name in self.spec.key.split("."):
            value = getattr(value, name)
        return str(value)


M = TypeVar("M", bound=Message)

MESSAGES: dict[str, type[Message]] = {}
"""Every message ever declared, by CloudEvents type."""


def _declare(cls: type[M], spec: Spec) -> type[M]:
    if spec.type in MESSAGES:
        raise TypeError(f"{spec.type} is declared twice")
    cls.spec = spec
    MESSAGES[spec.type] = cls
    return cls


def fact(
    by: Service,
    *,
    key: str,
    to: tuple[Service, ...] = (),
    data_class: DataClass = "pseudonymous",
    topic: str | None = None,
    version: int = 1,
) -> Callable[[type[M]], type[M]]:
    """Declares something that service `by` decided and says on its topic."""

    def declare(cls: type[M]) -> type[M]:
        name = f"furthest.{by}.{cls.__name__}.v{version}"
        return _declare(cls, Spec(name, topic or by, key, by, to, data_class))

    return declare


def from_partner(owner: Service, *, key: str, data_class: DataClass) -> Callable[[type[M]], type[M]]:
    """Declares a message that a partner writes to its inbox or posts, and that `owner` acts on."""

    def declare(cls: type[M]) -> type[M]:
        name = f"furthest.partner.{cls.__name__}.v1"
        return _declare(cls, Spec(name, INBOX, key, owner, (owner,), data_class))

    return declare


def to_partner(owner: Service, *, key: str, data_class: DataClass) -> Callable[[type[M]], type[M]]:
    """Declares a message that a partner reads in its outbox."""

    def declare(cls: type[M]) -> type[M]:
        name = f"furthest.partner.{cls.__name__}.v1"
        return _declare(cls, Spec(name, OUTBOX, key, owner, (), data_class))

    return declare
