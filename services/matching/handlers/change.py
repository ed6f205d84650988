"""What a batch changes: offers that move, places that change, needs that join the queue."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said
from services.matching import events_out
from services.matching.domain.fit import Place, PlaceKey, takes_more
from services.matching.domain.offers import Act, Offer, changes_of_units, moved
from services.matching.store import Store
from services.matching.store.supply import Counted

Causes = dict[UUID, Event[Any]]


class PlaceChange(NamedTuple):
    """A place before and after a batch, and the last event that changed it."""

    before: Place | None
    after: Place
    cause: Event[Any]


@dataclass(slots=True)
class Change:
    """What a batch did, each with the event that did it, for `settle` to draw the consequences.

    `queued` are needs that can be served from now on, `untold` needs in the queue that the world has not
    heard of as waiting, and `freed` places that may take more than before.
    """

    queued: Causes = field(default_factory=dict)
    untold: Causes = field(default_factory=dict)
    freed: dict[PlaceKey, Event[Any]] = field(default_factory=dict)
    places: list[PlaceChange] = field(default_factory=list)

    def cause_of(self, need_id: UUID, place: PlaceKey) -> Event[Any]:
        return self.queued.get(need_id) or self.freed[place]


@dataclass(slots=True)
class Moves:
    """Offers as the events of a batch move them, one after the other.

    `given` are units given without an offer, `faulty` those that came back and cannot be given again.
    """

    now: dict[UUID, Offer]
    before: dict[UUID, Offer] = field(default_factory=dict)
    reasons: dict[UUID, str | None] = field(default_factory=dict)
    causes: Causes = field(default_factory=dict)
    given: Counter[PlaceKey] = field(default_factory=Counter)
    faulty: Counter[PlaceKey] = field(default_factory=Counter)

    def make(
        self, offer_id: UUID, act: Act, cause: Event[Any], reason: str | None = None, until: date | None = None
    ) -> Offer | None:
        """The offer after the move, or none where it is illegal and nothing is changed."""
        current = self.now[offer_id]
        after = moved(current, act, until)
        if after:
            self.before.setdefault(offer_id, current)
            self.now[offer_id], self.reasons[offer_id], self.causes[offer_id] = after, reason, cause
        return after


async def save_moves(moves: Moves, change: Change, store: Store, at: datetime) -> list[Said]:
    """Saves what moved. Says which places now have less capacity, as their providers wanted.

    A place with a unit less in use is freed where it had none free: while it had, it suited nobody who waits.
    """
    if not (moves.before or moves.given):
        return []
    done = [(before, moves.now[offer_id]) for offer_id, before in moves.before.items()]
    await store.offers.move([(after, moves.reasons[after.offer_id]) for _, after in done], at)
    await store.supply.shrink(moves.faulty)
    counted = await store.supply.count(changes_of_units(done, moves.given))
    causes: dict[PlaceKey, Event[Any]] = {}
    for before, after in done:
        cause = moves.causes[after.offer_id]
        if after.is_queued_again:
            change.queued[after.need_id] = change.untold[after.need_id] = cause
        if sum(after.units) < sum(before.units):
            causes[after.place] = cause
    change.freed |= {each.place.key: causes[each.place.key] for each in counted if _is_freed(each, causes)}
    fell = [each.place for each in counted if each.fell]
    return [events_out.place_changed(place, causes[place.key], store.decided) for place in fell]


def _is_freed(counted: Counted, causes: Mapping[PlaceKey, Event[Any]]) -> bool:
    return counted.place.key in causes and counted.was_free <= 0


async def save_places(places: Iterable[PlaceChange], change: Change, store: Store) -> None:
    new = list(places)
    if new:
        await store.supply.save_places(after for _, after, _ in new)
        change.places += new
        change.freed |= {after.key: cause for before, after, cause in new if takes_more(before, after)}
