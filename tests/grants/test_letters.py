"""Where applicants are written to, and what notifications is told of their applications when it writes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chassis.door import Door
from chassis.http import build_internal_app
from chassis.service import Running
from chassis.tokens import Tokens
from contracts.applicants import ApplicantContacts
from services.grants.domain.letters import withheld
from tests.grants.conftest import City
from tests.grants.test_http import rules
from tests.support import NOON, TOKEN_KEY

MAIL = "tea@armley.example"
MAIL_DOOR = "/v1/applicant/mail"
US = "applicant GB-CHC-1110522"
CRITERIA = {"criteria": [{"code": "need", "title": "Meets a need", "weight": 1, "most": 10}]}


@dataclass(slots=True)
class Letters:
    """The door that notifications uses."""

    city: City
    http: httpx2.AsyncClient

    async def ask(self, *lookups: dict[str, Any], token: str | None = None) -> httpx2.Response:
        at: datetime = self.city.stage.clock()
        token = token or Tokens(TOKEN_KEY).make("notifications", "grants", at)
        return await self.http.post(
            "/v1/applicant-contacts", json={"lookups": lookups}, headers={"Authorization": f"Bearer {token}"}
        )

    async def of(self, application: str, about: str, **more: Any) -> Any:
        answer = await self.ask({"application_id": application, "about": about, **more})
        assert answer.status_code == 200, answer.text
        return ApplicantContacts.model_validate_json(answer.content).contacts[0]


@pytest_asyncio.fixture
async def letters(city: City) -> AsyncIterator[Letters]:
    put = city.stage
    assert put.service.internal
    app = build_internal_app(
        put.service.internal(Running("grants", put.database, put.worker, Door(put.worker, put.clock), put.clock))
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://grants") as http:
        yield Letters(city, http)


def test_nobody_is_told_what_was_overtaken() -> None:
    day = date(2027, 3, 31)
    assert withheld("reserved", "awarded", None, ()) == "overtaken"
    assert withheld("awarded", "withdrawn", None, ()) == "overtaken"
    assert withheld("report-due", "awarded", day, ()) == "overtaken"
    assert withheld("report-due", "awarded", day, [day]) is None
    assert withheld("paid", "withdrawn", None, ()) is None


@pytest.mark.servers
async def test_a_decision_is_told_with_its_feedback_and_the_words_of_the_approver(letters: Letters) -> None:
    city = letters.city
    await city.open_round(rules=CRITERIA)
    application = (await city.apply(email=MAIL)).json()["application_id"]
    await city.close(to="assessing")
    for name in ("bea", "cat"):
        await city.call("staff ann", "PUT", f"/v1/assessors/{name}", {})
    await city.call("staff ann", "POST", "/v1/rounds/winter/assignment")
    for name, points in (("bea", 4), ("cat", 5)):
        body = {"scores": {"need": points}, "comment": "Ask Mrs Marked about it."}
        await city.call(f"assessor {name}", "POST", f"/v1/applications/{application}/scores", body)
    await city.call("staff ann", "POST", "/v1/rounds/winter/stage", {"to": "deciding"})
    advice = "Say how you will reach people who do not come to you."
    await city.decide(application, "decline", {"reason": "outside-budget", "advice": advice})
    contact = await letters.of(application, "declined")
    assert contact.email.get_secret_value() == MAIL
    told = contact.standing
    assert (told.decline_reason, told.advice, told.fund) == ("outside-budget", advice, "Digital fund")
    assert [(mark.criterion, mark.points, mark.most) for mark in told.marks] == [("Meets a need", 450, 10)]
    assert "Marked" not in contact.model_dump_json()
    shown = (await city.call(US, "GET", f"/v1/applications/{application}")).json()
    assert (shown["advice"], shown["feedback"][0]["points"]) == (advice, 450)
    said = await city.stage.rows("select convert_from(value, 'UTF8') as said from outbox")
    assert not [row for row in said if MAIL in row["said"] or advice in row["said"]]


@pytest.mark.servers
async def test_an_award_is_told_with_its_schedule_and_reports(letters: Letters) -> None:
    city = letters.city
    await city.open_round()
    application = (await city.apply(email=MAIL)).json()["application_id"]
    await city.close()
    schedule = [
        {"due_on": "2026-12-10", "amount_pence": 3_000_00},
        {"due_on": "2027-03-01", "amount_pence": 1_000_00, "evidence": "Receipts"},
    ]
    promised = {"amount_pence": 4_000_00, "schedule": schedule, "reports_due": ["2027-03-31"]}
    await city.decide(application, "award", promised)
    told = (await letters.of(application, "awarded")).standing
    assert (told.awarded_pence, told.asked_pence) == (4_000_00, 5_000_00)
    assert [(each.pence, each.evidence) for each in told.schedule] == [(3_000_00, None), (1_000_00, "Receipts")]
    assert told.reports_due == (date(2027, 3, 31),)
    assert (await letters.of(application, "declined")).withheld == "overtaken"
    assert (await letters.of(application, "report-due", day="2027-03-31")).withheld is None
    assert (await letters.of(application, "report-due", day="2027-04-01")).withheld == "overtaken"


@pytest.mark.servers
async def test_what_staff_ask_for_is_told_in_their_words(letters: Letters) -> None:
    city = letters.city
    await city.open_round()
    application = (await city.apply(email=MAIL)).json()["application_id"]
    until = NOON + timedelta(days=2)
    body = {"what": "Say where.", "until": until.isoformat()}
    await city.call("staff ann", "POST", f"/v1/applications/{application}/changes", body)
    told = (await letters.of(application, "changes")).standing
    assert (told.changes, told.until) == ("Say where.", until)


@pytest.mark.servers
async def test_an_organisation_says_where_it_is_written_to_and_may_take_it_back(letters: Letters) -> None:
    city = letters.city
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    assert (await letters.of(application, "received")).email is None
    assert (await city.call(US, "PUT", MAIL_DOOR, {"email": MAIL})).status_code == 204
    assert (await letters.of(application, "received")).email.get_secret_value() == MAIL
    assert rules(await city.call(US, "PUT", MAIL_DOOR, {"email": "nobody"})) == [("email", "string-pattern-mismatch")]
    assert (await city.call(US, "GET", MAIL_DOOR)).json() == {"email": MAIL}
    assert (await city.call("applicant group", "GET", MAIL_DOOR)).json() == {"email": None}
    assert (await city.call("applicant group", "PUT", MAIL_DOOR, {"email": None})).status_code == 204
    assert (await letters.of(application, "received")).email is not None
    assert (await city.call(US, "PUT", MAIL_DOOR, {"email": None})).status_code == 204
    assert (await letters.of(application, "received")).email is None


@pytest.mark.servers
async def test_an_address_is_kept_apart_from_the_application_and_shown_to_nobody(letters: Letters) -> None:
    city = letters.city
    await city.open_round()
    mine = "0199aaaa-0000-7000-8000-000000000001"
    body = {"round_id": "winter", "title": "x", "amount_pence": 5_000_00, "kinds": ["device"], "email": MAIL}
    body["organisation"] = {"id": "GB-CHC-1110522", "name": "Armley Helping Hands"}
    assert (await city.call(US, "PUT", f"/v1/applications/{mine}", body)).status_code == 200
    assert (await city.call(US, "POST", f"/v1/applications/{mine}/submission")).status_code == 200
    assert (await letters.of(mine, "received")).email.get_secret_value() == MAIL
    for who in (US, "staff ann"):
        assert MAIL not in (await city.call(who, "GET", f"/v1/applications/{mine}")).text
    assert not await city.stage.rows("select 1 from application where body::text like '%tea@armley%'")


@pytest.mark.servers
async def test_only_other_services_ask_and_what_is_unknown_is_withheld(letters: Letters) -> None:
    unknown = {"application_id": "0199aaaa-0000-7000-8000-000000000009", "about": "awarded"}
    at = letters.city.stage.clock()
    assert (
        await letters.ask(unknown, token=Tokens(TOKEN_KEY).make("notifications", "referrals", at))
    ).status_code == 401
    assert (await letters.ask({**unknown, "about": "a-secret"})).status_code == 422
    assert (await letters.of(unknown["application_id"], "awarded")).withheld == "not-known"
