"""What follows every change: free places are offered by rank, and nobody waits untold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.facts import Said
from chassis.ids import uuid7
from contracts.vocabulary import GapReason, Kind
from services.matching import events_out
from services.matching.domain.allocation import Match, allocate
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, gap_reasons, may_meet_less, may_meet_more
from services.matching.domain.offers import Made, Offer
from services.matching.handlers.change import Causes, Change, PlaceChange
from services.matching.store import Store


async def settle(change: Change, store: Store, at: datetime) -> list[Said]:
    """The consequences of a change that is saved. The kinds concerned are locked."""
    return [
        *await _offer_places(change, store, at),
        *await _tell_unserved(change.untold, store),
        *await _review_gaps(change.places, store),
    ]


async def _offer_places(change: Change, store: Store, at: datetime) -> list[Said]:
    needs = await store.queue.candidates(change.queued, change.freed) if change.queued or change.freed else []
    if not needs:
        return []
    declined = await store.queue.barred([need.need_id for need in needs])
    places = await store.supply.free_places({need.asks.kind for need in needs})
    matches = allocate([_barred(need, declined, places) for need in needs], places)
    if not matches:
        return []
    decisions = await store.offers.next_decisions(Counter(match.need.asks.kind for match in matches))
    made = _made(matches, change, decisions, at + store.offers.lasts)
    await store.offers.make(made, at)
    return [
        said for new in made for said in events_out.offer_made(new, change.cause_of(new.need.need_id, new.offer.place))
    ]


def _barred(need: Need, declined: Mapping[UUID, frozenset[PlaceKey]], places: Sequence[Place]) -> Need:
    shunned = {place.key for place in places if place.key.partner in need.shuns} if need.shuns else ()
    return replace(need, barred=declined.get(need.need_id, frozenset()).union(shunned))


def _made(matches: Sequence[Match], change: Change, decisions: Mapping[Kind, int], expires_at: datetime) -> list[Made]:
    counted = dict(decisions)
    made: list[Made] = []
    for need, place in matches:
        kind, cause = need.asks.kind, change.cause_of(need.need_id, place)
        counted[kind] += 1
        offer_id = uuid7(cause.time, cause.source, cause.id, "offer", str(need.need_id))
        offer = Offer(offer_id, need.need_id, need.referral_id, kind, place)
        made.append(Made(offer, need, counted[kind], expires_at))
    return made


async def _tell_unserved(untold: Causes, store: Store) -> list[Said]:
    """Which of the needs that joined the queue wait for a place, and which nothing could ever meet."""
    unserved = await store.queue.sort_unserved(untold) if untold else []
    waiting = sorted((need for need in unserved if not need.is_gap), key=lambda need: need.rank)
    gaps = [need for need in unserved if need.is_gap]
    return [
        *(events_out.need_waiting(need, untold[need.need_id]) for need in waiting),
        *await _tell_gaps(gaps, untold, store),
    ]


async def _review_gaps(places: Sequence[PlaceChange], store: Store) -> list[Said]:
    """Gaps that places which changed can meet, and needs that they were the last to suit."""
    wider = [after.key for before, after, _ in places if may_meet_more(before, after)]
    narrower = {after.terms.kind for before, after, _ in places if may_meet_less(before, after)}
    cause_of = {after.terms.kind: cause for _, after, cause in places}
    closed = await store.queue.close_gaps(wider) if wider else []
    opened = await store.queue.open_gaps(narrower) if narrower else []
    said: list[Said] = []
    for need in sorted(closed, key=lambda need: need.rank):
        cause = cause_of[need.asks.kind]
        said += [events_out.gap_closed(need, cause), events_out.need_waiting(need, cause)]
    return [*said, *await _tell_gaps(opened, {need.need_id: cause_of[need.asks.kind] for need in opened}, store)]


async def _tell_gaps(gaps: Iterable[Need], causes: Causes, store: Store) -> list[Said]:
    """Tells why nothing can meet these needs. Those that ask the same lack the same."""
    found = sorted(gaps, key=lambda need: need.rank)
    supply = await store.supply.terms({need.asks.kind for need in found}) if found else []
    reasons: dict[Asks, list[GapReason]] = {}
    for need in found:
        if need.asks not in reasons:
            reasons[need.asks] = gap_reasons(need.asks, supply)
    return [events_out.gap_recorded(need, reasons[need.asks], causes[need.need_id]) for need in found]
