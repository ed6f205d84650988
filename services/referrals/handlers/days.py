"""What a new day brings: holds, agreements and urgent lanes end, and what nobody did is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Later, Said
from services.referrals.domain.lifecycle import OPEN, agreed_until, stalled
from services.referrals.domain.people import CLOSES_ON
from services.referrals.handlers.moves import CheckDay, load, what_keeps_back
from services.referrals.handlers.people import CountPeople
from services.referrals.store import Store

AT_ONCE: Final = 500


async def on_check_day(events: Sequence[Event[CheckDay]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        ids = await store.changes.due_on(event.data.day, AT_ONCE)
        said += await _look(event, ids, store, at)
        if len(ids) == AT_ONCE:
            said.append(Later(at, event.data, event.key, event))
        elif event.data.day.day == CLOSES_ON:
            said.append(Later(at, CountPeople(day=event.data.day), event.key, event))
    return said


async def _look(event: Event[CheckDay], referral_ids: Sequence[UUID], store: Store, at: datetime) -> list[Said]:
    day = event.data.day
    moves, limits = await load(referral_ids, store), await store.changes.limits_of(referral_ids)
    slow = [each for each, row in limits.items() if row["lane_until"] and row["lane_until"] < day]
    await store.changes.set_lanes(dict.fromkeys(slow, ("routine", None)))
    moves.amended |= dict.fromkeys(slow, event)
    still_open = [need for need in moves.needs.values() if need.status in OPEN]
    keeps_back = await what_keeps_back(still_open, store, day)
    for need in still_open:
        kept = keeps_back[need.id]
        if kept.request == "lapse" and need.hold != kept.reason and moves.ask(event, need, kept, at):
            continue
        if need.hold_until and need.hold_until <= day:
            moves.ask(event, need, kept, at)
        elif need.next and need.next.on < day:
            moves.stall(event, need, stalled(need, at), at)
        if warned := agreed_until(moves.needs[need.id], limits[need.referral_id]["agreement_until"], at):
            moves.remind(event, warned, at)
    return await moves.save(store, at)
