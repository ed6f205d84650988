"""Help given to people who were not referred: it is counted, and taken from stock."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.refusal import FieldError
from contracts.stock import DirectHelpReported
from services.matching import events_out
from services.matching.domain.fit import Place, PlaceKey
from services.matching.domain.offers import GIVEN_AWAY, UNANSWERED, Offer
from services.matching.domain.units import Stock
from services.matching.events_out import stock
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store
from services.matching.store.supply import DirectHelp


async def on_direct_help_reported(
    events: Sequence[Event[DirectHelpReported]], store: Store, at: datetime
) -> list[Said]:
    """With too little free, the last in the queue who were offered this place, and have no answer yet, lose it."""
    await store.lock({event.data.kind for event in events})
    places = await store.supply.places(map(_key, events))
    unanswered: dict[PlaceKey, list[Offer]] = {key: [] for key in places}
    for offer in await store.offers.at_places(places, UNANSWERED):
        unanswered[offer.place].append(offer)
    serials = [(e.partner or "", serial) for e in events for serial in e.data.serials]
    units = await store.units.load(list(places), serials)
    moves, change = Moves({offer.offer_id: offer for each in unanswered.values() for offer in each}), Change()
    given: list[DirectHelp] = []
    said: list[Said] = []
    for event in events:
        place, offers = places.get(_key(event)), unanswered.get(_key(event), [])
        if wrong := _wrong(event.data, place, moves, offers, at) or _wrong_units(event, units):
            said.append(refusal(event, wrong))
        elif place:
            said += _given(event, place, moves, offers, store)
            units.give(place.key, event.data.serials)
            given.append(DirectHelp.of(event))
    await store.supply.save_direct_help(given, at)
    await store.units.save(units)
    return [*said, *await save_moves(moves, change, store, at), *await settle(change, store, at)]


def _key(event: Event[DirectHelpReported]) -> PlaceKey:
    return PlaceKey(event.partner or "", event.data.place_id)


def _wrong(
    told: DirectHelpReported, place: Place | None, moves: Moves, offers: Sequence[Offer], at: datetime
) -> FieldError | None:
    if place is None:
        return refusals.UNKNOWN_PLACE
    if place.terms.kind != told.kind:
        return refusals.OTHER_KIND
    if told.given_on > day_of(at):
        return refusals.GIVEN_IN_FUTURE
    return refusals.NOTHING_FREE if _lacking(told, place, moves, offers) > len(offers) else None


def _wrong_units(event: Event[DirectHelpReported], units: Stock) -> FieldError | None:
    place, serials = _key(event), event.data.serials
    if len(set(serials)) < len(serials):
        return refusals.SERIAL_TWICE
    if place in units.naming and len(serials) != event.data.count:
        return refusals.WHICH_UNIT
    return None if units.has(place, serials) else refusals.NOT_IN_STOCK


def _lacking(told: DirectHelpReported, place: Place, moves: Moves, offers: Sequence[Offer]) -> int:
    """How many of the units given are held for others."""
    if place.terms.kind not in GIVEN_AWAY:
        return 0
    released = place.held - len(offers)
    return max(0, told.count - (place.free + released - moves.given[place.key]))


def _given(
    event: Event[DirectHelpReported], place: Place, moves: Moves, offers: list[Offer], store: Store
) -> list[Said]:
    said: list[Said] = []
    for _ in range(_lacking(event.data, place, moves, offers)):
        last = moves.make(offers.pop().offer_id, "take-back", event, "given-directly")
        said += events_out.offer_ended(last, "take-back", event, store.decided, "given-directly") if last else []
    if place.terms.kind in GIVEN_AWAY:
        moves.given[place.key] += event.data.count
    return [stock.direct_help_given(place, event, store.decided), *said]
