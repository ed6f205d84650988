"""Needs come into the queue with a referral, change with it, and leave it with a withdrawal."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Forget, Said
from contracts.calendar import day_of
from contracts.referrals import (
    NeedAmended,
    NeedAnswered,
    NeedReceived,
    PersonErased,
    ReferralAmended,
    ReferralReceived,
    ReferralWithdrawn,
)
from services.matching import events_out
from services.matching.domain.fit import Asks, Need, rank_key
from services.matching.domain.offers import Act, Offer
from services.matching.handlers.change import Causes, Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store
from services.matching.store.queue import Arrival, Withdrawal


async def on_referrals_received(events: Sequence[Event[ReferralReceived]], store: Store, at: datetime) -> list[Said]:
    today = day_of(at)
    return await _arrive([(_arrived(e.data, asked, today), e) for e in events for asked in e.data.needs], store, at)


Arrivals = Sequence[tuple[Arrival, Event[Any]]]


async def _arrive(arrivals: Arrivals, store: Store, at: datetime) -> list[Said]:
    await store.lock({arrival.need.asks.kind for arrival, _ in arrivals})
    added = await store.queue.add([arrival for arrival, _ in arrivals])
    queued = {arrival.need.need_id: event for arrival, event in arrivals if arrival.need.need_id in added}
    return await settle(Change(queued=queued, untold=queued), store, at)


def _arrived(referral: ReferralReceived, asked: NeedReceived, today: date) -> Arrival:
    later = referral.not_before is not None and referral.not_before > today
    paused = asked.paused or later
    return _arrival(referral, asked, paused=paused, until=referral.not_before)


def _amended(referral: ReferralAmended, asked: NeedAmended) -> Arrival:
    unsafe = "home-visit" in asked.requirements and not asked.home_visit_cleared
    arrival = _arrival(referral, asked, paused=asked.paused or unsafe, until=asked.paused_until)
    return replace(arrival, need=replace(arrival.need, shuns=frozenset(asked.barred)))


def _arrival(
    referral: ReferralReceived | ReferralAmended, asked: NeedReceived, *, paused: bool, until: date | None
) -> Arrival:
    asks = Asks(
        kind=asked.kind,
        partner=referral.partner,
        ward=referral.ward,
        requirements=frozenset(asked.requirements),
        languages=frozenset(asked.languages or referral.languages),
        formats=frozenset(asked.formats),
        schemes=frozenset(referral.schemes),
        days=frozenset(asked.days),
    )
    priority = referral.priority
    key = rank_key(referral.received_at, priority.score)
    need = Need(asked.need_id, referral.referral_id, referral.area, referral.lane, key, asks)
    return Arrival(need, paused, until, priority.score, priority.groups, priority.area_step, priority.policy)


async def on_referrals_amended(events: Sequence[Event[ReferralAmended]], store: Store, at: datetime) -> list[Said]:
    """The last word on each need counts. Offers that are not to be any more are taken back first."""
    arrivals = {asked.need_id: (_amended(e.data, asked), e) for e in events for asked in e.data.needs}
    known = await store.queue.kinds_of(arrivals)
    await store.lock(known | {arrival.need.asks.kind for arrival, _ in arrivals.values()})
    causes = {need_id: event for need_id, (_, event) in arrivals.items()}
    there = await store.queue.known(arrivals)
    live = [offer for offer in await store.offers.live_of(there) if _not_any_more(arrivals[offer.need_id][0], offer)]
    change = Change()
    said = await _end(live, "take-back", causes, change, store, at)
    gaps, queued = await store.queue.amend([arrivals[need_id][0] for need_id in sorted(there)])
    said += [events_out.gap_closed(need, causes[need.need_id]) for need in gaps]
    waiting = {need.need_id: causes[need.need_id] for need in queued}
    new = await store.queue.add([arrival for need_id, (arrival, _) in arrivals.items() if need_id not in there])
    change.queued |= waiting | {need_id: causes[need_id] for need_id in new}
    change.untold |= change.queued
    return [*said, *await settle(change, store, at)]


def _not_any_more(arrival: Arrival, offer: Offer) -> bool:
    return arrival.paused or offer.place.partner in arrival.need.shuns


async def on_needs_answered(events: Sequence[Event[NeedAnswered]], store: Store, at: datetime) -> list[Said]:
    """A no frees the place, which is not offered to the person again. Of the rest an amendment tells."""
    causes = {event.data.need_id: event for event in events if event.data.answer == "no"}
    await store.lock(await store.queue.kinds_of(causes))
    change = Change()
    said = await _end(await store.offers.live_of(causes), "refuse", causes, change, store, at)
    return [*said, *await settle(change, store, at)]


async def _end(
    offers: Sequence[Offer], act: Act, causes: Causes, change: Change, store: Store, at: datetime
) -> list[Said]:
    """Ends live offers in this way, and tells their providers."""
    moves = Moves({offer.offer_id: offer for offer in offers})
    said: list[Said] = []
    for offer in sorted(offers, key=lambda offer: offer.offer_id):
        cause = causes[offer.need_id]
        after = moves.make(offer.offer_id, act, cause)
        said += events_out.offer_ended(after, act, cause, store.decided) if after else []
    return [*said, *await save_moves(moves, change, store, at)]


async def on_referrals_withdrawn(events: Sequence[Event[ReferralWithdrawn]], store: Store, at: datetime) -> list[Said]:
    """Wins over any answer: a need that waits leaves, a place that is held or taken comes free."""
    causes = {need_id: event for event in events for need_id in event.data.need_ids}
    await store.lock(await store.queue.kinds_of(causes))
    withdrawals = [Withdrawal(need_id, e.data.referral_id, e.data.reason) for need_id, e in causes.items()]
    await store.queue.note_withdrawals(withdrawals, at)
    return await _withdraw(causes, store, at)


async def on_persons_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    """What is open is withdrawn. Then of needs and offers stay ids, kinds, states and times."""
    causes = {event.data.referral_id: event for event in events}
    needs = await store.queue.of_referrals(causes)
    await store.lock(await store.queue.kinds_of(needs))
    said = await _withdraw({need_id: causes[referral] for need_id, referral in needs.items()}, store, at)
    await store.queue.forget(needs)
    await store.units.forget(needs)
    also: dict[UUID, list[str]] = {referral: [] for referral in causes}
    for each, referral in [*needs.items(), *await store.offers.forget(needs)]:
        also[referral].append(str(each))
    forgotten = [Forget(str(referral), keys) for referral, keys in also.items()]
    return [*forgotten, *said, *(events_out.erasure_confirmed(event, at) for event in events)]


async def _withdraw(causes: Causes, store: Store, at: datetime) -> list[Said]:
    """Takes needs out of the queue, and offers from providers. The kinds concerned are locked."""
    left, change = await store.queue.withdraw(causes), Change()
    said = [each for need in left for each in events_out.need_left(need, causes[need.need_id], store.decided)]
    said += await _end(await store.offers.live_of(causes), "withdraw", causes, change, store, at)
    return [*said, *await settle(change, store, at)]
