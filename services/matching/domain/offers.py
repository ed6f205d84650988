"""The moves of an offer, from the moment it is made to the end of the help it led to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from services.matching.domain.fit import Need, PlaceKey, Terms

OfferState = Literal[
    "awaiting", "open", "accepted", "in-progress", "declined", "expired", "withdrawn", "taken-back", "refused",
    "handed-back", "failed", "ended", "lent", "unwiped", "returned", "lost",
]  # fmt: skip
NeedState = Literal["paused", "waiting", "offered", "accepted", "in-progress", "ended", "withdrawn"]
Act = Literal[
    "confirm", "keep-back", "accept", "decline", "expire", "withdraw", "take-back", "refuse", "start", "end", "fail",
    "hand-back", "lend", "renew", "come-back", "return", "lose",
]  # fmt: skip

LIVE: Final[tuple[OfferState, ...]] = ("awaiting", "open", "accepted", "in-progress")
MOVES: Final[dict[tuple[OfferState, Act], OfferState]] = {
    ("awaiting", "confirm"): "open",
    ("awaiting", "keep-back"): "declined",
    ("awaiting", "withdraw"): "withdrawn",
    ("open", "accept"): "accepted",
    ("open", "decline"): "declined",
    ("open", "expire"): "expired",
    ("open", "withdraw"): "withdrawn",
    ("accepted", "start"): "in-progress",
    ("accepted", "end"): "ended",
    ("accepted", "fail"): "failed",
    ("accepted", "lend"): "lent",
    ("accepted", "hand-back"): "handed-back",
    ("accepted", "withdraw"): "withdrawn",
    ("in-progress", "end"): "ended",
    ("in-progress", "fail"): "failed",
    ("in-progress", "lend"): "lent",
    ("in-progress", "hand-back"): "handed-back",
    ("in-progress", "withdraw"): "withdrawn",
    **{(state, "take-back"): "taken-back" for state in LIVE},
    **{(state, "refuse"): "refused" for state in LIVE},
    ("lent", "renew"): "lent",
    ("lent", "come-back"): "unwiped",
    ("lent", "return"): "returned",
    ("unwiped", "return"): "returned",
    ("lent", "lose"): "lost",
}
LOAN_ACTS: Final[Mapping[str, Act]] = {"renewed": "renew", "returned": "return", "lost": "lose"}
"""By what is told of a loan."""
UNANSWERED: Final[frozenset[OfferState]] = frozenset({"awaiting", "open"})
USING: Final[frozenset[OfferState]] = frozenset({"accepted", "in-progress", "lent", "unwiped", "lost"})
NEED_AFTER: Final[dict[OfferState, NeedState]] = {
    "awaiting": "offered",
    "open": "offered",
    "accepted": "accepted",
    "in-progress": "in-progress",
    "declined": "waiting",
    "expired": "waiting",
    "handed-back": "waiting",
    "taken-back": "waiting",
    "refused": "waiting",
    "withdrawn": "withdrawn",
    "failed": "ended",
    "ended": "ended",
    "lent": "ended",
    "unwiped": "ended",
    "returned": "ended",
    "lost": "ended",
}
GIVEN_AWAY: Final[frozenset[Kind]] = frozenset({"device", "connectivity"})
"""Kinds of stock: a unit that was given is gone. Of the others, and where help failed, it is free for the next."""
UNCONFIRMED: Final = "not-confirmed-in-time"
ESCALATED_AFTER: Final = 3
"""When so many places declined a need, staff look for help themselves."""
REMIND_BEFORE: Final = timedelta(days=2)
"""A provider that has not answered is reminded so long before its offer expires."""


class Units(NamedTuple):
    held: int
    taken: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A place held for a need, and then taken by it. While it awaits that staff confirm it, it is not proposed."""

    offer_id: UUID
    need_id: UUID
    referral_id: UUID
    kind: Kind
    place: PlaceKey
    state: OfferState = "open"
    is_proposed: bool = True
    expires_at: datetime | None = None
    until: date | None = None
    """When what was lent is due back, or what was given ends."""

    @property
    def units(self) -> Units:
        if self.state in UNANSWERED:
            return Units(1, 0)
        uses = self.state in USING or (self.state == "ended" and self.kind in GIVEN_AWAY)
        return Units(0, int(uses))

    @property
    def is_queued_again(self) -> bool:
        return NEED_AFTER[self.state] == "waiting"

    @property
    def bars(self) -> bool:
        """Whether this place is never offered to the need again."""
        return self.is_queued_again and self.state != "taken-back"


class Made(NamedTuple):
    """A new offer, and on which terms. Decisions are counted for each kind, without a hole."""

    offer: Offer
    need: Need
    terms: Terms | None
    decision: int
    expires_at: datetime


def moved(offer: Offer, act: Act, until: date | None = None) -> Offer | None:
    """The offer after a move, or none where the table does not have that move."""
    state, proposed = MOVES.get((offer.state, act)), offer.is_proposed or act == "confirm"
    return replace(offer, state=state, is_proposed=proposed, until=until or offer.until) if state else None


def changes_of_units(
    moves: Iterable[tuple[Offer, Offer]], given: Mapping[PlaceKey, int] = MappingProxyType({})
) -> dict[PlaceKey, Units]:
    """What moves, each from an offer to the same later, and units given without an offer change at each place."""
    held: Counter[PlaceKey] = Counter()
    taken: Counter[PlaceKey] = Counter(given)
    for before, after in moves:
        held[before.place] += after.units.held - before.units.held
        taken[before.place] += after.units.taken - before.units.taken
    return {place: Units(held[place], taken[place]) for place in {**held, **taken}}
