"""Days are those of Leeds."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Literal

from contracts.calendar import start_of

PlaceState = Literal["planned", "open", "closed"]


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def state_on(day: date, opens_on: date | None, closes_on: date | None) -> PlaceState:
    """A place is open on both its first and its last day."""
    if closes_on and day > closes_on:
        return "closed"
    return "planned" if opens_on and day < opens_on else "open"


def turns_after(at: datetime, opens_on: date | None, closes_on: date | None) -> list[datetime]:
    """The moments to come at which a place opens or closes."""
    ends_on = closes_on + timedelta(days=1) if closes_on and closes_on < date.max else None
    return [turn for day in (opens_on, ends_on) if day and (turn := start_of(day)) > at]
