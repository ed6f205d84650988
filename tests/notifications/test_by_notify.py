"""Messages that go by GOV.UK Notify: sent once whatever crashes, and followed to their end by its word."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio

from chassis import delivery
from chassis.due import RESULT_WITHIN
from services.notifications.clients.teller import REMEMBERED
from services.notifications.handlers.results import FOLLOW_UP_AFTER, LOOK_UP_AFTER
from tests.notifications.conftest import World, a_change, by_notify
from tests.notifications.notify import CALLBACK_TOKEN, StandInNotify
from tests.notifications.standins import ADDRESS, a_contact
from tests.support import NOON

PATH = "/v1/notify-callbacks"
SMS = a_contact(channel="sms", address="+447700900123")
RING = a_contact(channel="phone", address="+447700900123")


@pytest_asyncio.fixture
async def world(new_world: Callable[..., Awaitable[World]], notify: StandInNotify) -> World:
    return await new_world(**by_notify(notify, "email", "sms", "letter"))


@pytest.fixture
def http(http: httpx2.AsyncClient) -> httpx2.AsyncClient:
    http.headers["Authorization"] = f"Bearer {CALLBACK_TOKEN}"
    return http


async def sent(world: World, contact: dict[str, Any] = SMS) -> str:
    """Sends one message; returns the reference by which Notify knows it."""
    world.referrals.usual = contact
    await world.hear(a_change())
    await world.send()
    return world.notify.references[-1]


async def test_each_channel_is_carried_and_nothing_goes_by_smtp(world: World) -> None:
    for contact in (a_contact(), SMS, a_contact(channel="letter", address="A\nLS9 6AB")):
        await sent(world, contact)
    assert [each["type"] for each in world.notify.kept] == ["email", "sms", "letter"]
    assert world.mail.got == []
    assert await world.said() == ["NotificationSent"] * 3


async def test_what_notify_says_of_a_message_is_recorded_and_said(world: World, http: httpx2.AsyncClient) -> None:
    reference = await sent(world)
    for status in ("sending", "delivered"):
        answer = await http.post(PATH, json=world.notify.callback(reference, status))
        assert answer.status_code == 204
    assert await world.rungs() == [(1, "sms", "delivered", "delivered")]
    assert await world.said() == ["NotificationSent", "NotificationDelivered"]


@pytest.mark.parametrize("order", [["delivered", "sending", "delivered"], ["delivered", "permanent-failure", "sent"]])
async def test_callbacks_in_any_order_and_repeated_have_one_effect(
    world: World, http: httpx2.AsyncClient, order: list[str]
) -> None:
    reference = await sent(world)
    for status in order:
        assert (await http.post(PATH, json=world.notify.callback(reference, status))).status_code == 204
    assert await world.said() == ["NotificationSent", "NotificationDelivered"]
    assert await world.waiting() == 1


@pytest.mark.parametrize("status", ["permanent-failure", "temporary-failure", "technical-failure"])
async def test_what_did_not_arrive_is_tried_the_next_way(world: World, http: httpx2.AsyncClient, status: str) -> None:
    reference = await sent(world, {**SMS, "then": [RING]})
    for _ in range(2):
        await http.post(PATH, json=world.notify.callback(reference, status))
    await world.send()
    assert await world.rungs() == [(1, "sms", "failed", status), (2, "phone", "open", None)]
    assert await world.said() == ["NotificationSent", "NotificationFailed", "CallRequested"]


async def test_a_letter_that_comes_back_is_tried_the_next_way(world: World, http: httpx2.AsyncClient) -> None:
    reference = await sent(world, a_contact(channel="letter", address="A\nLS9 6AB", then=[RING]))
    await http.post(PATH, json=world.notify.callback(reference, "received"))
    came_back = {"notification_id": str(uuid4()), "reference": reference, "date_sent": "2026-11-21"}
    assert (await http.post(PATH, json=came_back)).status_code == 204
    await world.send()
    assert await world.rungs() == [(1, "letter", "failed", "returned-letter"), (2, "phone", "open", None)]


@pytest.mark.invariant(5)
@pytest.mark.parametrize("channel", ["email", "sms"])
async def test_what_is_said_without_a_status_of_what_is_no_letter_tells_nobody_again(
    world: World, http: httpx2.AsyncClient, channel: str
) -> None:
    """Such as that somebody complained of an email."""
    reference = await sent(world, {**SMS, "channel": channel, "then": [RING]})
    await http.post(PATH, json=world.notify.callback(reference, "delivered"))
    complaint = {"notification_id": str(uuid4()), "reference": reference, "complaint_date": "2026-11-21"}
    assert (await http.post(PATH, json=complaint)).status_code == 204
    assert await world.rungs() == [(1, channel, "delivered", "delivered")]
    assert await world.waiting() == 1
    assert await world.tasks() == []


async def test_the_address_in_a_callback_is_dropped(world: World, http: httpx2.AsyncClient) -> None:
    reference = await sent(world)
    await http.post(PATH, json=world.notify.callback(reference, "delivered"))
    for table in ("message", "rung", "outbox", "errand", "due"):
        assert "7700900123" not in str(await world.stage.rows(f"select * from {table}"))  # noqa: S608 - names from here


@pytest.mark.parametrize("token", ["wrong", "", CALLBACK_TOKEN.upper()])
async def test_only_notify_may_say_so(world: World, http: httpx2.AsyncClient, token: str) -> None:
    callback = world.notify.callback(await sent(world), "delivered")
    answer = await http.post(PATH, json=callback, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert await world.said() == ["NotificationSent"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reference": f"{uuid4()}-1", "status": "delivered"}, 404),
        ({"reference": "somebody-elses", "status": "delivered"}, 404),
        ({"status": "delivered"}, 404),
        ({"reference": f"{uuid4()}-{2**40}", "status": "delivered"}, 404),
        ({"reference": f"{uuid4()}-1", "status": "Delivered!"}, 422),
        ({"reference": ["x"], "status": "delivered"}, 422),
        ([], 422),
    ],
)
async def test_a_callback_of_what_is_not_ours_changes_nothing(
    world: World, http: httpx2.AsyncClient, body: Any, status: int
) -> None:
    assert (await http.post(PATH, json=body)).status_code == status
    assert await world.said() == []


async def test_a_callback_that_comes_before_our_own_record_is_asked_to_come_again(
    world: World, http: httpx2.AsyncClient
) -> None:
    await world.hear(a_change())
    (message,) = await world.messages()
    answer = await http.post(PATH, json={"reference": f"{message['id']}-1", "status": "delivered"})
    assert answer.status_code == 503


@pytest.mark.invariant(5)
@pytest.mark.parametrize(("how", "copies"), [("takes_and_hangs_up", 1), ("hangs_up", 0), ("broken", 0)])
async def test_a_message_of_unknown_result_is_looked_up_and_sent_once(world: World, how: str, copies: int) -> None:
    world.referrals.usual = SMS
    world.notify.answers["+447700900123"] = how
    await world.hear(a_change())
    await world.send()
    assert (await world.said(), len(world.notify.kept)) == ([], copies)
    world.notify.answers.clear()
    assert await world.send() == 0
    world.clock.forward(LOOK_UP_AFTER)
    for _ in range(3):
        await world.send()
    assert len(world.notify.kept) == 1
    assert await world.said() == ["NotificationSent"]
    assert len(world.notify.asked) == 1


@pytest.mark.invariant(5)
@pytest.mark.parametrize("left", [True, False])
async def test_killed_while_sending_notify_is_asked_and_the_message_leaves_once(world: World, left: bool) -> None:
    world.referrals.usual = SMS
    await world.hear(a_change())
    if left:
        world.notify._keep("sms", "+447700900123", {"reference": f"{(await world.messages())[0]['id']}-1"})
    async with world.stage.database.acquire() as conn:
        assert len(await delivery.begin_errands(conn, world.clock(), "another", 100)) == 1
    world.clock.forward(RESULT_WITHIN + timedelta(seconds=1))
    await world.send()
    world.clock.forward(LOOK_UP_AFTER)
    for _ in range(3):
        await world.send()
    assert len(world.notify.kept) == 1
    assert await world.said() == ["NotificationSent"]
    assert await world.tasks() == []


@pytest.mark.invariant(5)
async def test_killed_while_sending_what_may_have_gone_by_smtp_is_not_sent_again(
    new_world: Callable[..., Awaitable[World]], notify: StandInNotify
) -> None:
    world = await new_world(**by_notify(notify, "sms"))
    await world.hear(a_change())
    async with world.stage.database.acquire() as conn:
        await delivery.begin_errands(conn, world.clock(), "another", 100)
    world.clock.forward(RESULT_WITHIN + timedelta(seconds=1))
    await world.send()
    world.clock.forward(LOOK_UP_AFTER)
    for _ in range(3):
        await world.send()
    assert (world.mail.got, notify.kept) == ([], [])
    assert await world.said() == ["NotificationFailed"]
    assert [(task["channel"], task["reason"]) for task in await world.tasks()] == [("staff", "unknown-result")]


@pytest.mark.invariant(5)
@pytest.mark.parametrize("how", ["killed", "notify was down"])
async def test_what_notify_may_have_forgotten_by_now_is_not_sent_again(world: World, how: str) -> None:
    world.referrals.usual = SMS
    world.notify.answers["+447700900123"] = "takes_and_hangs_up"
    await world.hear(a_change())
    if how == "killed":
        async with world.stage.database.acquire() as conn:
            await delivery.begin_errands(conn, world.clock(), "another", 100)
    else:
        await world.send()
    world.clock.forward(REMEMBERED + timedelta(hours=1))
    world.notify.kept.clear()
    for _ in range(3):
        await world.send()
        world.clock.forward(LOOK_UP_AFTER)
    assert world.notify.kept == []
    assert [(task["channel"], task["reason"]) for task in await world.tasks()] == [("staff", "unknown-result")]


async def test_while_notify_cannot_be_asked_nothing_is_sent_again(world: World) -> None:
    world.referrals.usual = SMS
    world.notify.answers["+447700900123"] = "takes_and_hangs_up"
    await world.hear(a_change())
    await world.send()
    world.notify.is_down = True
    for _ in range(5):
        world.clock.forward(LOOK_UP_AFTER)
        await world.send()
    assert (await world.said(), await world.waiting()) == ([], 1)
    world.notify.is_down = False
    world.clock.forward(LOOK_UP_AFTER)
    await world.send()
    assert await world.said() == ["NotificationSent"]
    assert len(world.notify.kept) == 1


async def test_what_notify_never_told_is_asked_for(world: World) -> None:
    reference = await sent(world)
    world.clock.forward(FOLLOW_UP_AFTER)
    await world.send()
    assert await world.said() == ["NotificationSent"]
    world.notify.callback(reference, "delivered")
    world.clock.forward(timedelta(days=1))
    await world.send()
    assert await world.said() == ["NotificationSent", "NotificationDelivered"]
    assert await world.waiting() == 0


async def test_it_is_not_asked_for_ever(world: World) -> None:
    await sent(world)
    for _ in range(12):
        world.clock.forward(timedelta(days=1))
        await world.send()
    assert await world.waiting() == 0


@pytest.mark.parametrize(("how", "wait"), [("rate", timedelta(minutes=1)), ("daily", timedelta(hours=12, minutes=1))])
async def test_what_notify_has_no_room_for_is_sent_when_it_has(world: World, how: str, wait: timedelta) -> None:
    world.referrals.usual = SMS
    world.notify.answers["+447700900123"] = how
    await world.hear(a_change())
    await world.send()
    assert (await world.said(), world.clock()) == ([], NOON)
    world.notify.answers.clear()
    world.clock.forward(wait - timedelta(seconds=1))
    assert await world.send() == 0
    world.clock.forward(timedelta(seconds=1))
    await world.send()
    assert await world.said() == ["NotificationSent"]


async def test_a_number_that_is_none_is_a_refusal_and_the_next_way_is_tried(world: World) -> None:
    world.notify.answers["+447700900123"] = "no-such-number"
    world.referrals.usual = {**SMS, "then": [a_contact()]}
    await world.hear(a_change())
    for _ in range(2):
        await world.send()
    assert await world.rungs() == [(1, "sms", "failed", "ValidationError"), (2, "email", "sent", "taken")]
    assert world.notify.kept[0]["to"] == ADDRESS
