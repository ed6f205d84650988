"""Facts that come to a row each, whatever comes again."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from services.reporting.domain.folding import latest

T = TypeVar("T", bound=BaseModel)


def rows(events: Sequence[Event[T]]) -> list[tuple[UUID, T]]:
    """The id and the fact of each event, once."""
    return [(UUID(event.id), event.data) for event in latest(events, lambda event: event.id)]
