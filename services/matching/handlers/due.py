"""What falls due together is settled together: days of places, what is due for offers and loans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.envelope import Event
from chassis.facts import Said
from contracts.calendar import day_of
from services.matching import events_out
from services.matching.domain.calendar import state_on
from services.matching.domain.fit import Place, PlaceKey
from services.matching.domain.offers import UNCONFIRMED, Offer
from services.matching.events_out import Due, stock
from services.matching.handlers.change import Change, Moves, PlaceChange, save_moves, save_places
from services.matching.handlers.settle import settle
from services.matching.store import Store


async def on_due(events: Sequence[Event[Due]], store: Store, at: datetime) -> list[Said]:
    """What has changed meanwhile stays as it is."""
    offers = {event.data.offer_id for event in events if event.data.offer_id}
    places = {PlaceKey(*event.data.place): event for event in events if event.data.place}
    await store.lock(await store.offers.kinds_of(offers) | await store.supply.kinds_of(places))
    change, moves = Change(), Moves(await store.offers.by_id(offers))
    said: list[Said] = []
    for event in events:
        if event.data.offer_id and (offer := moves.now.get(event.data.offer_id)):
            said += (_unconfirmed if event.data.unconfirmed else _offer_due)(offer, moves, event, store, at)
    said += await save_moves(moves, change, store, at)
    turned = list(_turned((await store.supply.places(places)).values(), places, at))
    await save_places(turned, change, store)
    said += [events_out.place_changed(place, cause, store.decided) for _, place, cause in turned]
    return [*said, *await settle(change, store, at)]


def _unconfirmed(offer: Offer, moves: Moves, cause: Event[Due], store: Store, _at: datetime) -> list[Said]:
    """The place is held no longer. Nobody has declined: whoever is first now may be given it again."""
    if offer.state != "awaiting":
        return []
    lapsed = moves.make(offer.offer_id, "take-back", cause, UNCONFIRMED)
    return events_out.offer_ended(lapsed, "take-back", cause, store.decided, UNCONFIRMED) if lapsed else []


def _offer_due(offer: Offer, moves: Moves, cause: Event[Due], store: Store, at: datetime) -> list[Said]:
    if offer.state == "open" and offer.expires_at and at < offer.expires_at:
        return events_out.offer_reminded(offer, offer.expires_at, cause)
    if offer.state == "lent" and offer.until and day_of(at) > offer.until:
        return [stock.loan_changed(offer, "overdue", offer.until, cause, at, store.decided)]
    if offer.state == "ended" and offer.until:
        return [stock.support_expiring(offer, offer.until, cause, at)]
    expired = moves.make(offer.offer_id, "expire", cause)
    return events_out.offer_ended(expired, "expire", cause, store.decided) if expired else []


def _turned(places: Iterable[Place], causes: Mapping[PlaceKey, Event[Any]], at: datetime) -> Iterable[PlaceChange]:
    """The places that open or close, as their dates now say."""
    for place in places:
        state = state_on(day_of(at), place.opens_on, place.closes_on)
        if state != place.state:
            yield PlaceChange(place, replace(place, state=state), causes[place.key])
