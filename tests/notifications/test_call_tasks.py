"""The call tasks over HTTP: one of the staff takes a task, and tells how it went."""

import hashlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running
from contracts.access import KeyAdded
from tests.notifications.conftest import World, a_change, settings_for
from tests.notifications.standins import a_contact
from tests.support import NOON

TASKS = "/v1/call-tasks"
AMINA, BORIS, PARTNER = "amina", "boris", "gp-armley"


@pytest_asyncio.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    stage = world.stage
    access = Access(settings_for(1, 1).kafka, "notifications", world.clock)
    for principal in (AMINA, BORIS, PARTNER):
        sha = hashlib.sha256(principal.encode()).hexdigest()
        role: Any = "partner" if principal == PARTNER else "staff"
        access.keys[sha] = KeyAdded(
            key_id=uuid4(), sha256=sha, role=role, principal=principal, expires_at=NOON + timedelta(days=1)
        )
    access.read_to_the_end, access.heard_at = True, time.monotonic()
    running = Running("notifications", stage.database, stage.worker, Door(stage.worker, world.clock), world.clock)
    app = build_app("notifications", access, Health("notifications", stage.database), stage.service.routers(running))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://notifications") as client:
        yield client


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}


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
        "message_id",
        "channel",
        "about",
        "created_at",
        "claimed_by",
        "claimed_at",
        "outcome",
        "closed_at",
    }


async def test_a_task_is_claimed_by_one_of_the_staff(world: World, http: httpx2.AsyncClient) -> None:
    (task,) = await rung(world)
    first = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    world.clock.forward(timedelta(minutes=1))
    again = await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    assert (first.status_code, first.json()["claimed_by"]) == (200, AMINA)
    assert again.json() == first.json()
    other = await http.post(f"{TASKS}/{task}/claim", headers=as_(BORIS))
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")


@pytest.mark.parametrize("outcome", ["reached", "no-answer", "wrong-number", "declined"])
async def test_who_claimed_a_task_closes_it(world: World, http: httpx2.AsyncClient, outcome: str) -> None:
    (task,) = await rung(world)
    await http.post(f"{TASKS}/{task}/claim", headers=as_(AMINA))
    closed = await http.post(f"{TASKS}/{task}/outcome", json={"outcome": outcome}, headers=as_(AMINA))
    world.clock.forward(timedelta(minutes=1))
    again = await http.post(f"{TASKS}/{task}/outcome", json={"outcome": outcome}, headers=as_(AMINA))
    assert (closed.status_code, closed.json()["outcome"]) == (200, outcome)
    assert again.json() == closed.json()
    assert (await http.get(TASKS, headers=as_(AMINA))).json() == {"tasks": [], "next": None}


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
