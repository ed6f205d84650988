"""Facts of the referrals service: who refers, whom, from where, and how far each need is."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Forget, Said
from contracts.referrals import (
    AreasLoaded,
    NeedStatusChanged,
    PartnerRegistered,
    PersonErased,
    ReferralClosed,
    ReferralReceived,
    ReferralStalled,
    ReferralWithdrawn,
)
from services.reporting.domain.folding import latest, moves
from services.reporting.events_out import erasure_confirmed
from services.reporting.store import Store


async def on_partner_registered(events: Sequence[Event[PartnerRegistered]], store: Store, _at: datetime) -> list[Said]:
    await store.referrals.save_partners(latest((e.data for e in events), lambda fact: fact.partner))
    return []


async def on_areas_loaded(events: Sequence[Event[AreasLoaded]], store: Store, _at: datetime) -> list[Said]:
    """Versions of areas stand on different keys, so the time of each decides which is the newest."""
    in_time = sorted(events, key=lambda event: (event.time, event.data.version))
    rows = [(area, event.data.version, event.time) for event in in_time for area in event.data.areas]
    await store.referrals.save_areas(latest(rows, lambda row: row[0].code))
    return []


async def on_referral_received(events: Sequence[Event[ReferralReceived]], store: Store, _at: datetime) -> list[Said]:
    facts = latest((e.data for e in events), lambda fact: fact.referral_id)
    await store.referrals.save_referrals(facts)
    needs = [(need, fact) for fact in facts for need in fact.needs]
    await store.referrals.save_needs(latest(needs, lambda pair: pair[0].need_id))
    return []


async def on_referral_withdrawn(events: Sequence[Event[ReferralWithdrawn]], store: Store, _at: datetime) -> list[Said]:
    """Only the reason is kept here: what the needs came to is told by NeedStatusChanged."""
    rows = [(need_id, e.data) for e in events for need_id in e.data.need_ids]
    await store.referrals.withdraw_needs(latest(rows, lambda row: row[0]))
    return []


async def on_need_status_changed(events: Sequence[Event[NeedStatusChanged]], store: Store, _at: datetime) -> list[Said]:
    await store.referrals.move_needs(moves(event.data for event in events))
    return []


async def on_referral_stalled(events: Sequence[Event[ReferralStalled]], store: Store, _at: datetime) -> list[Said]:
    await store.referrals.save_stalls([event.data for event in events])
    return []


async def on_referral_closed(events: Sequence[Event[ReferralClosed]], store: Store, _at: datetime) -> list[Said]:
    await store.referrals.close_referrals(latest((e.data for e in events), lambda fact: fact.referral_id))
    return []


async def on_person_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    """What is published counts needs by kind, area and status: these stay, and so the counts do."""
    await store.referrals.forget([event.data.referral_id for event in events])
    return [said for event in events for said in (Forget(event.key), erasure_confirmed(event, at))]
