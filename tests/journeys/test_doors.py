"""Wrong input at both doors: it is answered where the sender listens, and the next good message goes through."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from aiokafka.errors import MessageSizeTooLargeError

from chassis.jwe import new_key, public_part, seal
from chassis.service import act
from deploy.keys import add_key, new_api_key
from deploy.partners import add_partner
from services.referrals.service import build
from tests.deployment import Deployment
from tests.journeys.partners import a_body, answer, headers, outbox, post, write
from tests.referrals.builders import PERSON
from tests.support import eventually

OTHER_KEY = public_part(new_key("another"))

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no agreement": ({"agreement": ...}, "agreement", "missing"),
    "wrong type": ({"needs": "a tablet"}, "needs", "list-type"),
    "unknown field": ({"urgency": "very"}, "(unknown field)", "unknown-field"),
    "unknown ward": ({"ward": "E05000001"}, "ward", "unknown-ward"),
    "sealed for another key": (
        {"person_jwe": seal(json.dumps(PERSON).encode(), OTHER_KEY)},
        "person_jwe",
        "other-key",
    ),
    "a reference that could hold a name": ({"reference": "Jane Marker"}, "reference", "string-pattern-mismatch"),
}


def wrong_body(credentials: dict[str, Any], name: str) -> tuple[dict[str, Any], str, str]:
    changes, field, rule = WRONG[name]
    return a_body(credentials, **changes), field, rule


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_referral_is_refused_by_kafka_with_field_rule_and_mend(deployment: Deployment, name: str) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    body, field, rule = wrong_body(partner, name)
    await write(partner, (json.dumps(body).encode(), headers(submission)))
    told = await answer(partner, submission)
    assert (told["type"], told["errors"][0]["field"], told["errors"][0]["rule"]) == ("MessageRefused", field, rule)
    assert told["errors"][0]["mend"]
    assert "Marker" not in json.dumps(told)


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_referral_is_refused_by_http_with_the_same_words(deployment: Deployment, name: str) -> None:
    partner = deployment.partners["food-bank"]
    body, field, rule = wrong_body(partner, name)
    response = await post(partner, f"{deployment.url('referrals')}/v1/referrals", body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["errors"][0]["field"], problem["errors"][0]["rule"]) == (field, rule)
    assert "Marker" not in response.text


async def test_a_person_without_safe_contact_is_refused(deployment: Deployment) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    person = {name: value for name, value in PERSON.items() if name != "safe_contact"}
    await write(partner, (json.dumps(a_body(partner, person)).encode(), headers(submission)))
    told = await answer(partner, submission)
    assert told["errors"][0]["field"] == "person.safe_contact"


async def test_a_person_in_clear_is_refused_on_kafka_and_welcome_over_http(deployment: Deployment) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    body = {**a_body(partner, person_jwe=...), "person": PERSON}
    await write(partner, (json.dumps(body).encode(), headers(submission)))
    assert (await answer(partner, submission))["errors"][0]["rule"] == "person-in-clear"
    response = await post(partner, f"{deployment.url('referrals')}/v1/referrals", body)
    assert response.status_code == 202


async def test_records_that_are_no_message_are_refused_and_the_next_good_one_is_accepted(
    deployment: Deployment,
) -> None:
    partner, good = deployment.partners["gp-armley"], uuid4().hex
    before = len(await outbox(partner))
    await write(
        partner,
        (b"{not json", headers(uuid4().hex)),
        (b"[]", headers(uuid4().hex)),
        (None, headers(uuid4().hex)),
        (b"{}", []),
        (b"{}", [("ce_type", b"\xff\xfe"), ("ce_id", b"\xff")]),
        (b"{}", headers(uuid4().hex, "furthest.partner.Nonsense.v1")),
        (b"{}", headers("Jane Marker")),
        (json.dumps(a_body(partner)).encode(), headers(good)),
    )
    assert (await answer(partner, good))["type"] == "ReferralAcknowledged"
    told = (await outbox(partner))[before:]
    assert [each["type"] for each in told].count("MessageRefused") == 7
    assert "Marker" not in json.dumps(told)


async def test_a_message_too_large_is_refused_by_the_door_itself(deployment: Deployment) -> None:
    partner = deployment.partners["gp-armley"]
    large = json.dumps({"notes": "x" * 2_000_000}).encode()
    with pytest.raises(MessageSizeTooLargeError):
        await write(partner, (large, headers(uuid4().hex)), max_request_size=4_000_000)
    with pytest.raises(MessageSizeTooLargeError):
        await write(partner, (large, headers(uuid4().hex)), compression_type="gzip", max_request_size=4_000_000)
    response = await post(partner, f"{deployment.url('referrals')}/v1/referrals", large)
    assert response.status_code == 413


async def test_a_small_compressed_message_is_read(deployment: Deployment) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    await write(partner, (json.dumps(a_body(partner)).encode(), headers(submission)), compression_type="gzip")
    assert (await answer(partner, submission))["type"] == "ReferralAcknowledged"


async def test_the_source_is_the_topic_whatever_the_message_says(deployment: Deployment) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    await write(partner, (json.dumps(a_body(partner)).encode(), headers(submission, source=b"/partners/food-bank")))
    told = await answer(partner, submission)
    url = f"{deployment.url('referrals')}/v1/referrals/{told['referral_id']}"
    neighbour = deployment.partners["food-bank"]
    assert (await get(neighbour, url)) == 404
    assert (await get(partner, url)) == 200


async def get(credentials: dict[str, Any], url: str) -> int:
    async with httpx2.AsyncClient(timeout=60) as client:
        seen = await client.get(url, headers={"Authorization": f"Bearer {credentials['api_key']}"})
    return seen.status_code


async def test_the_same_id_is_one_referral_at_both_doors_and_another_body_is_refused(deployment: Deployment) -> None:
    partner, submission = deployment.partners["gp-armley"], uuid4().hex
    url = f"{deployment.url('referrals')}/v1/referrals"
    body = a_body(partner)
    first = await post(partner, url, body, submission)
    sealed_again = a_body(partner)
    await write(partner, (json.dumps(sealed_again).encode(), headers(submission)))
    told = await answer(partner, submission)
    assert told["referral_id"] == first.json()["referral_id"]
    clash = await post(partner, url, a_body(partner, reference="GP-7"), submission)
    assert (clash.status_code, clash.json()["errors"][0]["rule"]) == (409, "same-id-other-body")


@pytest.mark.parametrize("key", ["", "ff_wrong", "Jane Marker"])
async def test_a_wrong_key_opens_nothing(deployment: Deployment, key: str) -> None:
    partner = deployment.partners["food-bank"]
    response = await post(partner, f"{deployment.url('referrals')}/v1/referrals", a_body(partner), key=key or "none")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_withdrawal_wins_and_the_partner_hears_that_the_need_ended(deployment: Deployment) -> None:
    partner = deployment.partners["food-bank"]
    url = f"{deployment.url('referrals')}/v1/referrals"
    accepted = (await post(partner, url, a_body(partner))).json()
    gone = await post(partner, f"{url}/{accepted['referral_id']}/withdrawal", {"reason": "no-longer-needed"})
    assert gone.status_code == 202

    async def told() -> list[str]:
        mine = accepted["referral_id"]
        return [m["status"] for m in await outbox(partner) if m.get("referral_id") == mine and "status" in m]

    assert (await eventually(told, lambda seen: "cancelled" in seen))[-1] == "cancelled"


async def test_an_expired_key_opens_nothing(deployment: Deployment) -> None:
    partner, expired = deployment.partners["food-bank"], new_api_key()
    settings = deployment.stack.site.settings("referrals")
    a_year_ago = datetime.now(UTC) - timedelta(days=366)
    await act(build(settings), settings, add_key(expired, "partner", "food-bank", a_year_ago))
    response = await post(partner, f"{deployment.url('referrals')}/v1/referrals", a_body(partner), key=expired)
    assert response.status_code == 401


async def test_a_new_partner_is_heard_at_once(deployment: Deployment) -> None:
    name = f"new-{uuid4().hex[:8]}"
    partner = await asyncio.to_thread(add_partner, deployment.stack.site, name)
    submission = uuid4().hex
    await write(partner, (json.dumps(a_body(partner)).encode(), headers(submission)))
    assert (await answer(partner, submission))["type"] == "ReferralAcknowledged"
