"""Facts of the matching service: supply, queue, offers, support and gaps."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.matching import (
    GapClosed,
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
    SupportEnded,
    SupportStarted,
)
from contracts.vocabulary import OfferEnd
from services.reporting.domain.folding import gaps, latest
from services.reporting.handlers.rows import rows
from services.reporting.store import Store

OfferEnded = OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn
END: dict[type[OfferEnded], OfferEnd] = {
    OfferAccepted: "accepted",
    OfferDeclined: "declined",
    OfferExpired: "expired",
    OfferWithdrawn: "withdrawn",
}


async def on_provider_registered(
    events: Sequence[Event[ProviderRegistered]], store: Store, _at: datetime
) -> list[Said]:
    await store.matching.save_providers(
        latest((e.data for e in events), lambda fact: (fact.provider, fact.provider_id))
    )
    return []


async def on_place(events: Sequence[Event[PlaceOpened | PlaceChanged]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.save_places(latest((e.data for e in events), lambda fact: (fact.provider, fact.place_id)))
    return []


async def on_need_waiting(events: Sequence[Event[NeedWaiting]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.queue_needs(latest(events, lambda event: event.data.need_id))
    return []


async def on_offer_made(events: Sequence[Event[OfferMade]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.save_offers(latest(events, lambda event: event.data.offer_id))
    return []


async def on_offer_ended(events: Sequence[Event[OfferEnded]], store: Store, _at: datetime) -> list[Said]:
    last = latest(events, lambda event: event.data.offer_id)
    await store.matching.end_offers([(event, END[type(event.data)]) for event in last])
    return []


async def on_support_started(events: Sequence[Event[SupportStarted]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.start_support(rows(events))
    return []


async def on_support_ended(events: Sequence[Event[SupportEnded]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.end_support(rows(events))
    return []


async def on_gap(events: Sequence[Event[GapRecorded | GapClosed]], store: Store, _at: datetime) -> list[Said]:
    await store.matching.save_gaps(gaps((event.data, event.time) for event in events))
    return []
