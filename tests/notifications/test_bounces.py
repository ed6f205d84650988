"""A mail that the mail server took and that came back: its way has failed, and the next one is tried."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from services.notifications.domain.bounces import NO_STATUS, Bounced, bounced, returned_to
from tests.notifications.conftest import AMINA, PARTNER, World, a_change, as_
from tests.notifications.reports import EXCHANGE, HOLIDAY, POSTFIX, report
from tests.notifications.standins import ADDRESS, a_contact

PATH = "/v1/bounces"
RING = a_contact(channel="phone", address="+447700900123")


@pytest_asyncio.fixture
async def world(new_world: Callable[..., Awaitable[World]]) -> World:
    return await new_world(smtp_bounces="bounces@example.org")


async def sent(world: World, *then: dict[str, Any]) -> str:
    """Sends one mail; returns where it comes back to."""
    world.referrals.usual = a_contact(then=then)
    await world.hear(a_change())
    await world.send()
    return world.mail.senders[-1]


@pytest.mark.parametrize(("template", "status"), [(POSTFIX, "5.1.1"), (EXCHANGE, "5.1.10")])
async def test_a_mail_that_comes_back_is_told_the_next_way(
    world: World, http: httpx2.AsyncClient, template: str, status: str
) -> None:
    to = await sent(world, RING)
    assert to == f"bounces+{world.mail.ids[0]}@example.org"
    for _ in range(2):
        answer = await http.post(PATH, content=report(to, template, status=status), headers=as_(AMINA))
        assert answer.status_code == 204
    await world.send()
    assert await world.rungs() == [(1, "email", "failed", f"bounced-{status}"), (2, "phone", "open", None)]
    assert await world.said() == ["NotificationSent", "NotificationFailed", "CallRequested"]
    (failed,) = [fact for name, fact in await world.facts() if name == "NotificationFailed"]
    assert (failed["channel"], failed["reason"], failed["evidence"]) == ("email", "refused", f"bounced-{status}")


async def test_what_comes_back_when_no_way_is_left_is_a_task_for_staff(world: World, http: httpx2.AsyncClient) -> None:
    to = await sent(world)
    await http.post(PATH, content=report(to), headers=as_(AMINA))
    await world.send()
    assert [(task["channel"], task["reason"]) for task in await world.tasks()] == [("staff", "no-channel-left")]


@pytest.mark.parametrize("days", [0, 6])
async def test_the_address_that_a_report_repeats_is_dropped(world: World, http: httpx2.AsyncClient, days: int) -> None:
    to = await sent(world, RING)
    world.clock.forward(timedelta(days=days))
    await http.post(PATH, content=report(to), headers=as_(AMINA))
    for table in ("message", "rung", "outbox", "errand", "due", "dead_letter"):
        assert ADDRESS not in str(await world.stage.rows(f"select * from {table}"))  # noqa: S608 - names from here


NOTHING = [
    (POSTFIX, {"action": "delayed", "status": "4.4.1"}, 422),
    (POSTFIX, {"action": "delivered", "status": "2.0.0"}, 422),
    (HOLIDAY, {}, 422),
    ("", {}, 422),
    ("\x00\xff: not a mail", {}, 422),
]


@pytest.mark.parametrize(("template", "changes", "status"), NOTHING)
async def test_what_says_of_no_failure_is_passed_over(
    world: World, http: httpx2.AsyncClient, template: str, changes: dict[str, str], status: int
) -> None:
    to = await sent(world, RING)
    answer = await http.post(PATH, content=report(to, template, **changes), headers=as_(AMINA))
    assert answer.status_code == status
    assert await world.rungs() == [(1, "email", "sent", "taken")]


@pytest.mark.parametrize("reference", ["019aa0c4-0000-7000-8000-000000000009-1", "library-service-2026-11-20", "x"])
async def test_a_report_of_a_mail_that_is_not_ours_is_not_found(
    world: World, http: httpx2.AsyncClient, reference: str
) -> None:
    answer = await http.post(PATH, content=report(f"bounces+{reference}@example.org"), headers=as_(AMINA))
    assert answer.status_code == 404
    assert await world.said() == []


async def test_only_staff_may_say_that_a_mail_came_back(world: World, http: httpx2.AsyncClient) -> None:
    to = await sent(world, RING)
    assert (await http.post(PATH, content=report(to))).status_code == 401
    assert (await http.post(PATH, content=report(to), headers=as_(PARTNER))).status_code == 403
    assert (await http.post(PATH, content=b"x" * 200_000, headers=as_(AMINA))).status_code == 413
    assert await world.rungs() == [(1, "email", "sent", "taken")]


async def test_without_an_address_for_it_mails_come_back_to_the_sender(
    new_world: Callable[..., Awaitable[World]],
) -> None:
    world = await new_world()
    assert await sent(world) == "help@example.org"


def test_a_report_without_a_code_counts_as_a_failure() -> None:
    to = returned_to("bounces@example.org", "a-1")
    assert bounced(report(to, status="unknown")) == Bounced("a-1", NO_STATUS)
    assert bounced(report("help@example.org")) is None
