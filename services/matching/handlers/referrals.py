"""Needs come into the queue with a referral, and leave it with a withdrawal."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Forget, Said
from contracts.calendar import day_of
from contracts.referrals import NeedReceived, PersonErased, ReferralReceived, ReferralWithdrawn
from services.matching import events_out
from services.matching.domain.fit import Asks, Need, rank_key
from services.matching.handlers.change import Causes, Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store
from services.matching.store.queue import Arrival, Withdrawal


async def on_referrals_received(events: Sequence[Event[ReferralReceived]], store: Store, at: datetime) -> list[Said]:
    arrivals = [(_arrival(event.data, asked), event) for event in events for asked in event.data.needs]
    await store.lock({arrival.need.asks.kind for arrival, _ in arrivals})
    added = await store.queue.add([arrival for arrival, _ in arrivals], day_of(at))
    queued = {arrival.need.need_id: event for arrival, event in arrivals if arrival.need.need_id in added}
    return [*_wake_later(arrivals, added, at), *await settle(Change(queued=queued, untold=queued), store, at)]


def _arrival(referral: ReferralReceived, asked: NeedReceived) -> Arrival:
    asks = Asks(
        kind=asked.kind,
        partner=referral.partner,
        ward=referral.ward,
        requirements=frozenset(asked.requirements),
        languages=frozenset(asked.languages or referral.languages),
        formats=frozenset(asked.formats),
        schemes=frozenset(referral.schemes),
    )
    priority = referral.priority
    key = rank_key(referral.received_at, priority.score)
    need = Need(asked.need_id, referral.referral_id, referral.area, referral.lane, key, asks)
    return Arrival(need, referral.not_before, priority.score, priority.groups, priority.area_step, priority.policy)


def _wake_later(
    arrivals: Sequence[tuple[Arrival, Event[ReferralReceived]]], added: set[UUID], at: datetime
) -> list[Said]:
    today = day_of(at)
    return [
        events_out.need_due(arrival.need, arrival.not_before, event)
        for arrival, event in arrivals
        if arrival.not_before and arrival.not_before > today and arrival.need.need_id in added
    ]


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
    also: dict[UUID, list[str]] = {referral: [] for referral in causes}
    for each, referral in [*needs.items(), *await store.offers.forget(needs)]:
        also[referral].append(str(each))
    forgotten = [Forget(str(referral), keys) for referral, keys in also.items()]
    return [*forgotten, *said, *(events_out.erasure_confirmed(event, at) for event in events)]


async def _withdraw(causes: Causes, store: Store, at: datetime) -> list[Said]:
    """Takes needs out of the queue, and offers from providers. The kinds concerned are locked."""
    gaps = await store.queue.withdraw(causes)
    live = await store.offers.live_of(causes)
    moves, change = Moves({offer.offer_id: offer for offer in live}), Change()
    said: list[Said] = [events_out.gap_closed(need, causes[need.need_id]) for need in gaps]
    for offer in sorted(live, key=lambda offer: offer.offer_id):
        cause = causes[offer.need_id]
        after = moves.make(offer.offer_id, "withdraw", cause)
        said += events_out.offer_ended(after, "withdraw", cause) if after else []
    return [*said, *await save_moves(moves, change, store, at), *await settle(change, store, at)]
