"""Providers describe what they give."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.door import PlaceUpdated
from contracts.refusal import FieldError
from services.matching import events_out
from services.matching.domain.calendar import state_on
from services.matching.domain.fit import Lending, Place, PlaceKey, Terms
from services.matching.domain.offers import GIVEN_AWAY
from services.matching.domain.units import Stock
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, PlaceChange, save_places
from services.matching.handlers.settle import settle
from services.matching.store import Store


async def on_places_updated(events: Sequence[Event[PlaceUpdated]], store: Store, at: datetime) -> list[Said]:
    await store.lock({event.data.kind for event in events})
    known = await store.supply.places(map(_key, events))
    providers = await store.supply.known_providers((e.partner or "", e.data.provider_id) for e in events)
    serials = [(e.partner or "", serial) for e in events for serial in e.data.serials or []]
    named = await store.units.load(list(map(_key, events)), serials)
    now, change = dict(known), Change()
    changed: dict[PlaceKey, PlaceChange] = {}
    said: list[Said] = []
    for event in events:
        key = _key(event)
        is_known = (key.partner, event.data.provider_id) in providers
        wrong = _wrong(event.data, now.get(key), is_known=is_known) or _wrong_serials(event.data, key, named)
        if wrong:
            said.append(refusal(event, wrong))
            continue
        place = _place(event, now.get(key), at)
        if event.data.serials is not None:
            named.name(key, event.data.serials)
        said.append((events_out.place_changed if key in now else events_out.place_opened)(place, event, store.decided))
        said += events_out.place_turns(place, event, at)
        now[key] = place
        changed[key] = PlaceChange(known.get(key), place, event)
    await save_places(changed.values(), change, store)
    await store.units.save(named)
    return [*said, *await settle(change, store, at)]


def _key(event: Event[PlaceUpdated]) -> PlaceKey:
    return PlaceKey(event.partner or "", event.data.place_id)


def _wrong(told: PlaceUpdated, current: Place | None, *, is_known: bool) -> FieldError | None:
    if not is_known:
        return refusals.UNKNOWN_PROVIDER
    if told.opens_on and told.closes_on and told.closes_on < told.opens_on:
        return refusals.CLOSES_BEFORE_IT_OPENS
    if (told.loan_days or told.lasts_months) and told.kind not in GIVEN_AWAY:
        return refusals.NOT_STOCK
    if current and current.terms.kind != told.kind:
        return refusals.KIND_IS_FIXED
    return refusals.BELOW_TAKEN if current and told.capacity < current.taken else None


def _wrong_serials(told: PlaceUpdated, key: PlaceKey, named: Stock) -> FieldError | None:
    serials = told.serials or []
    if serials and told.kind != "device":
        return refusals.ONLY_DEVICES
    if len(set(serials)) < len(serials):
        return refusals.SERIAL_TWICE
    if len(serials) > told.capacity:
        return refusals.MORE_THAN_CAPACITY
    return refusals.SERIAL_ELSEWHERE if named.elsewhere(key, serials) else None


def _place(event: Event[PlaceUpdated], current: Place | None, at: datetime) -> Place:
    told = event.data
    held, taken = (current.held, current.taken) if current else (0, 0)
    return Place(
        key=_key(event),
        provider_id=told.provider_id,
        terms=Terms(
            kind=told.kind,
            wards=frozenset(told.wards),
            languages=frozenset(told.languages),
            formats=frozenset(told.formats),
            requirements=frozenset(told.requirements),
            open_to=frozenset(told.open_to),
            scheme=told.scheme,
            days=frozenset(told.days),
        ),
        wanted=told.capacity,
        capacity=max(told.capacity, held + taken),
        held=held,
        taken=taken,
        state=state_on(day_of(at), told.opens_on, told.closes_on),
        opens_on=told.opens_on,
        closes_on=told.closes_on,
        funded_by=told.funded_by,
        lending=Lending(told.loan_days, told.lasts_months, told.reopen_days),
    )
