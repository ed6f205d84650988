"""The periods that are published: months and financial years of Europe/London, what is open, and what is now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from contracts.calendar import LONDON, day_of

GRACE: Final = timedelta(days=5)
"""A month is closed so many days after its end: most of what comes late has come by then."""
FIRST_MONTH: Final = 4
"""Of a financial year."""
DAY: Final = timedelta(days=1)
SHIPPED: Final = date(2000, 1, 1)
"""Nothing counted here is older; a date before it is a mistake of who wrote it."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days of Europe/London, the last one included. One that is not final is published anew as it changes."""

    name: str
    starts_on: date
    ends_on: date
    is_final: bool = True

    @property
    def begins(self) -> datetime:
        return datetime(self.starts_on.year, self.starts_on.month, self.starts_on.day, tzinfo=LONDON)

    @property
    def ends(self) -> datetime:
        """The first moment that is not in it."""
        after = self.ends_on + DAY
        return datetime(after.year, after.month, after.day, tzinfo=LONDON)


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    return Period(f"{first:%Y-%m}", first, _next(first) - DAY)


def begun(month: Period) -> int:
    """The calendar year in which its financial year began."""
    return month.ends_on.year - (month.ends_on.month < FIRST_MONTH)


def year_to(month: Period) -> Period:
    """The financial year up to the end of a month."""
    year = begun(month)
    name = f"{year}-{(year + 1) % 100:02}-to-{month.name}"
    return Period(name, date(year, FIRST_MONTH, 1), month.ends_on)


def so_far(at: datetime) -> Period:
    """The month that is not over."""
    today = day_of(at)
    return Period("month-so-far", today.replace(day=1), today, is_final=False)


def now(at: datetime) -> Period:
    """This moment, for what is counted as it stands."""
    return Period("now", SHIPPED, day_of(at), is_final=False)


def before(period: Period) -> Period:
    """The month before it."""
    return month_of(period.starts_on - DAY)


def year_of(month: Period) -> list[Period]:
    """All months of its financial year."""
    return list(months(year_to(month).starts_on, date(begun(month) + 1, FIRST_MONTH, 1) - DAY))


def year_so_far(month: Period) -> list[Period]:
    """The months of its financial year up to a month."""
    return list(months(year_to(month).starts_on, month.starts_on))


def closed(first: date, at: datetime) -> list[Period]:
    """The months, from that of a day on, that are closed."""
    return [month for month in months(max(first, SHIPPED), day_of(at)) if closes_at(month) <= at]


def next_to_close(at: datetime) -> Period:
    return next(month for month in months(day_of(at - GRACE - 31 * DAY), day_of(at)) if closes_at(month) > at)


def last_closed(at: datetime) -> Period:
    return before(next_to_close(at))


def closes_at(month: Period) -> datetime:
    return month.ends + GRACE


def months(first: date, last: date) -> Iterator[Period]:
    """Those from the month of one day to that of another."""
    day = first.replace(day=1)
    while day <= last:
        yield month_of(day)
        day = _next(day)


def names(period: Period) -> frozenset[str]:
    """Of the months that it has days of."""
    return frozenset(month.name for month in months(period.starts_on, period.ends_on))


def _next(first: date) -> date:
    return (first + 31 * DAY).replace(day=1)
