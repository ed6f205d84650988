"""Places that a grant pays for: planned until their provider opens them."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.grants import ApplicationWithdrawn, GrantPlacesFunded, PlannedPlace
from services.matching.domain.fit import Place, PlaceKey, Terms
from services.matching.store import Store


async def on_places_funded(events: Sequence[Event[GrantPlacesFunded]], store: Store, _at: datetime) -> list[Said]:
    """Keeps each place with no capacity, so that no need counts on it before its provider says how much it gives.

    What a provider has opened already stays as it is.
    """
    planned = {
        PlaceKey(e.data.partner, each.place_id): _planned(e.data, each) for e in events for each in e.data.places
    }
    await store.lock({place.terms.kind for place in planned.values()})
    providers = {(e.data.partner, e.data.provider_id): (e.data.provider_name, list[str]()) for e in events}
    known = await store.supply.known_providers(providers)
    await store.supply.save_providers({key: said for key, said in providers.items() if key not in known})
    there = await store.supply.places(planned)
    await store.supply.save_places(place for key, place in planned.items() if key not in there)
    return []


def _planned(told: GrantPlacesFunded, place: PlannedPlace) -> Place:
    return Place(
        key=PlaceKey(told.partner, place.place_id),
        provider_id=told.provider_id,
        terms=Terms(place.kind, frozenset(place.wards)),
        wanted=0,
        capacity=0,
        state="planned",
        funded_by=told.funded_by,
    )


async def on_applications_withdrawn(
    events: Sequence[Event[ApplicationWithdrawn]], store: Store, _at: datetime
) -> list[Said]:
    """Nothing is planned any more for a grant that is given up. What a provider has opened already stays as it is."""
    await store.supply.drop_planned([str(event.data.application_id) for event in events])
    return []
