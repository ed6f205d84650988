"""Gaps weigh in a round: frozen when assessment opens, without the own ones, and closed by what is funded."""

from typing import Any
from uuid import UUID

import pytest

from chassis.work import Batch
from contracts.grants import GrantPlacesFunded
from contracts.matching import GapClosed, PlaceChanged, PlaceOpened
from contracts.referrals import Area, AreasLoaded, PartnerRegistered, PersonErased, ReferralReceived
from tests.grants.conftest import City
from tests.grants.test_gaps import closed, recorded
from tests.support import fact_event

pytestmark = pytest.mark.servers

ANN = "staff ann"


def referred(n: int, partner: str = "gp-armley", area: str = "E05011400") -> ReferralReceived:
    example = {**ReferralReceived.example, "referral_id": UUID(int=n), "partner": partner, "area": area}
    return ReferralReceived.model_validate(example)


def place(application: str, provider: str = "library-service", **changed: Any) -> PlaceOpened:
    return PlaceOpened.model_validate(
        {**PlaceOpened.example, "funded_by": application, "provider": provider, **changed}
    )


async def view(city: City, application: str) -> dict[str, Any]:
    found: dict[str, Any] = (await city.call(ANN, "GET", f"/v1/applications/{application}")).json()
    return found


async def test_what_a_project_meets_is_frozen_with_its_reasons(city: City) -> None:
    await city.stage.hear(*(referred(n, "food-bank" if n < 10 else "gp-armley") for n in range(30)))
    await city.stage.hear(*(recorded(n) for n in range(30)))
    await city.stage.hear(
        AreasLoaded(
            version="1",
            areas=[
                Area(code="E05011400", name="Armley", decile=2, step=10),
                Area(code="E05011401", name="Gipton", decile=1, step=10),
                Area(code="E05011402", name="Adel", decile=9, step=0),
            ],
        )
    )
    await city.stage.hear(PartnerRegistered(partner="food-bank", name="The Harehills Food Bank"))
    await city.open_round()
    theirs = (await city.apply("GB-CHC-1000001", wards=["E05011400"])).json()["application_id"]
    own = (await city.apply("GB-CHC-1000002", wards=["E05011400"], refers_as=["food-bank"])).json()["application_id"]
    named = {"id": "GB-CHC-1000004", "name": "Harehills food bank Ltd"}
    namesake = (await city.apply("GB-CHC-1000004", wards=["E05011400"], organisation=named)).json()["application_id"]
    silent = (await city.apply("GB-CHC-1000003", wards=["E05011401", "E05011402"])).json()["application_id"]
    await city.close(to="assessing")
    await city.stage.hear(*(closed(n) for n in range(30)))

    weights = {each: (await view(city, each))["gap_weight"] for each in (theirs, own, namesake, silent)}
    assert [(w["met"], w["points"], w["of"]) for w in weights.values()] == [
        (30, 20, 20),
        (20, 13, 20),
        (20, 13, 20),
        (10, 7, 20),
    ]
    assert weights[silent]["cells"] == [
        {"kind": "device", "area": "E05011401", "people": 0, "counted": 10, "low_reach": True}
    ]
    assert (await view(city, theirs))["gap_points"] == 20


async def test_the_ledger_tells_which_grant_closed_which_gaps(city: City) -> None:
    await city.open_round()
    asked: dict[str, Any] = {
        "delivers_as": {"partner": "library-service", "provider_id": "library-armley"},
        "places": [{"kind": "device", "capacity": 12}],
    }
    application = (await city.apply(**asked)).json()["application_id"]
    await city.close()
    await city.decide(application, "award", {"amount_pence": 5_000_00})
    (funded,) = await city.stage.rows("select value from outbox where headers like '%GrantPlacesFunded%'")
    told = GrantPlacesFunded.model_validate_json(funded["value"])
    assert (told.partner, told.funded_by) == ("library-service", application)
    assert [(each.place_id, each.kind, each.capacity) for each in told.places] == [
        (f"{application}-device", "device", 12)
    ]

    await hear_together(city, place(application), *(closed(n) for n in range(12)))
    await hear_together(city, place(application, "somebody-else", place_id="x"), *(closed(n) for n in range(20, 40)))
    await city.stage.hear(PlaceChanged.model_validate(PlaceChanged.example))
    (line,) = (await city.call(ANN, "GET", "/v1/rounds/winter/ledger")).json()
    assert (line["place_id"], line["awarded_pence"], line["area"], line["people"]) == (
        "tablets",
        5_000_00,
        "E05011400",
        10,
    )


async def hear_together(city: City, opened: PlaceOpened, *gaps: GapClosed) -> None:
    """What one PlaceUpdated caused carries one correlation."""
    at = city.stage.clock()
    cause = fact_event(opened, at)
    events = [cause, *(fact_event(gap, at)._replace(correlation=cause.correlation) for gap in gaps)]
    outcome = await city.stage.worker.run(Batch("grants", events))
    assert not outcome.failed


@pytest.mark.invariant(7)
async def test_organisations_see_where_people_wait_and_no_small_number(city: City) -> None:
    await city.stage.hear(*(recorded(n) for n in range(13)), *(recorded(n, "skills") for n in range(20, 27)))
    shown = (await city.call("applicant GB-CHC-1110522", "GET", "/v1/gaps")).json()
    assert shown == [
        {"kind": "device", "area": "E05011400", "people": 15},
        {"kind": "skills", "area": "E05011400", "people": None},
    ]


async def test_who_referred_an_erased_person_is_forgotten(city: City) -> None:
    await city.stage.hear(referred(1), referred(2))
    await city.stage.hear(PersonErased(referral_id=UUID(int=1)))
    await city.stage.hear(referred(1))
    assert await city.stage.rows("select referral_id from referral") == [{"referral_id": UUID(int=2)}]
