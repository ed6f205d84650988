import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.grants.conftest import ROUND, City

pytestmark = pytest.mark.servers


def rules(response: httpx2.Response) -> list[tuple[str, str]]:
    return [(error["field"], error["rule"]) for error in response.json()["errors"]]


async def view(city: City, round_id: str = "winter") -> dict[str, Any]:
    response = await city.call("staff ann", "GET", f"/v1/rounds/{round_id}")
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


async def test_a_round_from_its_opening_to_its_awards(city: City) -> None:
    await city.open_round()
    first = (await city.apply()).json()["application_id"]
    city.stage.clock.forward(timedelta(seconds=1))
    second = (await city.apply("armley-group", amount_pence=6_000_00)).json()["application_id"]
    await city.close()
    assert (await city.decide(first, "award", {"amount_pence": 4_000_00})).status_code == 200
    assert (await city.decide(second, "decline", {"reason": "outside-budget"})).status_code == 200

    shown = await view(city)
    assert (shown["awarded_pence"], shown["remaining_pence"]) == (4_000_00, 6_000_00)
    assert [
        (a["organisation_id"], a["status"], a["awarded_pence"], a["decline_reason"]) for a in shown["applications"]
    ] == [
        ("GB-CHC-1110522", "awarded", 4_000_00, None),
        ("360G-furthest-first-armley-group", "declined", None, "outside-budget"),
    ]
    assert await city.facts() == [
        "FundOpened",
        "RoundOpened",
        "ApplicationSubmitted",
        "ApplicationSubmitted",
        "ApplicationAssessed",
        "ApplicationAssessed",
        "GrantAwarded",
        "ApplicationDeclined",
    ]


async def test_a_fund_or_round_that_stays_as_it_is_says_nothing_again(city: City) -> None:
    await city.open_round()
    await city.open_round()
    assert await city.facts() == ["FundOpened", "RoundOpened"]
    await city.open_round(budget_pence=20_000_00, why="another funder came")
    assert await city.facts() == ["FundOpened", "RoundOpened", "RoundOpened"]


async def test_a_round_that_is_decided_is_not_amended_but_may_be_topped_up(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    await city.decide(application, "award", {"amount_pence": 5_000_00})
    lower = await city.call("staff ann", "PUT", "/v1/rounds/winter", {**ROUND, "budget_pence": 9_000_00, "why": "x"})
    assert (lower.status_code, rules(lower)) == (409, [("round_id", "illegal-move")])
    given = {"amount_pence": 500_00, "funder": {"id": "GB-CHC-299963", "name": "A funder"}}
    assert (await city.call("staff ann", "POST", "/v1/rounds/winter/top-ups", given)).status_code == 200
    shown = await view(city)
    assert (shown["budget_pence"], shown["awarded_pence"], shown["remaining_pence"]) == (10_500_00, 5_000_00, 5_500_00)


async def test_a_round_without_its_fund_is_refused(city: City) -> None:
    refused = await city.call("staff ann", "PUT", "/v1/rounds/winter", ROUND)
    assert (refused.status_code, rules(refused)) == (422, [("fund_id", "unknown-fund")])


async def test_the_same_application_sent_again_is_done_once_and_answered_the_same(city: City) -> None:
    await city.open_round()
    first = await city.apply(key="a1")
    city.stage.clock.at = datetime(2027, 1, 1, tzinfo=UTC)
    again = await city.apply(key="a1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (
        again.headers["Location"] == first.headers["Location"] == f"/v1/applications/{first.json()['application_id']}"
    )
    assert len((await view(city))["applications"]) == 1
    assert (await city.facts()).count("ApplicationSubmitted") == 1


async def test_the_same_application_sent_at_the_same_moment_is_done_once(city: City) -> None:
    await city.open_round()
    answers = await asyncio.gather(*(city.apply(key="a1") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["application_id"] for answer in answers}) == 1
    assert len((await view(city))["applications"]) == 1


async def test_another_application_under_the_same_key_is_refused(city: City) -> None:
    await city.open_round()
    await city.apply(key="a1")
    other = await city.apply(key="a1", amount_pence=1_000_00)
    assert (other.status_code, rules(other)) == (409, [("id", "same-id-other-body")])


async def test_two_organisations_may_use_the_same_key(city: City) -> None:
    await city.open_round()
    both = [await city.apply(key="1"), await city.apply("armley-group", key="1")]
    assert [answer.status_code for answer in both] == [201, 201]


async def test_a_refused_application_may_be_mended_under_the_same_key(city: City) -> None:
    await city.open_round()
    assert (await city.apply(key="a1", amount_pence=7_000_00)).status_code == 422
    assert (await city.apply(key="a1", amount_pence=6_000_00)).status_code == 201


WRONG_APPLICATIONS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"amount_pence": 6_000_01}, ("amount_pence", "over-maximum")),
    ({"amount_pence": 99_99}, ("amount_pence", "under-minimum")),
    ({"round_id": "spring"}, ("round_id", "unknown-round")),
    ({"amount_pence": 0}, ("amount_pence", "greater-than")),
    ({"amount_pence": True}, ("amount_pence", "int-type")),
    ({"amount_pence": "500000"}, ("amount_pence", "int-type")),
    ({"kinds": []}, ("kinds", "too-short")),
    ({"kinds": ["money"]}, ("kinds.0", "literal-error")),
    ({"wards": ["Armley"]}, ("wards.0", "string-pattern-mismatch")),
    ({"wards": ["E05011400"] * 201}, ("wards", "too-long")),
    ({"title": "x" * 201}, ("title", "string-too-long")),
    ({"title": "a\x00b"}, ("title", "string-pattern-mismatch")),
    ({"colour": "red"}, ("(unknown field)", "unknown-field")),
    ({"organisation": {"id": "GB-CHC-12", "name": "x"}}, ("organisation.id", "organisation-id")),
    ({"organisation": {"id": "GB-CHC-1151621", "name": "x"}}, ("organisation.id", "not-your-organisation")),
    ({"organisation": {"id": "GB-CHC-1110522"}}, ("organisation.name", "missing")),
]


async def test_a_wrong_application_is_refused_by_field_and_rule_and_changes_nothing(city: City) -> None:
    await city.open_round()
    for changed, refused in WRONG_APPLICATIONS:
        response = await city.apply(**changed)
        assert (response.status_code, rules(response)) == (422, [refused]), changed
    assert (await view(city))["applications"] == []
    assert "ApplicationSubmitted" not in await city.facts()


async def test_a_late_application_is_refused_with_the_time_used(city: City) -> None:
    await city.open_round()
    city.stage.clock.at = datetime(2026, 12, 1, 12, 0, 3, tzinfo=UTC)
    late = await city.apply()
    assert (late.status_code, rules(late)) == (422, [("round_id", "closed")])
    assert "12:00:03 on 1 December 2026 (Europe/London)" in late.json()["errors"][0]["message"]


async def test_an_application_before_the_opening_is_refused(city: City) -> None:
    await city.open_round(opens_at="2026-11-25T09:00:00Z")
    assert rules(await city.apply()) == [("round_id", "not-open-yet")]


async def test_text_that_is_no_json_is_refused(city: City) -> None:
    headers = {"Authorization": f"Bearer {city.key_of('applicant GB-CHC-1110522')}"}
    response = await city.http.post("/v1/applications", content=b"{", headers=headers)
    assert response.status_code == 400
    response = await city.http.post("/v1/applications", content=b" " * 200_000, headers=headers)
    assert response.status_code == 413


async def test_an_applicant_cannot_speak_in_anothers_name(city: City) -> None:
    """What the key says is stronger than what the body says."""
    await city.open_round()
    response = await city.apply(
        applicant="GB-CHC-1151621", organisation={"id": "GB-CHC-1151621", "name": "Somebody else"}
    )
    assert rules(response) == [("organisation.id", "not-your-organisation")]


async def test_an_organisation_may_write_its_own_id_in_any_way(city: City) -> None:
    await city.open_round()
    response = await city.apply(organisation={"id": " gb-chc-GB-CHC-111O522 ", "name": "Armley Helping Hands"})
    assert response.json()["organisation_id"] == "GB-CHC-1110522"
    shown = (await view(city))["applications"][0]
    assert (shown["organisation_id"], shown["organisation_original"]) == ("GB-CHC-1110522", "gb-chc-GB-CHC-111O522")


async def test_everyone_sees_only_their_own_application_and_staff_see_all(city: City) -> None:
    await city.open_round()
    path = (await city.apply()).headers["Location"]
    seen = {
        who: (await city.call(who, "GET", path)).status_code
        for who in (
            "applicant GB-CHC-1110522",
            "applicant 1110522",
            "applicant GB-CHC-1151621",
            "staff ann",
            "partner gp",
        )
    }
    assert list(seen.values()) == [200, 200, 404, 200, 403]
    assert (await city.call("staff ann", "GET", f"/v1/applications/{uuid4()}")).status_code == 404


async def test_only_staff_run_rounds_and_decide(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    for method, path, body in [
        ("PUT", "/v1/funds/digital", {"name": "Mine"}),
        ("PUT", "/v1/rounds/winter", ROUND),
        ("GET", "/v1/rounds/winter", None),
        ("POST", f"/v1/applications/{application}/award", {"amount_pence": 1}),
        ("POST", f"/v1/applications/{application}/decline", {"reason": "no"}),
    ]:
        assert (await city.call("applicant GB-CHC-1110522", method, path, body)).status_code == 403
        assert (await city.http.request(method, path, json=body)).status_code == 401
    assert (await city.call("staff ann", "POST", "/v1/applications", {})).status_code == 403


async def test_what_is_not_there_is_not_found(city: City) -> None:
    assert (await city.call("staff ann", "GET", "/v1/rounds/winter")).status_code == 404
    for decision, body in (("award", {"amount_pence": 1}), ("decline", {"reason": "no"})):
        assert (await city.decide(str(uuid4()), decision, {**body})).status_code == 404


async def test_an_award_over_the_budget_is_refused_and_changes_nothing(city: City) -> None:
    await city.open_round()
    first, second = [
        (await city.apply(each, amount_pence=6_000_00)).json()["application_id"] for each in ("GB-CHC-1110522", "group")
    ]
    await city.close()
    await city.decide(first, "award", {"amount_pence": 6_000_00})
    before = await view(city)
    refused = await city.decide(second, "award", {"amount_pence": 4_000_01})
    assert (refused.status_code, rules(refused)) == (409, [("amount_pence", "over-budget")])
    assert "£4,000 of this round's budget is left." in refused.text
    assert await view(city) == before
    assert (await city.facts()).count("GrantAwarded") == 1
    assert (await city.decide(second, "award", {"amount_pence": 4_000_00})).status_code == 200


async def test_a_decision_is_made_once(city: City) -> None:
    await city.open_round()
    bodies: dict[str, dict[str, object]] = {
        "award": {"amount_pence": 1_000_00},
        "decline": {"reason": "outside-budget"},
    }
    ids = [(await city.apply(f"group-{n}")).json()["application_id"] for n in range(4)]
    await city.close()
    for application, (first, then) in zip(ids, product(bodies, bodies), strict=True):
        assert (await city.decide(application, first, bodies[first])).status_code == 200
        before = await view(city)
        again = await city.decide(application, then, bodies[then])
        assert (again.status_code, rules(again)) == (409, [("application_id", "illegal-move")])
        assert await view(city) == before


async def test_an_award_sent_again_under_its_key_is_answered_the_same(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    first, again = [await city.decide(application, "award", {"amount_pence": 1_000_00}, key="w1") for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert (await view(city))["awarded_pence"] == 1_000_00


async def test_who_decided_is_kept(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    await city.decide(application, "award", {"amount_pence": 1_000_00, "by": "somebody-else"})
    assert await city.stage.rows("select decided_by from application") == [{"decided_by": "ann"}]


WRONG_ROUNDS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"budget_pence": 0}, ("budget_pence", "greater-than")),
    ({"closes_at": "2026-12-01T12:00:00"}, ("closes_at", "timezone-aware")),
    ({"closes_at": "9999-12-31T23:59:59-10:00"}, ("closes_at", "less-than")),
    ({"opens_at": "0001-01-01T00:00:00+10:00"}, ("opens_at", "greater-than-equal")),
    ({"minimum_pence": 6_000_01}, ("minimum_pence", "minimum-above-maximum")),
    ({"closes_at": "2026-11-01T09:00:00Z"}, ("closes_at", "closes-before-it-opens")),
]


async def test_a_wrong_round_is_refused_by_field_and_rule(city: City) -> None:
    await city.call("staff ann", "PUT", "/v1/funds/digital", {"name": "Digital fund"})
    for changed, refused in WRONG_ROUNDS:
        response = await city.call("staff ann", "PUT", "/v1/rounds/winter", {**ROUND, **changed})
        assert (response.status_code, rules(response)) == (422, [refused]), changed
    assert await city.facts() == ["FundOpened"]
