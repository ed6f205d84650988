"""Invariant 5 over random decisions, mail servers that fail in every way, repeated facts and crashes."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import delivery
from chassis.work import Batch
from contracts.vocabulary import NeedStatus
from tests.notifications.conftest import World, a_change
from tests.notifications.standins import StandInMailServer, a_contact
from tests.support import NOON, fact_event

Server = Literal["takes", "refuses", "refuses_content_for", "puts_off", "hangs_up_on", "hangs_up_after_data"]
SERVERS: tuple[Server, ...] = (
    "takes",
    "refuses",
    "refuses_content_for",
    "puts_off",
    "hangs_up_on",
    "hangs_up_after_data",
)
STATUSES: tuple[NeedStatus, ...] = ("on-hold", "offered", "accepted", "completed", "cancelled")


@dataclass(frozen=True)
class Person:
    """One need of somebody, what referrals decides, what the mail server does with them, and what happened."""

    need: UUID
    decision: str
    channel: str
    neutral: bool
    not_before: int
    server: Server
    changes: list[NeedStatus]

    @property
    def address(self) -> str:
        return f"n{self.need.hex}@example.org"

    @property
    def contact(self) -> dict[str, Any]:
        moment = (NOON + timedelta(minutes=self.not_before)).isoformat() if self.not_before else None
        return a_contact(
            decision=self.decision,
            reason="no-safe-channel" if self.decision == "withheld" else None,
            channel=self.channel,
            address=self.address,
            neutral=self.neutral,
            not_before=moment,
        )


people = st.lists(
    st.builds(
        Person,
        need=st.builds(uuid4),
        decision=st.sampled_from(["send", "send", "send", "withheld"]),
        channel=st.sampled_from(["email", "email", "email", "phone", "via-referrer"]),
        neutral=st.booleans(),
        not_before=st.sampled_from([0, 0, -10, 10, 600]),
        server=st.sampled_from(SERVERS),
        changes=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
)
acts = st.lists(st.sampled_from(["hear again", "send", "crash", "referrals down", "later"]), max_size=8)


async def run(world: World, persons: list[Person], script: list[str]) -> None:
    """Plays the script, then lets everything come to its end."""
    events = [
        fact_event(a_change(status, person.need), NOON, event_id=uuid4())
        for person in persons
        for status in person.changes
    ]
    await world.stage.worker.run(Batch("notifications", events))
    for act in script:
        world.referrals.status = 503 if act == "referrals down" else 200
        match act:
            case "hear again":
                await world.stage.worker.run(Batch("notifications", events))
            case "send" | "referrals down":
                await world.send()
            case "crash":
                async with world.stage.database.acquire() as conn:
                    await delivery.begin_errands(conn, world.clock(), "another", 2)
            case "later":
                world.clock.forward(timedelta(minutes=7))
    world.referrals.status = 200
    for _ in range(60):
        await world.send()
        world.clock.forward(timedelta(hours=1))
        if not await world.waiting():
            return
    raise AssertionError(f"{await world.waiting()} errands never came to an end")


async def start_anew(world: World, persons: list[Person]) -> None:
    for table in ("call_task", "message", "errand", "outbox", "key_version"):
        await world.stage.database.execute(f"delete from {table}")  # noqa: S608 - names from here
    world.clock.at = NOON
    world.referrals.of_need = {str(person.need): person.contact for person in persons}
    world.mail.got.clear()
    for how in SERVERS[1:]:
        setattr(world.mail, how, {person.address for person in persons if person.server == how})


@pytest.mark.invariant(5)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=people, script=acts)
async def test_nobody_is_told_twice_or_against_the_rule_and_nobody_is_forgotten(
    world: World, persons: list[Person], script: list[str]
) -> None:
    await start_anew(world, persons)
    await run(world, persons, script)
    messages = await world.messages()
    of_need = {person.need: person for person in persons}
    for message in messages:
        _assert_as_permitted(of_need[message["need_id"]], message)
    assert len(messages) == sum(_owed(person) for person in persons)
    _assert_mails(world.mail, {str(message["id"]): of_need[message["need_id"]] for message in messages})
    tasks = Counter(task["message_id"] for task in await world.tasks())
    assert set(tasks) == {m["id"] for m in messages if m["state"] in {"failed", "call-requested"}}
    said = Counter(name for name, _ in await world.facts())
    states = Counter(message["state"] for message in messages)
    assert said["NotificationSent"] == states["sent"]
    assert said["NotificationFailed"] == states["failed"]
    assert said["NotificationWithheld"] == states["withheld"]
    assert said["CallRequested"] == sum(tasks.values()) == len(tasks)


def _owed(person: Person) -> int:
    told = [status for status in person.changes if status != "offered"]
    return len(told) - max(0, told.count("on-hold") - 1)


def _assert_as_permitted(person: Person, message: dict[str, Any]) -> None:
    state = message["state"]
    if state == "failed" and message["reason"] == "unknown-result":
        return  # a crash before anything was decided
    if person.decision == "withheld":
        assert state == "withheld"
    elif person.channel != "email":
        assert (state, message["channel"]) == ("call-requested", person.channel)
    else:
        assert state == ("sent" if person.server == "takes" else "failed")
        assert message["settled_at"] >= NOON + timedelta(minutes=person.not_before)


def _assert_mails(server: StandInMailServer, person_of: dict[str, Person]) -> None:
    assert all(times == 1 for times in Counter(server.ids).values())
    for mail in server.got:
        person = person_of[mail["X-Furthest-Id"]]
        assert mail["To"] == person.address
        assert (person.decision, person.channel) == ("send", "email")
        assert (mail["Subject"] == "News for you") == person.neutral
