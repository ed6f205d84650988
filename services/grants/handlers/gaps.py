"""Where referrals find no help, and which grant helped: what referrals and matching say."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Forget, Said
from contracts.matching import GapClosed, GapRecorded, PlaceChanged, PlaceOpened
from contracts.referrals import AreasLoaded, PartnerRegistered, PersonErased, ReferralReceived
from services.grants import events_out
from services.grants.store import Store
from services.grants.store.needs import Gap, Opening, Referred


async def on_gaps_recorded(events: Sequence[Event[GapRecorded]], store: Store, _at: datetime) -> list[Said]:
    gaps = {event.data.need_id: _gap(event) for event in _by_time(events)}
    await store.needs.record_gaps(list(gaps.values()))
    return []


async def on_gaps_closed(events: Sequence[Event[GapClosed]], store: Store, _at: datetime) -> list[Said]:
    gaps = {event.data.need_id: _gap(event) for event in _by_time(events)}
    await store.needs.close_gaps(list(gaps.values()))
    return []


async def on_referrals_received(events: Sequence[Event[ReferralReceived]], store: Store, _at: datetime) -> list[Said]:
    await store.needs.refer(
        [Referred(e.data.referral_id, e.data.partner, e.data.area, e.data.received_at) for e in events]
    )
    return []


async def on_partners_registered(events: Sequence[Event[PartnerRegistered]], store: Store, _at: datetime) -> list[Said]:
    await store.needs.name_partners({event.data.partner: event.data.name for event in events})
    return []


async def on_areas_loaded(events: Sequence[Event[AreasLoaded]], store: Store, _at: datetime) -> list[Said]:
    latest = max(events, key=lambda event: event.time).data
    await store.needs.load_areas([{"code": a.code, "name": a.name, "decile": a.decile} for a in latest.areas])
    return []


async def on_places(events: Sequence[Event[PlaceOpened | PlaceChanged]], store: Store, _at: datetime) -> list[Said]:
    """A place that names a grant: the gaps that it closed carry the same correlation, and so show what closed them."""
    openings = {event.correlation: opening for event in events if (opening := _opening(event))}
    await store.needs.open_places(list(openings.values()))
    return []


async def on_persons_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    await store.needs.forget([event.data.referral_id for event in events])
    return [said for event in events for said in (Forget(event.key), events_out.erasure_confirmed(event, at))]


def _by_time(events: Sequence[Event[GapRecorded]] | Sequence[Event[GapClosed]]) -> list[Event[GapRecorded | GapClosed]]:
    return sorted(events, key=lambda event: event.time)


def _gap(event: Event[GapRecorded | GapClosed]) -> Gap:
    data = event.data
    reasons = data.reasons if isinstance(data, GapRecorded) else ()
    return Gap(data.need_id, data.referral_id, data.kind, data.area, event.time, reasons, event.correlation)


def _opening(event: Event[PlaceOpened | PlaceChanged]) -> Opening | None:
    place = event.data
    try:
        application = UUID(place.funded_by or "")
    except ValueError:
        return None
    return Opening(
        event.correlation, application, place.provider, place.place_id, place.kind, place.capacity, event.time
    )
