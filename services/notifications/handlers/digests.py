"""Providers that want mail hear once a day, in the morning, that offers wait for their answer."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Errand, Later, Said
from contracts.calendar import day_of
from contracts.matching import OfferAccepted, OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.vocabulary import PartnerId
from services.notifications.domain.digest import Digest, DigestEnded, next_morning
from services.notifications.store import Store

OfferEnded = OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn


class WriteDigest(BaseModel):
    """Due work: it is the morning of this day."""

    provider: PartnerId
    day: date


async def on_offer_made(events: Sequence[Event[OfferMade]], store: Store, at: datetime) -> list[Said]:
    await store.open_offers([(o.offer_id, o.referral_id, o.provider, o.expires_at) for o in (e.data for e in events)])
    mailed = await store.mailed({event.data.provider for event in events})
    return await plan({event.data.provider: event for event in events if event.data.provider in mailed}, store, at)


async def on_offer_ended(events: Sequence[Event[OfferEnded]], store: Store, at: datetime) -> list[Said]:
    await store.close_offers([event.data.offer_id for event in events])
    return []


async def on_write_digest(events: Sequence[Event[WriteDigest]], store: Store, at: datetime) -> list[Said]:
    waiting = await store.waiting_for([event.data.provider for event in events], at)
    none = [(e.data.provider, e.data.day, "nothing") for e in events if e.data.provider not in waiting]
    await store.end_digests(none)
    due = {event.data.provider: event for event in events if event.data.provider in waiting}
    tomorrow = await plan(due, store, at)
    return [*(_digest(event, waiting[provider], at) for provider, event in due.items()), *tomorrow]


async def on_digest_ended(events: Sequence[Event[DigestEnded]], store: Store, at: datetime) -> list[Said]:
    await store.end_digests([(event.data.provider, event.data.day, event.data.state) for event in events])
    return []


async def plan(causes: Mapping[str, Event[Any]], store: Store, at: datetime) -> list[Said]:
    """The next morning of each provider, once."""
    morning = next_morning(at)
    new = await store.plan_digests([(provider, day_of(morning)) for provider in causes])
    return [
        Later(morning, WriteDigest(provider=provider, day=day), provider, causes[provider])
        for provider, day in sorted(new)
    ]


def _digest(event: Event[WriteDigest], waiting: Any, at: datetime) -> Errand:
    digest = Digest(
        provider=event.data.provider, day=event.data.day, offers=waiting["offers"], first=day_of(waiting["first"])
    )
    return Errand(at, digest, event.key, event)
