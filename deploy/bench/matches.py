"""Many needs against many places, of a city made by chance: the processor time of deciding who gets which."""

import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from contracts.vocabulary import Kind
from deploy.bench.ground import AT
from services.matching.domain.allocation import allocate, bundled
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, Terms

KINDS: Final[Sequence[Kind]] = ("device", "connectivity", "skills", "champion")
WARDS: Final = [f"E050000{number:02}" for number in range(33)]
PARTNERS: Final = [f"partner-{number}" for number in range(200)]
LANGUAGES: Final = ["ur", "pl", "ar", "fa", "so", "ti", "ro", "pa"]
FORMATS: Final = ["in-person", "phone", "video", "group"]
REQUIREMENTS: Final = ["wheelchair-access", "interpreter", "large-screen", "same-gender", "dbs-checked", "home-visit"]
DAYS: Final = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def matches(number: int) -> dict[str, float]:
    """So many needs, two of each person, against so many places."""
    dice = Random(number)  # noqa: S311 - the same city in every run
    needs = [_need(n, dice) for n in range(number)]
    places = [_place(n, dice) for n in range(number)]
    began = time.process_time()
    served = len(allocate(bundled(needs, places, {}), places))
    return {"seconds": time.process_time() - began, "needs": number, "served": served}


def _some(dice: Random, those: Sequence[str], often: float, most: int) -> frozenset[Any]:
    return frozenset(dice.sample(those, dice.randint(1, most))) if dice.random() < often else frozenset()


def _need(number: int, dice: Random) -> Need:
    asks = Asks(
        kind=dice.choices(KINDS, [4, 3, 1, 2])[0],
        partner=dice.choice(PARTNERS),
        ward=dice.choice(WARDS),
        requirements=_some(dice, REQUIREMENTS, 0.3, 2),
        languages=_some(dice, LANGUAGES, 0.2, 2),
        formats=_some(dice, FORMATS, 0.2, 1),
        schemes=_some(dice, ["scheme:databank"], 0.5, 1),
        days=_some(dice, DAYS, 0.1, 3),
    )
    lane: Any = "urgent" if dice.random() < 0.02 else "routine"
    waited = timedelta(minutes=dice.randrange(200_000))
    return Need(UUID(int=number), UUID(int=number // 2), WARDS[0], lane, AT - waited, asks)


def _place(number: int, dice: Random) -> Place:
    partner, kind = dice.choice(PARTNERS), dice.choices(KINDS, [4, 3, 1, 2])[0]
    terms = Terms(
        kind=kind,
        wards=_some(dice, WARDS, 0.6, 5),
        languages=_some(dice, LANGUAGES, 0.2, 3),
        formats=_some(dice, FORMATS, 0.3, 2),
        requirements=_some(dice, REQUIREMENTS, 0.5, 3),
        open_to=frozenset({partner}) if dice.random() < 0.2 else frozenset(),
        scheme="scheme:databank" if kind == "connectivity" and dice.random() < 0.5 else None,
        days=_some(dice, DAYS, 0.1, 4),
    )
    return Place(PlaceKey(partner, f"place-{number}"), partner, terms, 1, 1)
