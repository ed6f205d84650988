"""What a need asks, on what terms a place helps, and whether the two fit."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from contracts.vocabulary import POINTS_A_DAY, GapReason, Kind, Lane, Requirement, Weekday
from services.matching.domain.calendar import PlaceState, months_after

LANES: tuple[Lane, ...] = ("urgent", "routine")
Words = frozenset[str]


class PlaceKey(NamedTuple):
    """A place's name is its partner's own."""

    partner: str
    place_id: str


@dataclass(frozen=True, slots=True)
class Asks:
    """What a need asks of a place. No languages, formats or days: any will do. No ward: city-wide places only."""

    kind: Kind
    partner: str
    ward: str | None = None
    requirements: frozenset[Requirement] = frozenset()
    languages: Words = frozenset()
    formats: Words = frozenset()
    schemes: Words = frozenset()
    days: frozenset[Weekday] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom a place can help. An empty set sets no limit, but for requirements: those it meets."""

    kind: Kind
    wards: Words = frozenset()
    languages: Words = frozenset()
    formats: Words = frozenset()
    requirements: frozenset[Requirement] = frozenset()
    open_to: Words = frozenset()
    scheme: str | None = None
    days: frozenset[Weekday] = frozenset()


Rank = tuple[int, datetime, UUID]


@dataclass(frozen=True, slots=True)
class Need:
    """A need in the queue. It is never again offered a place that is `barred`, nor any of the providers it `shuns`."""

    need_id: UUID
    referral_id: UUID
    area: str
    lane: Lane
    rank_key: datetime
    asks: Asks
    is_gap: bool = False
    is_paused: bool = False
    prefers: str | None = None
    """The partner that gives this person something else, too."""
    barred: frozenset[PlaceKey] = frozenset()
    shuns: Words = frozenset()

    @property
    def rank(self) -> Rank:
        return LANES.index(self.lane), self.rank_key, self.need_id


class Lending(NamedTuple):
    """For how long a place gives what it gives: a loan of so many days, or what lasts so many months; else for good."""

    loan_days: int | None = None
    lasts_months: int | None = None
    reopen_days: int = 30

    def until(self, day: date) -> date | None:
        if self.loan_days:
            return day + timedelta(days=self.loan_days)
        return months_after(day, self.lasts_months) if self.lasts_months else None


FOR_GOOD: Final = Lending()


@dataclass(frozen=True, slots=True)
class Place:
    """What a provider gives. `capacity` is above `wanted` while more is held and taken than is wanted."""

    key: PlaceKey
    provider_id: str
    terms: Terms
    wanted: int
    capacity: int
    held: int = 0
    taken: int = 0
    state: PlaceState = "open"
    opens_on: date | None = None
    closes_on: date | None = None
    funded_by: str | None = None
    lending: Lending = FOR_GOOD

    @property
    def free(self) -> int:
        return self.capacity - self.held - self.taken

    @property
    def can_help(self) -> bool:
        """Whether it gives help now or later, full or not."""
        return self.state != "closed" and self.wanted > 0


def rank_key(received_at: datetime, score: int) -> datetime:
    """Waiting and priority in one figure that does not change with time: the lowest is next."""
    return received_at - timedelta(days=score / POINTS_A_DAY)


def received_at(rank_key: datetime, score: int) -> datetime:
    return rank_key + timedelta(days=score / POINTS_A_DAY)


def misses(asks: Asks, terms: Terms) -> Iterator[GapReason]:
    """Why a place does not suit a need; nothing where it does. domain/index.py and the SQL function
    `suits` say the same.
    """
    if asks.kind != terms.kind:
        yield "no-place-of-kind"
    if terms.wards and asks.ward not in terms.wards:
        yield "ward-not-served"
    if _nothing_shared(asks.languages, terms.languages):
        yield "language"
    if _nothing_shared(asks.formats, terms.formats):
        yield "format"
    if not asks.requirements <= terms.requirements or _nothing_shared(asks.days, terms.days):
        yield "requirement"
    if terms.scheme is not None and terms.scheme not in asks.schemes:
        yield "scheme"
    if terms.open_to and asks.partner not in terms.open_to:
        yield "not-open-to"


def _nothing_shared(asked: Words, offered: Words) -> bool:
    return bool(asked and offered) and asked.isdisjoint(offered)


class Gap(NamedTuple):
    """Why no place meets a need, and which codes and languages the nearest places lack."""

    reasons: list[GapReason]
    lacks: list[str]


def gap_of(asks: Asks, supply: Iterable[Terms]) -> Gap:
    """What the nearest places lack. A place that suits is one that this need is barred from, and does not count."""
    near = [(why, terms) for terms in supply if terms.kind == asks.kind and (why := tuple(misses(asks, terms)))]
    fewest = min((len(why) for why, _ in near), default=0)
    nearest = [(why, terms) for why, terms in near if len(why) == fewest]
    reasons = sorted({reason for why, _ in nearest for reason in why})
    lacks = sorted({code for why, terms in nearest for code in _lacks(asks, terms, why)})
    return Gap(reasons or ["no-place-of-kind"], lacks)


def _lacks(asks: Asks, terms: Terms, why: Collection[GapReason]) -> Iterator[str]:
    if "requirement" in why:
        yield from asks.requirements - terms.requirements
        yield from asks.days if _nothing_shared(asks.days, terms.days) else ()
    if "language" in why:
        yield from asks.languages
    if "format" in why:
        yield from asks.formats
    if "scheme" in why and terms.scheme:
        yield terms.scheme


def takes_more(before: Place | None, after: Place) -> bool:
    """Whether a place may now take a need that waits: while a unit was free before, nobody waited whom it suits."""
    if after.state != "open" or after.free <= 0:
        return False
    return before is None or before.state != "open" or before.terms != after.terms or before.free <= 0


def may_meet_more(before: Place | None, after: Place) -> bool:
    return after.can_help and (before is None or not before.can_help or before.terms != after.terms)


def may_meet_less(before: Place | None, after: Place) -> bool:
    return before is not None and before.can_help and (not after.can_help or before.terms != after.terms)
