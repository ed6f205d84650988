"""A Digital Champion is a place of that kind, with the caseload as its capacity.

People go first to champions of whoever referred them; to others only through an organisation that takes them in.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from contracts.champion import Champion
from contracts.door import ProviderUpdated
from services.matching.domain.calendar import state_on
from services.matching.domain.fit import Place, PlaceKey, Terms

MARK: Final = "/"
"""Between the names of organisation and champion. No partner can use it in the name of a place."""


def place_of(
    partner: str, told: ProviderUpdated, champion: Champion, known: Mapping[PlaceKey, Place], today: date
) -> Place:
    key = PlaceKey(partner, f"{told.provider_id}{MARK}{champion.ref}")
    current = known.get(key)
    held, taken = (current.held, current.taken) if current else (0, 0)
    opens_on = champion.away + timedelta(days=1) if champion.away else None
    return Place(
        key=key,
        provider_id=told.provider_id,
        terms=_terms(partner, champion, is_host=told.host),
        wanted=champion.caseload,
        capacity=max(champion.caseload, held + taken),
        held=held,
        taken=taken,
        state=state_on(today, opens_on, None),
        opens_on=opens_on,
    )


def _terms(partner: str, champion: Champion, *, is_host: bool) -> Terms:
    helps_others = is_host and champion.training != "starter"
    return Terms(
        kind="champion",
        wards=frozenset(champion.wards),
        languages=frozenset(champion.languages),
        requirements=frozenset(champion.requirements),
        days=frozenset(champion.days),
        open_to=frozenset() if helps_others else frozenset({partner}),
    )
