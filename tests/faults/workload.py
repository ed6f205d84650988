"""What partners do while faults happen: refer, take back, offer places, answer, repeat themselves, send nonsense."""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx2

from contracts.door import PlaceUpdated, ReferralSubmitted
from deploy.areas import default as default_areas
from deploy.demo import plan as plans
from deploy.demo.doors import Doors, HttpDoor, KafkaDoor, Told
from deploy.demo.parties import Mailbox, Provider, Regretter
from deploy.demo.plan import Door, Plan, Referrer, Submission
from tests.faults.calling import Reporter

PATIENCE: Final = 400.0
TOGETHER: Final = 6
TAKEN_BACK: Final = 0.1
BY_HTTP: Final = 0.3
WAYS: Final = (*plans.WAYS, ["sms"], ["sms", "phone"], ["letter", "sms"], ["email", "sms"])
REFERRERS: Final[dict[str, Referrer]] = {
    "gp-armley": Referrer("Armley Medical Practice", "GP", ("kafka",), WAYS),
    "food-bank": Referrer("Harehills Food Bank", "FB", ("http",), WAYS),
    "housing-seacroft": Referrer("Seacroft Homes", "HS", ("kafka", "http"), WAYS),
    "advice-beeston": Referrer("Beeston Advice", "AB", ("kafka", "http"), WAYS),
}
PROVIDER: Final = plans.PROVIDER[0]
NAMES: Final = {**{name: each.name for name, each in REFERRERS.items()}, PROVIDER: plans.PROVIDER[1]}


@dataclass(slots=True)
class Workload:
    """`release` lets the next part of the plan out; everything else answers to what comes back."""

    plan: Plan
    doors: dict[str, Doors]
    random: Random
    released: int = 0
    steps: int = 0
    wants: dict[str, int] = field(default_factory=dict)
    nonsense: list[Submission] = field(default_factory=list)
    provider: Provider = field(init=False)
    regretters: dict[str, Regretter] = field(init=False)
    mailboxes: dict[str, Mailbox] = field(init=False)
    _queues: dict[str, asyncio.Queue[Submission]] = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(self.doors[PROVIDER], BY_HTTP)
        self.regretters = {name: Regretter(self.doors[name], TAKEN_BACK) for name in REFERRERS}
        react = {PROVIDER: self.provider.react, **{name: self._referrer(name) for name in REFERRERS}}
        self.mailboxes = {
            name: Mailbox(doors.kafka.credentials, react=react[name]) for name, doors in self.doors.items()
        }
        self._queues = {name: asyncio.Queue() for name in ("http", *REFERRERS)}

    def _referrer(self, name: str) -> Callable[[Told], Awaitable[None]]:
        regretter, reporter = self.regretters[name], Reporter(self.doors[name])

        async def react(told: Told) -> None:
            await regretter.react(told)
            await reporter.react(told)

        return react

    @property
    def submissions(self) -> list[Submission]:
        return [*self.plan.submissions, *self.nonsense]

    @property
    def told(self) -> list[Told]:
        """What partners were told: each record of an outbox once, whatever the relay repeated."""
        heard = {told.id: told for box in self.mailboxes.values() for told in box.received}
        return [*heard.values(), *(told for doors in self.doors.values() for told in doors.http.answers)]

    @property
    def refused_wrongly(self) -> Counter[str]:
        """How HTTP doors answered referrals that they should have taken."""
        right = {submission.id for submission in self.submissions if not submission.rule}
        answers = (told for doors in self.doors.values() for told in doors.http.answers)
        refused = (told.data for told in answers if told.type == "MessageRefused" and told.id in right)
        return Counter(f"{data.get('status')} {data.get('detail')} {data.get('errors', '')}" for data in refused)

    @property
    def expired(self) -> int:
        return sum(1 for told in self.told if told.type == "OfferClosed" and told.data["reason"] == "expired")

    @property
    def withdrawn(self) -> dict[str, str]:
        return {id_: referral for each in self.regretters.values() for id_, referral in each.withdrawn.items()}

    @property
    def said_no(self) -> dict[str, str]:
        return {id_: need for each in self.regretters.values() for id_, need in each.said_no.items()}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for box in self.mailboxes.values():
                group.create_task(box.follow())
            for name, queue in self._queues.items():
                for _ in range(TOGETHER if name == "http" else 1):
                    group.create_task(self._refer(queue))

    async def open_places(self) -> None:
        """Providers, and two places in three: the others open later, and all of them grow."""
        for provider in self.plan.providers:
            await self.doors[PROVIDER].describe(provider, f"p-{provider.provider_id}")
        for nth, place in enumerate(self.plan.places):
            if nth % 3:
                await self._supply(nth, place.capacity // 2)

    async def release(self, of: int) -> None:
        """Lets out one of `of` parts of what is referred, and a place that opens or grows."""
        self.steps += 1
        upto = len(self.plan.submissions) * self.steps // of
        for submission in self.plan.submissions[self.released : upto]:
            self._queues["http" if submission.door == "http" else submission.partner].put_nowait(submission)
        self.released = upto
        nth = self.steps % len(self.plan.places)
        await self._supply(nth, self.plan.places[nth].capacity * (of + self.steps) // (2 * of))

    async def all_sent(self) -> None:
        for queue in self._queues.values():
            await queue.join()

    async def again(self, door: Door, number: int = 20) -> None:
        """Sends once more what was sent before, by either door: what is sealed may travel by both."""
        sent = [s for s in self.plan.submissions[: self.released] if not s.rule and b'"person"' not in s.body]
        for submission in self.random.sample(sent, min(number, len(sent))):
            if door == "http":
                await self.doors[submission.partner].http.refer(submission)
            else:
                await self.doors[submission.partner].kafka.send(ReferralSubmitted, submission.id, submission.body)

    async def send_nonsense(self, id_: str | None, headers: list[tuple[str, bytes]], value: bytes | None) -> None:
        """A record that is to be refused, into an inbox. `id_` is none where it cannot be read from the record."""
        partner = self.random.choice([name for name, each in REFERRERS.items() if "kafka" in each.doors])
        if id_:
            self.nonsense.append(Submission(partner, "kafka", id_, "", value or b"", rule="nonsense"))
        await self.doors[partner].kafka.write(value, headers)

    async def _supply(self, nth: int, capacity: int) -> None:
        place: PlaceUpdated = self.plan.places[nth].model_copy(update={"capacity": max(1, capacity)})
        self.wants[place.place_id] = place.capacity
        await self.doors[PROVIDER].supply(place, str(uuid4()), "kafka" if nth % 2 else "http")

    async def _refer(self, queue: asyncio.Queue[Submission]) -> None:
        while True:
            submission = await queue.get()
            for told in await self.doors[submission.partner].refer(submission):
                await self.regretters[submission.partner].react(told)
            queue.task_done()


def plan_of(referrals: int, seed: int, partners: Mapping[str, Any]) -> Plan:
    wards = [area.code for area in default_areas().areas if area.ward is None]
    key = partners[PROVIDER]["public_key"]
    return plans.make(referrals, wards, key, datetime.now(UTC).date(), seed, REFERRERS)


@contextlib.asynccontextmanager
async def opened(
    partners: Mapping[str, Any], services: dict[str, Any], ca: str | None = None
) -> AsyncIterator[dict[str, Doors]]:
    """Both doors of every partner; `ca` is the certificate (PEM) of who signed the HTTP doors'."""
    async with contextlib.AsyncExitStack() as stack:
        verify = ssl.create_default_context(cadata=ca)
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=20, verify=verify))
        doors: dict[str, Doors] = {}
        for name, credentials in partners.items():
            by_kafka = KafkaDoor(credentials, PATIENCE)
            await by_kafka.open()
            stack.push_async_callback(by_kafka.close)
            doors[name] = Doors(by_kafka, HttpDoor(credentials, services, http, patience=PATIENCE))
        yield doors
