"""Invariant 5 over random rules that change, carriers that fail in every way, callbacks, calls, repeats and crashes."""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import delivery
from chassis.due import NotCalled
from chassis.work import Batch
from contracts.calendar import day_of
from contracts.contacting import ReferrerReported, Told
from contracts.vocabulary import NeedStatus, PersonsAnswer
from services.notifications.domain.ladder import Outcome
from services.notifications.domain.telling import CarrierSaid, attempt
from services.notifications.handlers.tasks import REPORTED, TellOutcome
from services.notifications.store import Store
from tests.notifications.conftest import World, a_change, by_notify
from tests.notifications.notify import StandInNotify
from tests.notifications.standins import a_contact
from tests.support import NOON, fact_event, usual

Mail = Literal["takes", "refuses", "refuses_content_for", "puts_off", "hangs_up_on", "hangs_up_after_data"]
MAIL: tuple[Mail, ...] = ("takes", "refuses", "refuses_content_for", "puts_off", "hangs_up_on", "hangs_up_after_data")
SMS = ("takes", "no-such-number", "rate", "broken", "hangs_up", "takes_and_hangs_up")
SAYS = ("delivered", "permanent-failure", "temporary-failure", "sending", "nothing")
STATUSES: tuple[NeedStatus, ...] = ("on-hold", "offered", "accepted", "completed", "cancelled")
CALLS: tuple[Outcome, ...] = ("reached", "no-answer", "wrong-number", "declined")
WAYS = ("email", "email", "sms", "sms", "phone", "via-referrer")
BY_PHONE = frozenset({"phone", "in-person"})
AGAIN = 5
"""So many callbacks of before are repeated."""
ENDS = {"sent", "delivered", "reached", "declined", "withheld", "unreached"}


@dataclass
class Person:
    """One need of somebody, the rule for reaching them, and what carriers and callers come to with them."""

    need: UUID
    decision: str
    ways: list[str]
    neutral: bool
    not_before: int
    mail: Mail
    sms: str
    says: str
    bounces: bool
    called: Outcome
    reports: Told
    answers: PersonsAnswer | None
    changes: list[NeedStatus]
    seen: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def moves(self) -> list[tuple[NeedStatus, NeedStatus]]:
        return list(pairwise(["requested", *self.changes]))

    @property
    def email(self) -> str:
        return f"n{self.need.hex}@example.org"

    @property
    def phone(self) -> str:
        return f"+44{self.need.int % 10**10:010}"

    @property
    def contact(self) -> dict[str, Any]:
        moment = (NOON + timedelta(minutes=self.not_before)).isoformat() if self.not_before else None
        if self.decision == "withheld":
            return a_contact(decision="withheld", reason="safe-contact-lapsed", channel=None, neutral=self.neutral)
        address = {"email": self.email, "sms": self.phone, "phone": self.phone, "via-referrer": "gp-armley"}
        first, *then = [
            a_contact(channel=way, address=address[way], neutral=self.neutral, not_before=moment) for way in self.ways
        ]
        return {**first, "then": then}


people = st.lists(
    st.builds(
        Person,
        need=st.builds(uuid4),
        decision=st.sampled_from(["send", "send", "send", "send", "withheld"]),
        ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=4, unique=True),
        neutral=st.booleans(),
        not_before=st.sampled_from([0, 0, -10, 10, 600]),
        mail=st.sampled_from(MAIL),
        sms=st.sampled_from(SMS),
        says=st.sampled_from(SAYS),
        bounces=st.sampled_from([False, False, True]),
        called=st.sampled_from(CALLS),
        reports=st.sampled_from(sorted(REPORTED)),
        answers=st.sampled_from([None, *get_args(PersonsAnswer)]),
        changes=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4),
    ),
    min_size=5,
    max_size=20,
)
ACTS = (
    "hear again",
    "send",
    "crash",
    "crash after the call",
    "referrals down",
    "notify down",
    "later",
    "callbacks",
    "calls",
    "new rule",
)
acts = st.lists(st.sampled_from(ACTS), max_size=12)


@pytest_asyncio.fixture
async def world(new_world: Callable[..., Awaitable[World]], notify: StandInNotify) -> World:
    return await new_world(**by_notify(notify, "sms"))


@dataclass
class Story:
    """What happens to these people, act by act; after each, what left is held against the rules of that moment."""

    world: World
    persons: list[Person]
    mails: int = 0
    texts: int = 0
    said: int = 0
    bounced: int = 0
    spare: int = 0

    def __post_init__(self) -> None:
        self.events = [
            fact_event(a_change(after, person.need, referral_id=person.need, previous=before), NOON, event_id=uuid4())
            for person in self.persons
            for before, after in person.moves
        ]
        self.by_address = {each.email: each for each in self.persons} | {each.phone: each for each in self.persons}
        self.of_need = {person.need: person for person in self.persons}

    async def begin(self) -> None:
        world = self.world
        for table in ("call_task", "rung", "message", "referral", "errand", "due", "outbox", "key_version"):
            await world.stage.database.execute(f"delete from {table}")  # noqa: S608 - names from here
        world.clock.at = NOON
        world.mail.got.clear()
        world.notify.kept.clear()
        for how in MAIL[1:]:
            setattr(world.mail, how, {person.email for person in self.persons if person.mail == how})
        world.notify.answers = {person.phone: person.sms for person in self.persons if person.sms != "takes"}
        self.set_rules()
        await self.hear()

    def set_rules(self) -> None:
        self.world.referrals.of_need = {str(person.need): person.contact for person in self.persons}

    async def hear(self) -> None:
        await self.world.stage.worker.run(Batch("notifications", self.events))

    async def do(self, act: str) -> None:
        world = self.world
        world.referrals.status = 503 if act == "referrals down" else 200
        world.notify.is_down = act == "notify down"
        match act:
            case "hear again":
                await self.hear()
            case "send" | "referrals down" | "notify down":
                await world.send()
            case "crash" | "crash after the call":
                await self.crash(called=act == "crash after the call")
            case "later":
                world.clock.forward(timedelta(minutes=7))
            case "callbacks":
                await self.say()
            case "calls":
                await self.call()
            case "new rule":
                self.change_a_rule()
        self.look()

    async def crash(self, *, called: bool) -> None:
        """Another process begins some errands, and dies before it calls, or before it keeps what came of them."""
        world = self.world
        kinds = {model.__name__: (model, sender) for model, sender in world.stage.service.senders.items()}
        async with world.stage.database.acquire() as conn:
            rows = await delivery.begin_errands(conn, world.clock(), "another", 2)
        for row in rows if called else ():
            model, sender = kinds[row["type"]]
            with contextlib.suppress(NotCalled):
                await sender([model.model_validate_json(row["value"])])

    def change_a_rule(self) -> None:
        """In the safe direction: what left before was allowed, what leaves from now on must obey this."""
        person = self.persons[self.spare % len(self.persons)]
        self.spare += 1
        person.neutral = True
        person.ways = [way for way in person.ways if way != "email"] or ["via-referrer"]
        self.set_rules()

    async def say(self) -> None:
        """Notify tells what became of each message, and a mail server which mails came back: twice, and again later."""
        texts = [(kept["reference"], self.by_address[kept["to"]].says) for kept in self.world.notify.kept]
        mails = [(m["X-Furthest-Id"], "bounced-5.1.1") for m in self.world.mail.got if self.by_address[m["To"]].bounces]
        news = texts[max(0, self.said - AGAIN) :] + mails[max(0, self.bounced - AGAIN) :]
        self.said, self.bounced = len(texts), len(mails)
        for reference, status in news:
            known = attempt(reference)
            recorded = known and await self.world.stage.rows(
                "select 1 from rung where message_id = $1 and nth = $2", *known
            )
            if known and recorded and status != "nothing":
                for _ in range(2):
                    await self.world.stage.result(CarrierSaid(message_id=known[0], rung=known[1], status=status))

    async def call(self) -> None:
        """Everybody who has a task does it, and the referrer reports."""
        clock = self.world.clock()
        for task in await self.world.stage.rows("select * from call_task where closed_at is null order by id"):
            person = self.of_need[task["need_id"]]
            if task["channel"] == "via-referrer":
                ids = {name: task[name] for name in ("referral_id", "need_id")}
                await self.world.hear(ReferrerReported(**ids, task_id=task["id"], outcome=person.reports, at=clock))
                continue
            async with self.world.stage.database.acquire() as conn:
                claimed = await Store(conn).claim_task(task["id"], "amina", clock)
            if claimed:
                outcome: Outcome = person.called if task["channel"] in BY_PHONE else "given-up"
                answer = person.answers if outcome == "reached" and task["about"] == "accepted" else None
                until = day_of(clock) + timedelta(days=30) if answer == "not-now" else None
                told = TellOutcome(task_id=task["id"], who="amina", outcome=outcome, answer=answer, until=until)
                for _ in range(1 if outcome == "no-answer" else 2):
                    await self.world.stage.result(told)

    def look(self) -> None:
        for mail in self.world.mail.got[self.mails :]:
            person = self.by_address[mail["To"]]
            self.must_be_allowed(person, "email")
            assert (mail["Subject"] in {"News for you", "A question for you"}) == person.neutral
        for text in self.world.notify.kept[self.texts :]:
            person = self.by_address[text["to"]]
            self.must_be_allowed(person, "sms")
            assert not (person.neutral and "device" in str(text["words"]))
        self.mails, self.texts = len(self.world.mail.got), len(self.world.notify.kept)

    def must_be_allowed(self, person: Person, channel: str) -> None:
        assert person.decision == "send"
        assert channel in person.ways
        assert self.world.clock() >= NOON + timedelta(minutes=person.not_before)

    async def end(self) -> None:
        """Carriers are well again, and time goes by until nothing is left to do."""
        for kept in list(self.world.notify.answers):
            if self.world.notify.answers[kept] != "no-such-number":
                del self.world.notify.answers[kept]
        for _ in range(100):
            for act in ("send", "callbacks", "calls"):
                await self.do(act)
            await self.world.due()
            self.world.clock.forward(timedelta(days=1))
            if not await self.world.waiting() and not await self.open_tasks():
                return
        raise AssertionError(f"{await self.world.waiting()} errands, {await self.open_tasks()} tasks never ended")

    async def open_tasks(self) -> int:
        return len(await self.world.stage.rows("select 1 from call_task where closed_at is null"))


@pytest.mark.invariant(5)
@settings(max_examples=usual(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=people, script=acts)
async def test_nobody_is_told_twice_or_against_the_rule_and_nobody_is_forgotten(
    world: World, persons: list[Person], script: list[str]
) -> None:
    story = Story(world, persons)
    await story.begin()
    for act in script:
        await story.do(act)
    await story.end()
    messages = await world.messages()
    assert len(messages) == sum(_owed(person) for person in persons)
    _assert_each_left_once(world)
    rungs = defaultdict(list)
    for rung in await world.stage.rows("select * from rung order by message_id, nth"):
        rungs[rung["message_id"]].append(rung["state"])
    tasks = {task["message_id"]: task for task in await world.tasks() if task["channel"] == "staff"}
    for message in messages:
        told = sum(state in {"sent", "delivered", "reached"} for state in rungs[message["id"]])
        assert message["state"] in ENDS
        assert told <= 1, "told twice"
        assert told == 1 or message["id"] in tasks, "forgotten"
    await _assert_said(world, messages)


def _owed(person: Person) -> int:
    told = [(before == "accepted", after) for before, after in person.moves if after != "offered"]
    return len(told) - max(0, told.count((False, "on-hold")) - 1)


def _assert_each_left_once(world: World) -> None:
    assert all(times == 1 for times in Counter(world.mail.ids).values())
    assert all(times == 1 for times in Counter(world.notify.references).values())


async def _assert_said(world: World, messages: list[dict[str, Any]]) -> None:
    said = Counter(name for name, _ in await world.facts())
    rungs = Counter(
        row["state"] for row in await world.stage.rows("select state from rung where channel in ('email', 'sms')")
    )
    by_people = [task for task in await world.tasks() if task["channel"] != "staff"]
    assert said["CallRequested"] == len(by_people)
    assert said["CallCompleted"] == sum(task["tries"] for task in by_people)
    assert said["NotificationDelivered"] == rungs["delivered"]
    assert said["NotificationFailed"] == rungs["failed"]
    assert said["AnswerTaken"] == sum(task["answer"] is not None for task in by_people)
