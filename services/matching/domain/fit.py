"""What a need asks, on what terms a place helps, and whether the two fit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from contracts.vocabulary import POINTS_A_DAY, GapReason, Kind, Lane, Requirement
from services.matching.domain.calendar import PlaceState

LANES: tuple[Lane, ...] = ("urgent", "routine")
Words = frozenset[str]


class PlaceKey(NamedTuple):
    """A place's name is its partner's own."""

    partner: str
    place_id: str


@dataclass(frozen=True, slots=True)
class Asks:
    """What a need asks of a place. No languages or formats: any will do. No ward: city-wide places only."""

    kind: Kind
    partner: str
    ward: str | None = None
    requirements: frozenset[Requirement] = frozenset()
    languages: Words = frozenset()
    formats: Words = frozenset()
    schemes: Words = frozenset()


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
    barred: frozenset[PlaceKey] = frozenset()
    shuns: Words = frozenset()

    @property
    def rank(self) -> Rank:
        return LANES.index(self.lane), self.rank_key, self.need_id


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


def misses(asks: Asks, terms: Terms) -> Iterator[GapReason]:
    """Why a place does not suit a need; nothing where it does. The SQL function `suits` says the same."""
    if asks.kind != terms.kind:
        yield "no-place-of-kind"
    if terms.wards and asks.ward not in terms.wards:
        yield "ward-not-served"
    if _nothing_shared(asks.languages, terms.languages):
        yield "language"
    if _nothing_shared(asks.formats, terms.formats):
        yield "format"
    if not asks.requirements <= terms.requirements:
        yield "requirement"
    if terms.scheme is not None and terms.scheme not in asks.schemes:
        yield "scheme"
    if terms.open_to and asks.partner not in terms.open_to:
        yield "not-open-to"


def _nothing_shared(asked: Words, offered: Words) -> bool:
    return bool(asked and offered) and asked.isdisjoint(offered)


def suits(asks: Asks, terms: Terms) -> bool:
    return next(misses(asks, terms), None) is None


def gap_reasons(asks: Asks, supply: Iterable[Terms]) -> list[GapReason]:
    """What the nearest places lack. A place that suits is one that this need is barred from, and does not count."""
    near = [why for terms in supply if terms.kind == asks.kind and (why := tuple(misses(asks, terms)))]
    fewest = min(map(len, near), default=0)
    return sorted({reason for why in near if len(why) == fewest for reason in why}) or ["no-place-of-kind"]


def takes_more(before: Place | None, after: Place) -> bool:
    """Whether a place may now take a need that it could not take before."""
    if after.state != "open" or after.free <= 0:
        return False
    return before is None or before.state != "open" or before.terms != after.terms or before.free < after.free


def may_meet_more(before: Place | None, after: Place) -> bool:
    return after.can_help and (before is None or not before.can_help or before.terms != after.terms)


def may_meet_less(before: Place | None, after: Place) -> bool:
    return before is not None and before.can_help and (not after.can_help or before.terms != after.terms)
