"""What is counted of people, by which codes, and when."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, get_args

from contracts.people import PeopleTable
from contracts.person import Age, Circumstance, Disability, Ethnicity, Sex

NOT_TOLD: Final = "not-told"
CIRCUMSTANCES: Final[tuple[str, ...]] = get_args(Circumstance)


def _codes(kind: Any) -> tuple[str, ...]:
    return tuple(code for part in get_args(kind) for code in get_args(part))


MONITORED: Final[Mapping[PeopleTable, Sequence[str]]] = {
    "age": (*_codes(Age), NOT_TOLD),
    "sex": (*_codes(Sex), NOT_TOLD),
    "ethnicity": (*_codes(Ethnicity), NOT_TOLD),
    "disability": (*_codes(Disability), NOT_TOLD),
}
"""Everybody is counted by one code of each."""

CLOSES_ON: Final = 6
"""On this day of a month the one before is counted: five days after its end, as all that is published of it."""


def closes_on(day: date) -> date:
    """The day on which the month of a day is counted."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=CLOSES_ON)
