"""The moves of an offer, from the moment it is made to the end of the help it led to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from services.matching.domain.fit import Need, PlaceKey

OfferState = Literal[
    "open",
    "accepted",
    "in-progress",
    "declined",
    "expired",
    "withdrawn",
    "handed-back",
    "ended",
    "taken-back",
    "refused",
]
NeedState = Literal["paused", "waiting", "offered", "accepted", "in-progress", "ended", "withdrawn"]
Act = Literal["accept", "decline", "expire", "withdraw", "start", "end", "hand-back", "take-back", "refuse"]

LIVE: Final[tuple[OfferState, ...]] = ("open", "accepted", "in-progress")
MOVES: Final[dict[tuple[OfferState, Act], OfferState]] = {
    ("open", "accept"): "accepted",
    ("open", "decline"): "declined",
    ("open", "expire"): "expired",
    ("open", "withdraw"): "withdrawn",
    ("accepted", "start"): "in-progress",
    ("accepted", "end"): "ended",
    ("accepted", "hand-back"): "handed-back",
    ("accepted", "withdraw"): "withdrawn",
    ("in-progress", "end"): "ended",
    ("in-progress", "hand-back"): "handed-back",
    ("in-progress", "withdraw"): "withdrawn",
    **{(state, "take-back"): "taken-back" for state in LIVE},
    **{(state, "refuse"): "refused" for state in LIVE},
}
NEED_AFTER: Final[dict[OfferState, NeedState]] = {
    "open": "offered",
    "accepted": "accepted",
    "in-progress": "in-progress",
    "declined": "waiting",
    "expired": "waiting",
    "handed-back": "waiting",
    "taken-back": "waiting",
    "refused": "waiting",
    "withdrawn": "withdrawn",
    "ended": "ended",
}
GIVEN_AWAY: Final[frozenset[Kind]] = frozenset({"device", "connectivity"})
"""Kinds of stock: a unit that helped somebody is gone. Of the others, it is free for the next."""


class Units(NamedTuple):
    held: int
    taken: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A place held for a need, and then taken by it."""

    offer_id: UUID
    need_id: UUID
    referral_id: UUID
    kind: Kind
    place: PlaceKey
    state: OfferState = "open"

    @property
    def units(self) -> Units:
        if self.state == "open":
            return Units(1, 0)
        uses = self.state in ("accepted", "in-progress") or (self.state == "ended" and self.kind in GIVEN_AWAY)
        return Units(0, int(uses))

    @property
    def is_queued_again(self) -> bool:
        return NEED_AFTER[self.state] == "waiting"

    @property
    def bars(self) -> bool:
        """Whether this place is never offered to the need again."""
        return self.is_queued_again and self.state != "taken-back"


class Made(NamedTuple):
    """A new offer. Decisions are counted for each kind, without a hole."""

    offer: Offer
    need: Need
    decision: int
    expires_at: datetime


def moved(offer: Offer, act: Act) -> Offer | None:
    """The offer after a move, or none where the table does not have that move."""
    state = MOVES.get((offer.state, act))
    return replace(offer, state=state) if state else None


def changes_of_units(moves: Iterable[tuple[Offer, Offer]]) -> dict[PlaceKey, Units]:
    """What moves, each from an offer to the same later, change at each place."""
    held: Counter[PlaceKey] = Counter()
    taken: Counter[PlaceKey] = Counter()
    for before, after in moves:
        held[before.place] += after.units.held - before.units.held
        taken[before.place] += after.units.taken - before.units.taken
    return {place: Units(held[place], taken[place]) for place in held}
