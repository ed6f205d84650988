"""Providers describe themselves, and their champions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.door import ProviderUpdated
from contracts.refusal import FieldError
from services.matching import events_out
from services.matching.domain.champions import place_of
from services.matching.domain.fit import Place, PlaceKey
from services.matching.domain.offers import LIVE, Offer
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, Moves, PlaceChange, save_moves, save_places
from services.matching.handlers.settle import settle
from services.matching.store import Store
from services.matching.store.supply import ProviderKey

Told = Mapping[ProviderKey, Event[ProviderUpdated]]


async def on_providers_updated(events: Sequence[Event[ProviderUpdated]], store: Store, at: datetime) -> list[Said]:
    wrong = {id(event): error for event in events if (error := _wrong(event.data))}
    right = {_key(event): event for event in events if id(event) not in wrong}
    await store.supply.save_providers({key: (e.data.name, e.data.languages) for key, e in right.items()})
    champions = {key: event for key, event in right.items() if event.data.champions is not None}
    return [
        *(refusal(event, wrong[id(event)]) for event in events if id(event) in wrong),
        *(events_out.provider_registered(e, e.partner or "") for e in events if id(e) not in wrong),
        *(await _save_champions(champions, store, at) if champions else []),
    ]


def _key(event: Event[ProviderUpdated]) -> ProviderKey:
    return event.partner or "", event.data.provider_id


def _wrong(told: ProviderUpdated) -> FieldError | None:
    champions = told.champions or []
    if len({champion.ref for champion in champions}) < len(champions):
        return refusals.CHAMPION_TWICE
    untrained = any("home-visit" in each.requirements and each.training != "advanced" for each in champions)
    return refusals.NOT_TRAINED if untrained else None


async def _save_champions(told: Told, store: Store, at: datetime) -> list[Said]:
    """Those who are new, who changed, and who left: these give their people back."""
    await store.lock({"champion"})
    known = await store.supply.champions(told)
    changes = list(_changes(told, known, day_of(at)))
    change = Change()
    await save_places(changes, change, store)
    left = {after.key: cause for _, after, cause in changes if after.state == "closed"}
    moves = Moves({offer.offer_id: offer for offer in await store.offers.at_places(left, LIVE)})
    said = [each for one in changes for each in _described(one, store, at)]
    for offer in list(moves.now.values()):
        said += _give_back(offer, left[offer.place], moves, store)
    return [*said, *await save_moves(moves, change, store, at), *await settle(change, store, at)]


def _changes(told: Told, known: Mapping[PlaceKey, Place], today: date) -> Iterator[PlaceChange]:
    for key, event in told.items():
        here: set[PlaceKey] = set()
        for champion in event.data.champions or []:
            place = place_of(key[0], event.data, champion, known, today)
            here.add(place.key)
            if place != known.get(place.key):
                yield PlaceChange(known.get(place.key), place, event)
        for place in known.values():
            if (place.key.partner, place.provider_id) == key and place.key not in here and place.state != "closed":
                yield PlaceChange(place, _closed(place, today), event)


def _closed(place: Place, today: date) -> Place:
    units = place.held + place.taken
    return replace(place, wanted=0, capacity=units, state="closed", closes_on=today - timedelta(days=1))


def _described(change: PlaceChange, store: Store, at: datetime) -> list[Said]:
    before, after, cause = change
    tell = events_out.place_changed if before else events_out.place_opened
    return [tell(after, cause, store.decided), *events_out.place_turns(after, cause, at)]


def _give_back(offer: Offer, cause: Event[ProviderUpdated], moves: Moves, store: Store) -> list[Said]:
    after = moves.make(offer.offer_id, "take-back", cause, "champion-left")
    return events_out.offer_ended(after, "take-back", cause, store.decided, "champion-left") if after else []
