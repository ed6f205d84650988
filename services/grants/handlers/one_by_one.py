"""What somebody asks for is refused, with every reason, or it is done."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from chassis.envelope import Event
from chassis.errors import Refused
from chassis.facts import Handler, Said, refusal
from contracts.refusal import FieldError
from services.grants.store import Store

T = TypeVar("T")
Act = Callable[[Event[Any], Store, datetime], Awaitable[Sequence[Said]]]
"""Does what is asked. Raises Refused, before it has changed anything."""


def one_by_one(act: Act) -> Handler:
    """Acts come one at a time, as people ask: each sees what those before it did."""

    async def handle(events: Sequence[Event[Any]], store: Store, at: datetime) -> list[Said]:
        said: list[Said] = []
        for event in events:
            try:
                said += await act(event, store, at)
            except Refused as refused:
                said.append(refusal(event, *refused.errors))
        return said

    return handle


def allowed(found: T | FieldError) -> T:
    """What a rule allows. Raises Refused with its reason."""
    if isinstance(found, FieldError):
        raise Refused(found)
    return found


def check(*errors: FieldError | None) -> None:
    """Raises Refused with all that are."""
    if reasons := [error for error in errors if error]:
        raise Refused(*reasons)
