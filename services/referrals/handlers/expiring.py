"""What somebody was given ends soon: they are looked after again before they drop offline."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.door import NeedAsked
from contracts.stock import SupportExpiring
from services.referrals import events_out
from services.referrals.domain.lifecycle import OPEN
from services.referrals.handlers.asking import new_needs
from services.referrals.handlers.moves import load
from services.referrals.store import Store


async def on_support_expiring(events: Sequence[Event[SupportExpiring]], store: Store, at: datetime) -> list[Said]:
    """A need of the same kind that asks the same, unless one is open. It keeps the time waited of its referral."""
    ids = [event.data.referral_id for event in events]
    moves, limits = await load(ids, store), await store.changes.limits_of(ids)
    asked = await store.changes.asked([event.data.need_id for event in events])
    for event in events:
        before = moves.needs.get(event.data.need_id)
        if before is None or any(n.kind == before.kind and n.status in OPEN for n in moves.of(before.referral_id)):
            continue
        limit = limits[before.referral_id]
        wanted = NeedAsked(kind=before.kind, **asked[before.id])
        new = new_needs(event, before.referral_id, [wanted], limit["agreement_until"], None)
        await store.referrals.add_needs(new, at)
        moves.add(event, [each.need for each in new])
        moves.closed[before.referral_id] = None
        moves.amended[before.referral_id] = event
        for each in new:
            moves.said += events_out.progressed(event, moves.parents[before.referral_id], each.need, "requested", at)
    return await moves.save(store, at)
