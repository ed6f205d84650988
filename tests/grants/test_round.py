"""A round as organisations, assessors, approvers and staff run it over HTTP."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.grants import GrantReportDue
from services.grants.events_out import ReportReminder
from tests.grants.conftest import City
from tests.grants.test_http import rules
from tests.support import said

pytestmark = pytest.mark.servers

CRITERIA = {"criteria": [{"code": "need", "title": "Meets a need", "weight": 1, "most": 10}]}
CLOSES = datetime(2026, 12, 1, 12, tzinfo=UTC)
ANN = "staff ann"
US = "applicant GB-CHC-1110522"
DRAFT: dict[str, Any] = {
    "round_id": "winter",
    "title": "Tablets for Armley",
    "amount_pence": 5_000_00,
    "kinds": ["device"],
    "organisation": {"id": "GB-CHC-1110522", "name": "Armley Helping Hands"},
}


async def draft(city: City, application: str, /, **changed: Any) -> int:
    return (await city.call(US, "PUT", f"/v1/applications/{application}", {**DRAFT, **changed})).status_code


async def status(city: City, application: str) -> str:
    found: str = (await city.call(ANN, "GET", f"/v1/applications/{application}")).json()["status"]
    return found


async def test_a_draft_is_kept_checked_and_submitted(city: City) -> None:
    await city.open_round(rules={"questions": [{"code": "leeds", "text": "In Leeds?", "must": "yes"}]})
    mine = str(uuid4())
    path = f"/v1/applications/{mine}"
    assert await draft(city, mine, title=None, amount_pence=None, answers={"leeds": "no"}) == 200
    reasons = (await city.call(US, "GET", f"{path}/check")).json()["reasons"]
    assert [(each["field"], each["rule"]) for each in reasons] == [("title", "missing"), ("amount_pence", "missing")]
    assert await draft(city, mine, answers={"leeds": "no"}) == 200
    reasons = (await city.call(US, "GET", f"{path}/check")).json()["reasons"]
    assert [(each["field"], each["rule"]) for each in reasons] == [("answers.leeds", "not-eligible")]
    refused = await city.call(US, "POST", f"{path}/submission")
    assert rules(refused) == [("answers.leeds", "not-eligible")]
    assert await draft(city, mine, answers={"leeds": "yes"}) == 200
    assert (await city.call(US, "GET", f"{path}/check")).json() == {"may_be_submitted": True, "reasons": []}
    submitted = await city.call(US, "POST", f"{path}/submission")
    assert submitted.json()["application_id"] == mine
    assert rules(await city.call(US, "POST", f"{path}/submission")) == [("application_id", "illegal-move")]
    assert await draft(city, mine) == 409
    shown = (await city.call(US, "GET", path)).json()
    assert (shown["status"], shown["asked"]["answers"]) == ("submitted", {"leeds": "yes"})


async def test_a_draft_is_its_organisations_own(city: City) -> None:
    await city.open_round()
    mine = str(uuid4())
    await draft(city, mine)
    other = "applicant GB-CHC-1151621"
    body = {**DRAFT, "organisation": {"id": "GB-CHC-1151621", "name": "Another"}}
    path = f"/v1/applications/{mine}"
    for method, where, sent in [
        ("GET", path, None),
        ("GET", f"{path}/check", None),
        ("PUT", path, body),
        ("POST", f"{path}/submission", None),
        ("POST", f"{path}/withdrawal", {"reason": "x"}),
    ]:
        assert (await city.call(other, method, where, sent)).status_code == 404, where
    assert [each["status"] for each in (await city.call(US, "GET", "/v1/applications")).json()] == ["draft"]
    assert (await city.call(other, "GET", "/v1/applications")).json() == []


async def test_staff_find_an_application_by_the_end_of_its_id(city: City) -> None:
    await city.open_round()
    mine, theirs = [(await city.apply(each)).json()["application_id"] for each in ("GB-CHC-1110522", "knitters")]

    async def found(who: str, query: str = "") -> list[str]:
        return [each["application_id"] for each in (await city.call(who, "GET", f"/v1/applications{query}")).json()]

    assert await found(ANN, f"?ends_with={theirs[-8:]}") == [theirs]
    assert sorted(await found(ANN)) == sorted([mine, theirs])
    assert await found(US, f"?ends_with={theirs[-8:]}") == []
    assert (await city.call(ANN, "GET", "/v1/applications?ends_with=%25")).status_code == 422


async def test_the_grace_is_for_drafts_begun_before_the_close(city: City) -> None:
    await city.open_round(rules={"grace_minutes": 10})
    mine = str(uuid4())
    await draft(city, mine)
    city.stage.clock.at = CLOSES + timedelta(minutes=9, seconds=59)
    assert rules(await city.apply("GB-CHC-1151621")) == [("round_id", "closed")]
    assert (await city.call(US, "POST", f"/v1/applications/{mine}/submission")).status_code == 200


async def test_an_organisation_applies_once_in_a_round(city: City) -> None:
    await city.open_round()
    first = (await city.apply()).json()["application_id"]
    assert rules(await city.apply()) == [("round_id", "twice")]
    assert rules(await city.apply(organisation={"id": "1110522", "name": "x"})) == [("round_id", "twice")]
    withdrawn = await city.call(US, "POST", f"/v1/applications/{first}/withdrawal", {"reason": "mistake"})
    assert withdrawn.json()["released_pence"] == 0
    assert (await city.apply()).status_code == 201


async def test_an_organisation_that_applies_many_times_at_once_applies_once(city: City) -> None:
    await city.open_round()
    answers = await asyncio.gather(*(city.apply(title=f"Nr {n}") for n in range(6)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 5}


async def test_changes_are_asked_for_and_come_after_the_close(city: City) -> None:
    await city.open_round()
    mine = (await city.apply()).json()["application_id"]
    until = (CLOSES + timedelta(days=2)).isoformat()
    asked = await city.call(ANN, "POST", f"/v1/applications/{mine}/changes", {"what": "Say where.", "until": until})
    assert asked.status_code == 200
    city.stage.clock.at = CLOSES + timedelta(days=1)
    held = await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "assessing"})
    assert rules(held) == [("round_id", "changes-awaited")]
    assert await draft(city, mine, title="Tablets for New Wortley") == 200
    assert (await city.call(US, "POST", f"/v1/applications/{mine}/submission")).status_code == 200
    await city.close(to="assessing")
    assert (await city.call(ANN, "GET", f"/v1/applications/{mine}")).json()["title"] == "Tablets for New Wortley"


async def test_what_was_submitted_stands_where_changes_do_not_come(city: City) -> None:
    await city.open_round()
    mine = (await city.apply()).json()["application_id"]
    until = (CLOSES + timedelta(days=2)).isoformat()
    await city.call(ANN, "POST", f"/v1/applications/{mine}/changes", {"what": "Say where.", "until": until})
    city.stage.clock.at = CLOSES + timedelta(days=2)
    assert rules(await city.call(US, "POST", f"/v1/applications/{mine}/submission")) == [("round_id", "closed")]
    await city.close(to="assessing")
    assert await status(city, mine) == "submitted"


async def test_a_burst_of_150_before_the_deadline_is_taken_whole_and_what_is_late_is_not(city: City) -> None:
    await city.open_round()
    city.stage.clock.at = CLOSES - timedelta(microseconds=1)
    in_time = await asyncio.gather(*(city.apply(f"GB-CHC-{1_000_000 + n}", key=f"b{n}") for n in range(150)))
    city.stage.clock.at = CLOSES
    late = await asyncio.gather(*(city.apply(f"GB-CHC-{2_000_000 + n}") for n in range(20)))
    assert {answer.status_code for answer in in_time} == {201}
    assert {answer.json()["errors"][0]["rule"] for answer in late} == {"closed"}
    assert "12:00:00 on 1 December 2026 (Europe/London)" in late[0].text
    shown = (await city.call(ANN, "GET", "/v1/rounds/winter")).json()["applications"]
    assert {each["application_id"] for each in shown} == {answer.json()["application_id"] for answer in in_time}
    assert (await city.facts()).count("ApplicationSubmitted") == 150


async def test_attachments_are_limited_sniffed_and_in_no_event(city: City) -> None:
    await city.open_round()
    mine = str(uuid4())
    await draft(city, mine)
    key = {"Authorization": f"Bearer {city.key_of(US)}"}
    path = f"/v1/applications/{mine}/attachments"

    async def attach(name: str, content: bytes) -> int:
        return (await city.http.put(f"{path}/{name}", content=content, headers=key)).status_code

    assert await attach("accounts.pdf", b"%PDF-1.7 MARK") == 200
    assert await attach("accounts.pdf", b"<html>") == 422
    assert await attach("big.pdf", b"%PDF-" + b" " * 5 * 1024 * 1024) == 413
    for n in range(4):
        assert await attach(f"more-{n}.txt", b"x") == 200
    assert await attach("six.txt", b"x") == 422
    assert await attach("more-1.txt", b"y") == 200
    found = await city.call(US, "GET", f"{path}/accounts.pdf")
    assert (found.content, found.headers["Content-Type"]) == (b"%PDF-1.7 MARK", "application/pdf")
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert (await city.call("applicant GB-CHC-1151621", "GET", f"{path}/accounts.pdf")).status_code == 404
    await city.call(US, "POST", f"/v1/applications/{mine}/submission")
    assert await attach("late.txt", b"x") == 404
    assert len((await city.call(ANN, "GET", f"/v1/applications/{mine}")).json()["attachments"]) == 5
    assert not await city.stage.rows("select 1 from outbox where position(convert_to('MARK', 'UTF8') in value) > 0")


async def name_assessors(city: City, **organisations: str) -> None:
    for assessor, organisation in organisations.items():
        body = {"organisations": [organisation] if organisation else []}
        assert (await city.call(ANN, "PUT", f"/v1/assessors/{assessor}", body)).status_code == 204


async def assigned(city: City, round_id: str = "winter") -> dict[str, list[str]]:
    rows = (await city.call(ANN, "POST", f"/v1/rounds/{round_id}/assignment")).json()
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["application_id"], []).append(row["assessor"])
    return found


async def score(city: City, assessor: str, application: str, points: int) -> Any:
    body = {"scores": {"need": points}, "comment": "Well thought out."}
    return await city.call(f"assessor {assessor}", "POST", f"/v1/applications/{application}/scores", body)


@pytest.mark.invariant(6)
async def test_assessors_get_what_they_have_no_interest_in_and_score_it_unseen(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    ours = (await city.apply()).json()["application_id"]
    hosted = (
        await city.apply("knitters", standing={"host": {"id": "1110522", "name": "Armley Helping Hands"}})
    ).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="GB-CHC-1110522", cat="", dan="", eve="")
    who = await assigned(city)
    assert all(len(those) == 2 and "bea" not in those for those in who.values())
    assert await assigned(city) == who

    refused = await score(city, "bea", hosted, 5)
    assert rules(refused) == [("application_id", "own-organisation")]
    first, second = who[ours]
    assert (await score(city, ({"cat", "dan", "eve"} - set(who[ours])).pop(), ours, 5)).status_code == 404
    assert (await score(city, first, ours, 11)).status_code == 422
    assert (await score(city, first, ours, 8)).status_code == 200
    assert rules(await score(city, first, ours, 9)) == [("application_id", "illegal-move")]
    assert (await city.call(f"assessor {second}", "GET", f"/v1/applications/{ours}/scores")).status_code == 404
    assert await status(city, ours) == "submitted"
    side_by_side = (await score(city, second, ours, 7)).json()
    assert {(each["assessor"], each["points"]) for each in side_by_side} == {(first, 8000), (second, 7000)}
    shown = (await city.call(ANN, "GET", f"/v1/applications/{ours}")).json()
    assert (shown["status"], shown["points"]) == ("assessed", 7500)
    held = await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "deciding"})
    assert rules(held) == [("round_id", "not-assessed")]


async def test_scores_too_far_apart_ask_for_a_third_and_then_for_an_approver(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="", dan="")
    first, second = (await assigned(city))[application]
    await score(city, first, application, 1)
    await score(city, second, application, 5)
    third = ({"bea", "cat", "dan"} - {first, second}).pop()
    queue = (await city.call(f"assessor {third}", "GET", "/v1/assessments")).json()
    assert [each["application_id"] for each in queue] == [application]
    await score(city, third, application, 9)
    assert (await city.call(ANN, "GET", f"/v1/applications/{application}")).json()["needs_moderation"]
    path, body = f"/v1/applications/{application}/moderation", {"points": 60, "why": "Talked it over."}
    assert (await city.call(f"approver {third}", "POST", path, body)).status_code == 422
    moderated = await city.call("approver zoe", "POST", path, body)
    assert (moderated.json()["points"], moderated.json()["is_moderated"]) == (6000, True)
    assert await status(city, application) == "assessed"
    await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "deciding"})
    assert rules(await city.call(f"approver {third}", "POST", f"/v1/applications/{application}/award", {
        "amount_pence": 1
    })) == [("application_id", "own-score")]  # fmt: skip


async def test_scores_come_within_the_days_of_assessing_and_later_an_approver_settles(city: City) -> None:
    await city.open_round(rules={**CRITERIA, "assess_by": "2026-12-10"})
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="")
    await assigned(city)
    city.stage.clock.at = datetime(2026, 12, 10, 23, 59, tzinfo=UTC)
    assert (await score(city, "bea", application, 5)).status_code == 200
    city.stage.clock.forward(timedelta(minutes=1))
    assert rules(await score(city, "cat", application, 5)) == [("application_id", "closed")]
    body = {"points": 50, "why": "One assessor fell ill."}
    path = f"/v1/applications/{application}/moderation"
    assert (await city.call("approver zoe", "POST", path, body)).status_code == 200


async def test_nobody_waits_for_a_round_that_is_cancelled(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    body = {"to": "cancelled", "why": "The funder withdrew."}
    assert (await city.call(ANN, "POST", "/v1/rounds/winter/stage", body)).status_code == 200
    shown = (await city.call(US, "GET", f"/v1/applications/{application}")).json()
    assert (shown["status"], shown["decline_reason"]) == ("declined", "round-cancelled")
    assert (await city.facts())[-1] == "ApplicationDeclined"
    assert rules(await city.apply("group")) == [("round_id", "closed")]


async def test_a_round_is_cancelled_with_its_drafts_and_by_whoever_scored_in_it(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, ann="", bea="")
    await assigned(city)
    await score(city, "ann", application, 5)
    await city.open_round("spring", closes_at="2027-01-01T12:00:00Z")
    await draft(city, mine := str(uuid4()), round_id="spring")
    body = {"to": "cancelled", "why": "The funder withdrew."}
    for round_id in ("winter", "spring"):
        assert (await city.call(ANN, "POST", f"/v1/rounds/{round_id}/stage", body)).status_code == 200
    assert await status(city, application) == "declined"
    assert (await city.call(US, "GET", f"/v1/applications/{mine}")).status_code == 404


async def test_what_was_not_submitted_goes_when_the_round_is_assessed(city: City) -> None:
    await city.open_round()
    mine = str(uuid4())
    await draft(city, mine)
    key = {"Authorization": f"Bearer {city.key_of(US)}"}
    await city.http.put(f"/v1/applications/{mine}/attachments/a.txt", content=b"x", headers=key)
    await city.close(to="assessing")
    assert (await city.call(US, "GET", f"/v1/applications/{mine}")).status_code == 404
    assert await city.stage.rows("select 1 from attachment") == []


async def test_an_organisation_has_at_most_20_drafts(city: City) -> None:
    await city.open_round()
    ids = [str(uuid4()) for _ in range(21)]
    assert [await draft(city, each) for each in ids] == [200] * 20 + [422]
    assert await draft(city, ids[0]) == 200


async def test_whoever_declares_a_conflict_is_replaced(city: City) -> None:
    await city.open_round(rules=CRITERIA)
    application = (await city.apply()).json()["application_id"]
    await city.close(to="assessing")
    await name_assessors(city, bea="", cat="", dan="")
    first, second = (await assigned(city))[application]
    declared = await city.call(
        f"assessor {first}", "POST", f"/v1/applications/{application}/conflict", {"reason": "My neighbour."}
    )
    assert declared.status_code == 204
    third = ({"bea", "cat", "dan"} - {first, second}).pop()
    assert sorted((await assigned(city))[application]) == sorted([second, third])
    again = await city.call(ANN, "POST", f"/v1/applications/{application}/assessors", {"assessor": first})
    assert rules(again) == [("application_id", "declared")]


async def test_a_reserve_moves_up_when_an_award_falls_away(city: City) -> None:
    await city.open_round(budget_pence=10_000_00)
    ids = []
    for n in range(4):
        ids.append((await city.apply(f"GB-CHC-{1_000_000 + n}")).json()["application_id"])
        city.stage.clock.forward(timedelta(seconds=1))
    await city.close()
    first, second, third, fourth = ids
    await city.decide(first, "award", {"amount_pence": 5_000_00, "decided_under": "Delegated decision 14"})
    await city.decide(second, "award", {"amount_pence": 5_000_00})
    for application in (fourth, third):
        assert (await city.decide(application, "reserve", {"amount_pence": 5_000_00})).status_code == 200
    gone = await city.decide(first, "withdrawal", {"reason": "project-stopped"})
    assert gone.json()["released_pence"] == 5_000_00
    assert [await status(city, each) for each in ids] == ["withdrawn", "awarded", "awarded", "reserve"]
    facts = await city.facts()
    assert facts[-2:] == ["ApplicationWithdrawn", "GrantAwarded"]
    lines = (await city.call(ANN, "GET", f"/v1/applications/{third}/history")).json()
    assert [(each["what"], each["by"]) for each in lines] == [
        ("submitted", "GB-CHC-1000002"),
        ("reserved", "ann"),
        ("awarded", "reserve-list"),
    ]


async def test_payments_follow_the_schedule_and_what_is_not_spent_comes_back(city: City) -> None:
    await city.open_round(budget_pence=6_000_00)
    first = (await city.apply()).json()["application_id"]
    second = (await city.apply("group")).json()["application_id"]
    await city.close()
    schedule = [
        {"due_on": "2026-12-10", "amount_pence": 3_000_00},
        {"due_on": "2027-03-01", "amount_pence": 1_000_00, "evidence": "Receipts"},
    ]
    wrong = await city.decide(first, "award", {"amount_pence": 5_000_00, "schedule": schedule})
    assert rules(wrong) == [("schedule", "not-the-award")]
    await city.decide(first, "award", {"amount_pence": 4_000_00, "schedule": schedule})
    await city.decide(second, "reserve", {"amount_pence": 2_500_00})

    async def pay(instalment: int, pence: int, **more: str) -> Any:
        return await city.decide(first, "payments", {"instalment": instalment, "amount_pence": pence, **more})

    assert rules(await pay(1, 3_000_01)) == [("amount_pence", "over-award")]
    assert (await pay(1, 3_000_00)).json()["paid_pence"] == 3_000_00
    assert rules(await pay(2, 1_000_00)) == [("evidence", "missing")]
    assert (await pay(2, 1_000_00, evidence="Receipts of 1 March")).status_code == 200
    assert (await pay(3, 1)).status_code == 404
    assert rules(await city.decide(first, "withdrawal", {"reason": "x"})) == [("application_id", "illegal-move")]
    back = await city.decide(first, "returns", {"amount_pence": 500_00, "why": "Tablets were cheaper."})
    assert back.json()["awarded_pence"] == 3_500_00
    assert await status(city, second) == "awarded"
    shown = (await city.call(US, "GET", f"/v1/applications/{first}")).json()
    assert [each["pence"] for each in shown["payments"]] == [3_000_00, 1_000_00, -500_00]
    assert (shown["awarded_pence"], shown["paid_pence"]) == (3_500_00, 3_500_00)


async def test_a_report_is_asked_for_reminded_of_and_comes_once(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    due = date(2027, 3, 31)
    await city.decide(application, "award", {"amount_pence": 5_000_00, "reports_due": [str(due)]})
    rows = await city.stage.rows("select due_at from due order by due_at")
    assert [row["due_at"].date() for row in rows] == [date(2027, 3, 17), date(2027, 4, 1)]
    reminder = ReportReminder(application_id=UUID(application), due_on=due, is_overdue=False)
    assert said(await city.stage.result(reminder), GrantReportDue)[0].due_on == due

    async def report(**changed: Any) -> Any:
        body = {"due_on": str(due), "spent_pence": 0, "people_helped": 12, "account": "Twelve came.", **changed}
        return await city.call(US, "POST", f"/v1/applications/{application}/reports", body)

    assert rules(await report(spent_pence=1)) == [("spent_pence", "over-paid")]
    assert (await report(due_on="2027-04-01")).status_code == 404
    assert (await report()).status_code == 200
    assert rules(await report()) == [("due_on", "illegal-move")]
    assert said(await city.stage.result(reminder), GrantReportDue) == []


async def test_minimal_financial_assistance_has_a_limit(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    subsidy = {"basis": "minimal-financial-assistance", "received_pence": 314_000_00}
    over = await city.decide(application, "award", {"amount_pence": 1_000_01, "subsidy": subsidy})
    assert rules(over) == [("subsidy", "over-subsidy-limit")]
    assert (await city.decide(application, "award", {"amount_pence": 1_000_00, "subsidy": subsidy})).status_code == 200


async def test_nothing_is_awarded_while_the_round_is_open(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    assert rules(await city.decide(application, "award", {"amount_pence": 1_000_00})) == [
        ("application_id", "illegal-move")
    ]


async def test_what_is_amended_while_a_round_is_open_is_in_its_history(city: City) -> None:
    await city.open_round()
    await city.open_round(closes_at="2026-12-02T12:00:00Z", why="The site was down.")
    lines = (await city.call(ANN, "GET", "/v1/rounds/winter/history")).json()
    assert [(each["what"], each["by"], each["why"]) for each in lines] == [
        ("opened", "ann", None),
        ("amended", "ann", "The site was down."),
    ]
    assert list(lines[1]["details"]) == ["closes_at"]


ONLY_ADDED = [
    "delete from history",
    "update history set at = now()",
    "delete from score",
    "update score set at = now()",
    "delete from payment",
    "update payment set at = now()",
    "delete from top_up",
]


@pytest.mark.parametrize("sql", ONLY_ADDED)
async def test_history_scores_and_payments_are_only_added(city: City, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await city.stage.rows(sql)


async def test_a_finished_round_has_nothing_undecided(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    held = await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "finished"})
    assert rules(held) == [("round_id", "not-decided")]
    await city.decide(application, "decline", {"reason": "outside-budget"})
    assert (await city.call(ANN, "POST", "/v1/rounds/winter/stage", {"to": "finished"})).status_code == 200


async def test_the_ranking_draws_the_line_of_the_budget(city: City) -> None:
    await city.open_round()
    for n, pence in enumerate((6_000_00, 4_000_00, 100_00)):
        await city.apply(f"GB-CHC-{1_000_000 + n}", amount_pence=pence)
        city.stage.clock.forward(timedelta(seconds=1))
    await city.close()
    ranked = (await city.call(ANN, "GET", "/v1/rounds/winter/ranking")).json()["ranked"]
    assert [(each["rank"], each["running_pence"], each["is_funded"]) for each in ranked] == [
        (1, 6_000_00, True),
        (2, 10_000_00, True),
        (3, 10_100_00, False),
    ]


async def test_everybody_sees_the_rounds_and_those_who_decide_how_many_applied(city: City) -> None:
    await city.open_round()
    await city.apply()
    for who, number in ((US, None), ("assessor bea", None), (ANN, 1), ("approver zoe", 1)):
        (line,) = (await city.call(who, "GET", "/v1/rounds")).json()
        assert (line["phase"], line["applications"]) == ("open", number)
        assert line["deadline"] == "12:00:00 on 1 December 2026 (Europe/London)"
    assert (await city.call("partner gp", "GET", "/v1/rounds")).status_code == 403


async def test_awards_are_exported_for_everybody_who_publishes(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    assert (await city.call("reader web", "GET", "/v1/awards")).status_code == 404
    await city.close()
    await city.decide(application, "award", {"amount_pence": 4_000_00})
    found = (await city.call("reader web", "GET", "/v1/awards?round_id=winter")).json()
    assert [grant["amountAwarded"] for grant in found["grants"]] == [4000]
    table = await city.call("reader web", "GET", "/v1/awards?format=csv")
    assert table.content.startswith("\ufeffIdentifier,".encode())
    book = await city.call("reader web", "GET", "/v1/awards?format=xlsx")
    assert book.content.startswith(b"PK")
