"""Where referrals find no help: the gaps that matching records and closes."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Forget, Said
from contracts.matching import GapClosed, GapRecorded
from contracts.referrals import PersonErased
from services.grants import events_out
from services.grants.store import Gap, Store


async def on_gaps_recorded(events: Sequence[Event[GapRecorded]], store: Store, _at: datetime) -> list[Said]:
    gaps = {event.data.need_id: _gap(event) for event in _by_time(events)}
    await store.record_gaps(list(gaps.values()))
    return []


async def on_gaps_closed(events: Sequence[Event[GapClosed]], store: Store, _at: datetime) -> list[Said]:
    gaps = {event.data.need_id: _gap(event) for event in _by_time(events)}
    await store.close_gaps(list(gaps.values()))
    return []


async def on_persons_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    await store.forget_gaps([event.data.referral_id for event in events])
    return [said for event in events for said in (Forget(event.key), events_out.erasure_confirmed(event, at))]


def _by_time(events: Sequence[Event[GapRecorded]] | Sequence[Event[GapClosed]]) -> list[Event[GapRecorded | GapClosed]]:
    return sorted(events, key=lambda event: event.time)


def _gap(event: Event[GapRecorded | GapClosed]) -> Gap:
    data = event.data
    reasons = data.reasons if isinstance(data, GapRecorded) else ()
    return Gap(data.need_id, data.referral_id, data.kind, data.area, event.time, reasons)
