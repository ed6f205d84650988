"""What follows every change: free places are offered by rank, and nobody waits untold."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chassis.facts import Said
from chassis.ids import uuid7
from contracts.vocabulary import Kind
from services.matching import events_out
from services.matching.domain.allocation import Match, allocate, bundled
from services.matching.domain.fit import Asks, Gap, Need, PlaceKey, Terms, gap_of, may_meet_less, may_meet_more
from services.matching.domain.offers import Made, Offer, OfferState
from services.matching.handlers.change import Causes, Change, PlaceChange
from services.matching.store import Store


async def settle(change: Change, store: Store, at: datetime) -> list[Said]:
    """The consequences of a change that is saved. The kinds concerned are locked.

    All that it says beside offers was so before they were made.
    """
    return [
        *await _offer_places(change, store, at),
        *await _tell_unserved(change.untold, store, at),
        *await _review_gaps(change.places, store, at),
    ]


async def _offer_places(change: Change, store: Store, at: datetime) -> list[Said]:
    needs = await store.queue.candidates(change.queued, change.freed) if change.queued or change.freed else []
    if not needs:
        return []
    declined = await store.queue.barred([need.need_id for need in needs])
    places = await store.supply.free_places({need.asks.kind for need in needs})
    wanting = [replace(need, barred=declined.get(need.need_id, frozenset())) for need in needs]
    helping = await store.offers.helping({need.referral_id for need in needs})
    matches = allocate(bundled(wanting, places, helping), places)
    if not matches:
        return []
    decisions = await store.offers.next_decisions(Counter(match.need.asks.kind for match in matches))
    terms = {place.key: place.terms for place in places}
    made = _made(matches, terms, change, decisions, at + store.offers.lasts, store.offers.confirmed)
    await store.offers.make(made, at)
    return [
        said
        for new in made
        for said in events_out.offer_made(new, change.cause_of(new.need.need_id, new.offer.place), store.decided)
    ]


def _made(
    matches: Sequence[Match],
    terms: Mapping[PlaceKey, Terms],
    change: Change,
    decisions: Mapping[Kind, int],
    expires_at: datetime,
    confirmed: Collection[Kind],
) -> list[Made]:
    counted = dict(decisions)
    made: list[Made] = []
    for need, place in matches:
        kind, cause = need.asks.kind, change.cause_of(need.need_id, place)
        counted[kind] += 1
        offer_id = uuid7(cause.time, cause.source, cause.id, "offer", str(need.need_id))
        state: OfferState = "awaiting" if kind in confirmed else "open"
        offer = Offer(offer_id, need.need_id, need.referral_id, kind, place, state, is_proposed=state == "open")
        made.append(Made(offer, need, terms[place], counted[kind], expires_at))
    return made


async def _tell_unserved(untold: Causes, store: Store, at: datetime) -> list[Said]:
    """Which of the needs that joined the queue wait for a place, and which nothing could ever meet."""
    unserved = await store.queue.sort_unserved(untold) if untold else []
    waiting = sorted((need for need in unserved if not need.is_gap), key=lambda need: need.rank)
    gaps = [need for need in unserved if need.is_gap]
    return [
        *(said for need in waiting for said in events_out.need_waiting(need, untold[need.need_id], store.decided)),
        *await _tell_gaps(gaps, untold, store, at),
    ]


async def _review_gaps(places: Sequence[PlaceChange], store: Store, at: datetime) -> list[Said]:
    """Gaps that places which changed can meet, and needs that they were the last to suit."""
    wider = [after.key for before, after, _ in places if may_meet_more(before, after)]
    narrower = {after.terms.kind for before, after, _ in places if may_meet_less(before, after)}
    cause_of = {after.terms.kind: cause for _, after, cause in places}
    closed = await store.queue.close_gaps(wider) if wider else []
    opened = await store.queue.open_gaps(narrower) if narrower else []
    said: list[Said] = []
    for need in sorted(closed, key=lambda need: need.rank):
        cause = cause_of[need.asks.kind]
        said += [events_out.gap_closed(need, cause), *events_out.need_waiting(need, cause, store.decided)]
    causes = {need.need_id: cause_of[need.asks.kind] for need in opened}
    return [*said, *await _tell_gaps(opened, causes, store, at)]


async def _tell_gaps(gaps: Iterable[Need], causes: Causes, store: Store, at: datetime) -> list[Said]:
    """Tells why nothing can meet these needs. Those that ask the same lack the same."""
    found = sorted(gaps, key=lambda need: need.rank)
    supply = await store.supply.terms({need.asks.kind for need in found}) if found else []
    reasons: dict[Asks, Gap] = {}
    for need in found:
        if need.asks not in reasons:
            reasons[need.asks] = gap_of(need.asks, supply)
    await store.queue.note_gaps([(need.need_id, reasons[need.asks]) for need in found], at)
    return [
        said
        for need in found
        for said in events_out.gap_recorded(need, reasons[need.asks], causes[need.need_id], store.decided)
    ]
