"""A place that a grant pays for is planned until its provider opens it."""

from datetime import date
from typing import Any

import pytest

from contracts.grants import ApplicationWithdrawn, GrantPlacesFunded
from contracts.matching import GapClosed, GapRecorded, OfferMade, PlaceChanged
from tests.matching.builders import ARMLEY, Matching, place, referral
from tests.support import said

pytestmark = pytest.mark.servers

GRANT = "019aa0c4-0000-7000-8000-000000000006"


def funded(**changed: Any) -> GrantPlacesFunded:
    told = {
        **GrantPlacesFunded.example,
        "partner": "library",
        "provider_id": "armley",
        "places": [{"place_id": "funded", "kind": "device", "capacity": 12, "wards": [ARMLEY]}],
        **changed,
    }
    return GrantPlacesFunded.model_validate(told)


async def test_a_funded_place_helps_nobody_before_its_provider_opens_it_and_then_closes_the_gap(
    matching: Matching,
) -> None:
    assert said(await matching.hear(referral(1)), GapRecorded)
    assert await matching.hear(funded()) == []
    assert said(await matching.hear(referral(2)), GapRecorded)
    opened = await matching.open(place("funded", capacity=1, wards=[ARMLEY], funded_by=GRANT))
    (changed,) = said(opened, PlaceChanged)
    assert (changed.funded_by, changed.capacity) == (GRANT, 1)
    assert len(said(opened, GapClosed)) == 2
    assert len(said(opened, OfferMade)) == 1


async def test_nothing_is_planned_for_a_grant_that_is_given_up_but_what_is_open_stays(matching: Matching) -> None:
    places = [{"place_id": each, "kind": "device", "capacity": 12} for each in ("opened", "described", "planned")]
    await matching.hear(funded(funded_by=GRANT, places=places))
    await matching.open(place("opened", capacity=1, funded_by=GRANT))
    await matching.open(place("described", capacity=1, funded_by=GRANT, opens_on=date(2100, 1, 1)))
    await matching.hear(ApplicationWithdrawn.model_validate({**ApplicationWithdrawn.example, "application_id": GRANT}))
    rows = await matching.stage.rows("select place_id from place where funded_by is not null order by place_id")
    assert [row["place_id"] for row in rows] == ["described", "opened"]


async def test_what_a_provider_has_opened_stays_as_it_is(matching: Matching) -> None:
    await matching.open(place("funded", capacity=3))
    await matching.hear(funded(), funded())
    assert await matching.units("funded") == (3, 0, 0)


async def test_a_grant_to_a_provider_that_is_not_known_yet_waits_for_it(matching: Matching) -> None:
    await matching.hear(funded(partner="newcomer", provider_id="hall", provider_name="Village hall"))
    rows = await matching.stage.rows("select partner, provider_id, name from provider where partner = 'newcomer'")
    assert rows == [{"partner": "newcomer", "provider_id": "hall", "name": "Village hall"}]
    opened = await matching.open(place("funded", provider_id="hall", capacity=2), partner="newcomer")
    assert said(opened, PlaceChanged)[0].capacity == 2
