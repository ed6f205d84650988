"""A day, wherever a message or a rule names one, is a day in Europe/London."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")


def day_of(at: datetime) -> date:
    return at.astimezone(LONDON).date()


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)
