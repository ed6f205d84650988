"""What falls due together is settled together: days of places, expiries of offers."""

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
from services.matching.events_out import Due
from services.matching.handlers.change import Change, Moves, PlaceChange, save_moves, save_places
from services.matching.handlers.settle import settle
from services.matching.store import Store


async def on_due(events: Sequence[Event[Due]], store: Store, at: datetime) -> list[Said]:
    """What has changed meanwhile stays as it is."""
    offers = {event.data.offer_id: event for event in events if event.data.offer_id}
    places = {PlaceKey(*event.data.place): event for event in events if event.data.place}
    await store.lock(await store.offers.kinds_of(offers) | await store.supply.kinds_of(places))
    change, moves = Change(), Moves(await store.offers.by_id(offers))
    said: list[Said] = []
    for offer_id in moves.now:
        expired = moves.make(offer_id, "expire", offers[offer_id])
        said += events_out.offer_ended(expired, "expire", offers[offer_id]) if expired else []
    said += await save_moves(moves, change, store, at)
    await save_places(_turned((await store.supply.places(places)).values(), places, at), change, store)
    return [*said, *await settle(change, store, at)]


def _turned(places: Iterable[Place], causes: Mapping[PlaceKey, Event[Any]], at: datetime) -> Iterable[PlaceChange]:
    """The places that open or close, as their dates now say."""
    for place in places:
        state = state_on(day_of(at), place.opens_on, place.closes_on)
        if state != place.state:
            yield PlaceChange(place, replace(place, state=state), causes[place.key])
