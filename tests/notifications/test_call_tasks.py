"""The call tasks over HTTP: one of the staff takes a task, and tells how it went."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from contracts.referrals import PartnerRegistered
from tests.notifications.conftest import AMINA, BORIS, PARTNER, World, a_change, as_
from tests.notifications.standins import ADDRESS, a_contact
from tests.support import NOON

TASKS = "/v1/call-tasks"


async def rung(world: World, number: int = 1) -> list[UUID]:
    """The ids of as many open tasks, oldest first."""
    world.referrals.usual = a_contact(channel="phone")
    await world.hear(*[a_change() for _ in range(number)])
    await world.send()
    return [task["id"] for task in await world.tasks()]


async def test_open_tasks_are_listed_page_by_page(world: World, http: httpx2.AsyncClient) -> None:
    tasks = await rung(world, 5)
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(3):
        page = (await http.get(TASKS, params={"limit": 2, **after}, headers=as_(AMINA))).json()
        seen += [task["id"] for task in page["tasks"]]
        after = {"after": page["next"]}
    assert seen == [str(task) for task in tasks]
    assert page["next"] is None


async def test_a_listed_task_holds_codes_and_ids_and_nothing_of_the_person(
    world: World, http: httpx2.AsyncClient
) -> None:
    await rung(world)
    (task,) = (await http.get(TASKS, headers=as_(AMINA))).json()["tasks"]
    assert (task["channel"], task["about"], task["claimed_by"], task["outcome"]) == ("phone", "accepted", None, None)
    assert set(task) == {
        "id",
        "referral_id",
        "need_id",
        "application_id",
        "message_id",
        "audience",
        "channel",
        "about",
        "reason",
        "rung",
        "tries",
        "created_at",
        "not_before",
        "claimed_by",
        "claimed_at",
        "outcome",
        "answer",
        "answer_until",
        "closed_at",
        "asks",
    }


async def test_a_task_is_claimed_by_one_of_the_staff(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    first = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    world.clock.forward(timedelta(minutes=1))
    again = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    assert (first.status_code, first.json()["claimed_by"]) == (200, AMINA)
    told = first.json()["tell"]
    assert (told["address"], told["neutral"], told["voicemail"]) == (ADDRESS, False, False)
    assert "a device for going online" in told["words"]
    assert again.json() == first.json()
    other = await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")


@pytest.mark.parametrize("outcome", ["reached", "wrong-number", "declined"])
async def test_who_claimed_a_task_closes_it(world: World, http: httpx2.AsyncClient, outcome: str) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    closed = await http.post(f"{TASKS}/{task}/outcome", json={"outcome": outcome}, headers=as_(AMINA))
    world.clock.forward(timedelta(minutes=1))
    again = await http.post(f"{TASKS}/{task}/outcome", json={"outcome": outcome}, headers=as_(AMINA))
    assert (closed.status_code, closed.json()["outcome"]) == (200, outcome)
    assert again.json() == closed.json()
    assert (await http.get(TASKS, headers=as_(AMINA))).json() == {"tasks": [], "next": None}
    assert (await world.said()).count("CallCompleted") == 1


async def test_who_does_not_answer_is_rung_once_more_and_not_before(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    no_answer = {"outcome": "no-answer"}
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    told = (await http.post(f"{TASKS}/{task}/outcome", json=no_answer, headers=as_(AMINA))).json()
    assert (told["closed_at"], told["claimed_by"], told["tries"]) == (None, None, 1)
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))).status_code == 409
    world.clock.forward(timedelta(hours=20))
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))).status_code == 200
    told = (await http.post(f"{TASKS}/{task}/outcome", json=no_answer, headers=as_(BORIS))).json()
    assert (told["outcome"], told["tries"]) == ("no-answer", 2)
    assert (await world.rungs()) == [(1, "phone", "failed", "no-answer")]
    await world.send()
    assert await world.said() == ["CallRequested", "CallCompleted", "CallCompleted", "NotificationWithheld"]


@pytest.mark.invariant(5)
async def test_a_rule_that_changed_meanwhile_takes_the_task_away(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    world.referrals.usual = a_contact()
    refused = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    assert refused.status_code == 409
    assert ADDRESS not in refused.text
    assert [row["outcome"] for row in await world.tasks()] == ["superseded"]
    await world.send()
    assert len(world.mail.got) == 1


async def test_a_try_still_counts_when_the_task_is_taken_away_before_the_next(
    world: World, http: httpx2.AsyncClient
) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    await http.post(f"{TASKS}/{task}/outcome", json={"outcome": "no-answer"}, headers=as_(AMINA))
    world.clock.forward(timedelta(hours=20))
    world.referrals.usual = a_contact()
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))).status_code == 409
    assert [(row["outcome"], row["tries"]) for row in await world.tasks()] == [("superseded", 1)]
    assert (await world.said()).count("CallCompleted") == 1


@pytest.mark.invariant(5)
async def test_nobody_is_rung_outside_their_hours(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    world.referrals.usual = a_contact(channel="phone", not_before=(NOON + timedelta(hours=1)).isoformat())
    refused = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    assert refused.status_code == 409
    assert "13:00" in refused.json()["detail"]
    assert [row["closed_at"] for row in await world.tasks()] == [None]


async def test_while_referrals_is_down_no_task_is_taken(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    world.referrals.status = 503
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))).status_code == 503
    assert [row["claimed_by"] for row in await world.tasks()] == [None]


async def test_how_to_reach_somebody_is_not_shown_for_anothers_task(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    asked = len(world.referrals.asked)
    assert ADDRESS not in (await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))).text
    assert len(world.referrals.asked) == asked


async def test_an_outcome_must_be_one_of_the_channel(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    refused = await http.post(f"{TASKS}/{task}/outcome", json={"outcome": "sent"}, headers=as_(AMINA))
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], error["rule"]) == ("outcome", "not-of-channel")
    assert "reached" in error["mend"]


ANSWERS: list[dict[str, Any]] = [
    {"answer": "yes"},
    {"answer": "no"},
    {"answer": "not-now", "until": "2026-12-24"},
]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_the_person_says_to_the_help_is_told_with_the_outcome_and_once(
    world: World, http: httpx2.AsyncClient, answer: dict[str, Any]
) -> None:
    (task,) = await rung(world)
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))).json()["asks"]
    told = {"outcome": "reached", **answer}
    for _ in range(2):
        closed = await http.post(f"{TASKS}/{task}/outcome", json=told, headers=as_(AMINA))
        assert (closed.status_code, closed.json()["answer"]) == (200, answer["answer"])
    other = {"outcome": "reached", "answer": "yes" if answer["answer"] == "no" else "no"}
    assert (await http.post(f"{TASKS}/{task}/outcome", json=other, headers=as_(AMINA))).status_code == 409
    (fact,) = [fact for name, fact in await world.facts() if name == "AnswerTaken"]
    assert (fact["answer"], fact["until"], fact["task_id"]) == (answer["answer"], answer.get("until"), str(task))


@pytest.mark.parametrize(
    ("about", "told", "rule"),
    [
        ("on-hold", {"outcome": "reached", "answer": "yes"}, "nothing-asked"),
        ("completed", {"outcome": "reached", "answer": "no"}, "nothing-asked"),
        ("accepted", {"outcome": "no-answer", "answer": "yes"}, "only-when-reached"),
        ("accepted", {"outcome": "declined", "answer": "no"}, "only-when-reached"),
        ("accepted", {"outcome": "reached", "answer": "not-now"}, "only-with-not-now"),
        ("accepted", {"outcome": "reached", "answer": "yes", "until": "2026-12-24"}, "only-with-not-now"),
        ("accepted", {"outcome": "reached", "until": "2026-12-24"}, "only-with-not-now"),
        ("accepted", {"outcome": "reached", "answer": "not-now", "until": "2026-11-20"}, "not-in-the-coming-year"),
        ("accepted", {"outcome": "reached", "answer": "perhaps"}, "literal-error"),
    ],
)
async def test_an_answer_that_cannot_be_is_refused_and_the_task_stays_open(
    world: World, http: httpx2.AsyncClient, about: Any, told: dict[str, str], rule: str
) -> None:
    world.referrals.usual = a_contact(channel="phone")
    await world.hear(a_change(about))
    await world.send()
    (task,) = await world.tasks()
    claimed = (await http.post(f"{TASKS}/{task['id']}/claim", headers=as_(AMINA))).json()
    assert claimed["asks"] == (about == "accepted")
    refused = await http.post(f"{TASKS}/{task['id']}/outcome", json=told, headers=as_(AMINA))
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, rule)
    assert [(row["outcome"], row["answer"]) for row in await world.tasks()] == [(None, None)]
    assert "AnswerTaken" not in await world.said()


async def test_who_is_reached_in_another_way_by_staff_may_answer_and_a_referrer_may_not(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.referrals.usual = a_contact(decision="withheld", reason="no-channel-left", channel=None)
    await world.hear(PartnerRegistered(partner="gp-armley", name="GP", mail=True))
    await world.hear(a_change())
    await world.send()
    answers = {}
    for task in (await http.get(TASKS, headers=as_(AMINA))).json()["tasks"]:
        await http.post(f"{TASKS}/{task['id']}/claim", headers=as_(AMINA))
        told = {"outcome": "reached", "answer": "no"}
        answer = await http.post(f"{TASKS}/{task['id']}/outcome", json=told, headers=as_(AMINA))
        answers[task["audience"]] = (task["asks"], answer.status_code)
    assert answers == {"person": (True, 200), "referrer": (False, 422)}


async def test_a_task_that_somebody_took_and_left_lying_is_free_again_after_a_day(
    world: World, http: httpx2.AsyncClient
) -> None:
    (task,) = await rung(world)
    path = f"{TASKS}/{task}"
    await http.post(f"{path}/claim", headers=as_(AMINA))
    world.clock.forward(timedelta(hours=23))
    assert (await http.post(f"{path}/claim", headers=as_(BORIS))).status_code == 409
    world.clock.forward(timedelta(hours=1))
    assert (await http.post(f"{path}/claim", headers=as_(BORIS))).json()["claimed_by"] == BORIS
    late = await http.post(f"{path}/outcome", json={"outcome": "reached"}, headers=as_(AMINA))
    assert (late.status_code, late.json()["errors"][0]["rule"]) == (409, "not-claimed")
    assert (await http.post(f"{path}/outcome", json={"outcome": "reached"}, headers=as_(BORIS))).status_code == 200


async def test_the_letter_of_a_claimed_task_is_printed(world: World, http: httpx2.AsyncClient) -> None:
    world.referrals.usual = a_contact(channel="letter", address="Example Person\nLS9 6AB", formats=["large-print"])
    await world.hear(a_change())
    await world.send()
    (task,) = await world.tasks()
    path = f"{TASKS}/{task['id']}"
    assert (await http.get(f"{path}/letter", headers=as_(AMINA))).status_code == 409
    await http.post(f"{path}/claim", headers=as_(AMINA))
    printed = await http.get(f"{path}/letter", headers=as_(AMINA))
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF")
    await http.post(f"{path}/outcome", json={"outcome": "sent"}, headers=as_(AMINA))
    assert [row["state"] for row in await world.messages()] == ["sent"]


async def test_a_letter_that_staff_posted_and_that_came_back_is_tried_the_next_way(
    world: World, http: httpx2.AsyncClient
) -> None:
    by_post = a_contact(channel="letter", address="A\nLS9 6AB")
    world.referrals.usual = {**by_post, "then": [a_contact(channel="phone", address="+447700900123")]}
    await world.hear(a_change())
    await world.send()
    (task,) = await world.tasks()
    path, came_back = f"{TASKS}/{task['id']}", {"outcome": "wrong-number"}
    await http.post(f"{path}/claim", headers=as_(AMINA))
    await http.post(f"{path}/outcome", json={"outcome": "sent"}, headers=as_(AMINA))
    assert (await http.post(f"{path}/outcome", json={"outcome": "reached"}, headers=as_(AMINA))).status_code == 409
    for _ in range(2):
        told = await http.post(f"{path}/outcome", json=came_back, headers=as_(BORIS))
        assert (told.status_code, told.json()["outcome"]) == (200, "wrong-number")
    await world.send()
    assert await world.rungs() == [(1, "letter", "failed", "returned-letter"), (2, "phone", "open", None)]
    assert await world.said() == ["CallRequested", "CallCompleted", "NotificationFailed", "CallRequested"]


async def test_staff_look_after_who_cannot_be_told(world: World, http: httpx2.AsyncClient) -> None:
    world.referrals.usual = a_contact(decision="withheld", reason="safe-contact-lapsed", channel=None)
    await world.hear(a_change())
    await world.send()
    (task,) = (await http.get(TASKS, headers=as_(AMINA))).json()["tasks"]
    assert (task["channel"], task["reason"]) == ("staff", "safe-contact-lapsed")
    claimed = (await http.post(f"{TASKS}/{task['id']}/claim", headers=as_(AMINA))).json()
    assert claimed["tell"] is None
    await http.post(f"{TASKS}/{task['id']}/outcome", json={"outcome": "given-up"}, headers=as_(AMINA))
    assert [row["state"] for row in await world.messages()] == ["unreached"]


async def test_what_the_referrer_is_asked_is_not_for_staff(world: World, http: httpx2.AsyncClient) -> None:
    world.referrals.usual = a_contact(channel="via-referrer", address="gp-armley")
    await world.hear(a_change())
    await world.send()
    (task,) = await world.tasks()
    assert (await http.get(TASKS, headers=as_(AMINA))).json()["tasks"] == []
    assert (await http.post(f"{TASKS}/{task['id']}/claim", headers=as_(AMINA))).status_code == 404


async def test_nobody_else_closes_it_and_nobody_closes_it_differently(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    reached, declined = {"outcome": "reached"}, {"outcome": "declined"}
    assert (await http.post(f"{TASKS}/{task}/outcome", json=reached, headers=as_(AMINA))).status_code == 409
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    assert (await http.post(f"{TASKS}/{task}/outcome", json=reached, headers=as_(BORIS))).status_code == 409
    await http.post(f"{TASKS}/{task}/outcome", json=reached, headers=as_(AMINA))
    assert (await http.post(f"{TASKS}/{task}/outcome", json=declined, headers=as_(AMINA))).status_code == 409
    assert (await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))).status_code == 409
    assert [row["outcome"] for row in await world.tasks()] == ["reached"]


async def test_what_is_not_there_is_not_found(http: httpx2.AsyncClient) -> None:
    assert (await http.post(f"{TASKS}/{uuid4()}/claim", headers=as_(AMINA))).status_code == 404
    sent = await http.post(f"{TASKS}/{uuid4()}/outcome", json={"outcome": "reached"}, headers=as_(AMINA))
    assert sent.status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"outcome": "maybe"}, {"outcome": "reached", "note": "her son answered"}, ["reached"]]
)
async def test_an_outcome_is_one_code_and_no_note(world: World, http: httpx2.AsyncClient, body: Any) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    answer = await http.post(f"{TASKS}/{task}/outcome", json=body, headers=as_(AMINA))
    assert answer.status_code == 422
    assert "her son" not in answer.text
    assert [row["outcome"] for row in await world.tasks()] == [None]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"after": "x"}])
async def test_a_page_has_limits(http: httpx2.AsyncClient, query: dict[str, Any]) -> None:
    assert (await http.get(TASKS, params=query, headers=as_(AMINA))).status_code == 422


async def test_only_staff_may_pass(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    for method, path in (("GET", ""), ("POST", f"/{task}/claim"), ("POST", f"/{task}/outcome")):
        json = {"outcome": "reached"} if path.endswith("outcome") else None
        assert (await http.request(method, TASKS + path, json=json)).status_code == 401
        assert (await http.request(method, TASKS + path, json=json, headers=as_(PARTNER))).status_code == 403
