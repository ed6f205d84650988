"""Who has an interest in an application neither judges it nor decides about it, however they are written down."""

import pytest

from tests.grants.conftest import City
from tests.grants.test_http import rules
from tests.grants.test_round import ANN, CRITERIA, assigned, name_assessors, score

pytestmark = [pytest.mark.servers, pytest.mark.invariant(6)]


@pytest.mark.parametrize("written", ["The Armley Helping Hands Trust", "armley helping hands", "1110522"])
async def test_a_register_of_interests_may_have_the_name_of_a_host_or_partner_instead_of_its_number(
    city: City, written: str
) -> None:
    await city.open_round(rules=CRITERIA)
    host = {"id": "1110522", "name": "Armley Helping Hands"}
    application = (await city.apply("knitters", standing={"host": host})).json()["application_id"]
    await city.close(to="assessing")
    await city.call(ANN, "PUT", "/v1/assessors/cllr-bea", {"interests": [written]})
    await name_assessors(city, cat="", dan="")
    assert (await assigned(city))[application] == ["cat", "dan"]
    refused = await score(city, "cllr-bea", application, 5)
    assert rules(refused) == [("application_id", "registered-interest")]


async def test_who_stops_or_turns_out_to_have_an_interest_is_not_waited_for(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="")
    assert (await assigned(city))[application] == ["bea", "cat"]
    await city.call(ANN, "PUT", "/v1/assessors/bea", {"is_active": False})
    await name_assessors(city, cat="GB-CHC-1110522", dan="", eve="")
    await assigned(city)
    for name in ("dan", "eve"):
        assert (await score(city, name, application, 5)).status_code == 200
    assert (await city.call(ANN, "GET", f"/v1/applications/{application}")).json()["status"] == "assessed"


async def test_a_score_counts_no_more_when_its_assessor_turns_out_to_have_an_interest(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="")
    await assigned(city)
    await score(city, "bea", application, 9)
    await score(city, "cat", application, 7)
    await name_assessors(city, dan="", eve="")
    await name_assessors(city, bea="GB-CHC-1110522")
    path = f"/v1/applications/{application}"
    assert (await city.call(ANN, "GET", path)).json()["status"] == "submitted"
    assert rules(await score(city, "bea", application, 5)) == [("application_id", "own-organisation")]
    assert (await city.call("assessor cat", "POST", f"{path}/conflict", {"reason": "My sister."})).status_code == 204
    assert (await assigned(city))[application] == ["dan", "eve"]
    for name in ("dan", "eve"):
        assert (await score(city, name, application, 5)).status_code == 200
    shown = (await city.call(ANN, "GET", path)).json()
    assert (shown["status"], shown["points"]) == ("assessed", 5000)
    assert [each["points"] for each in shown["feedback"]] == [500]
    assert (await city.facts()).count("ApplicationAssessed") == 2


async def test_a_result_that_others_agree_on_stands_without_the_score_of_whoever_has_an_interest(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="", dan="")
    first, second = (await assigned(city))[application]
    third = ({"bea", "cat", "dan"} - {first, second}).pop()
    for name, points in ((first, 1), (second, 6), (third, 7)):
        await score(city, name, application, points)
    path = f"/v1/applications/{application}"
    assert (await city.call(ANN, "GET", path)).json()["points"] == 6500
    await city.call(f"assessor {first}", "POST", f"{path}/conflict", {"reason": "My neighbour."})
    shown = (await city.call(ANN, "GET", path)).json()
    assert (shown["status"], shown["points"]) == ("assessed", 6500)
    assert [each["points"] for each in shown["feedback"]] == [650]


async def test_nobody_decides_about_an_organisation_in_which_they_have_an_interest(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, zoe="GB-CHC-1110522")
    await city.call(ANN, "PUT", "/v1/assessors/zoe", {"organisations": ["GB-CHC-1110522"], "is_active": False})
    path = f"/v1/applications/{application}"

    async def act(who: str, what: str, body: object) -> list[tuple[str, str]]:
        answer = await city.call(who, "POST", f"{path}/{what}", body)
        return rules(answer) if answer.status_code >= 400 else []

    own = [("application_id", "own-organisation")]
    settled = {"points": 60, "why": "Nobody else was left."}
    assert await act("approver zoe", "moderation", settled) == own
    assert await act("approver yan", "moderation", settled) == []
    await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "deciding"})
    for what, body in (
        ("award", {"amount_pence": 1}),
        ("reserve", {"amount_pence": 1}),
        ("decline", {"reason": "outside-budget"}),
    ):
        assert await act("approver zoe", what, body) == own
    assert await act("approver yan", "award", {"amount_pence": 1}) == []
