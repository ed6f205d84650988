"""The daily digest: what waits for a provider's answer, in one mail each morning."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from contracts.calendar import LONDON, day_of
from contracts.message import Part
from contracts.vocabulary import PartnerId
from services.notifications.domain.telling import WorkEnd

MORNING: Final = time(8)
DigestState = Literal["sent", "failed", "nothing"]


class Digest(Part):
    """The errand of writing to a provider that so many offers wait, the first of which expires on a day."""

    provider: PartnerId
    day: date
    offers: int
    first: date

    @property
    def to(self) -> str:
        return self.provider

    @property
    def reference(self) -> str:
        return f"{self.provider}-{self.day}"

    def ended(self, how: WorkEnd) -> "DigestEnded":
        return DigestEnded(provider=self.provider, day=self.day, state="sent" if how == "sent" else "failed")


class DigestEnded(Part):
    """What became of it. What may have left is not sent again: the next day has its own."""

    provider: PartnerId
    day: date
    state: DigestState


def next_morning(at: datetime) -> datetime:
    """The next 8 o'clock in London, on this day or the next."""
    today = day_of(at)
    mornings = (datetime.combine(today + timedelta(days=n), MORNING, LONDON).astimezone(UTC) for n in range(2))
    return next(morning for morning in mornings if morning > at)
