"""Runs the demo: everything up, three partners, every door, the loop closing, and the count of effects."""

import asyncio
import contextlib
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2

from contracts.message import SERVICES, Service
from contracts.vocabulary import Role
from deploy.areas import default as default_areas
from deploy.demo import plan as plans
from deploy.demo.doors import Doors, HttpDoor, KafkaDoor, Told
from deploy.demo.effects import owed
from deploy.demo.owed import Owed
from deploy.demo.parties import Mailbox, Provider
from deploy.demo.round import KEYS, GrantRound
from deploy.demo.witness import Evidence, said_in, sent_to
from deploy.embedded.processes import EmbeddedError
from deploy.embedded.stack import Stack
from deploy.kafka.log import Log, come_to_rest
from deploy.partners import add_key, add_partner

MARK: Final = "made-by-the-demo"
AT_REST_WITHIN: Final = 240.0
LOOK_EVERY: Final = 0.5
TOGETHER: Final = 8

COUNTS: Final[dict[str, tuple[str, str]]] = {
    "referrals": ("referrals", "select count(*) from referral"),
    "needs": ("referrals", "select count(*) from need"),
    "offered": ("matching", "select count(*) from offer"),
    "taken": ("matching", "select coalesce(sum(taken), 0) from place"),
    "waiting": ("matching", "select count(*) from need where state = 'waiting' and not is_gap"),
    "gaps": ("matching", "select count(*) from need where is_gap"),
    "notified": ("notifications", "select count(*) from message where state = 'sent' and audience <> 'applicant'"),
    "call_tasks": ("notifications", "select count(*) from call_task"),
    "reported": ("reporting", "select count(*) from referral where partner is not null"),
}
"""What is counted while it runs, and in whose database."""

Watch = Callable[["Demo"], None]


@dataclass(slots=True)
class Demo:
    """One run. `watch` is called twice a second with this, to show how far it is."""

    stack: Stack
    plan: plans.Plan
    partners: dict[str, dict[str, Any]]
    grant_keys: Mapping[tuple[Role, str], str]
    watch: Watch
    counts: dict[str, int] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    doors: dict[str, Doors] = field(default_factory=dict)
    provider: Provider = field(init=False)
    round: GrantRound = field(init=False)
    owed: list[Owed] = field(default_factory=list)
    left: int = -1
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def addresses(self) -> dict[str, Any]:
        return self.stack.addresses()

    @property
    def told(self) -> list[Told]:
        """What partners were told: each record of an outbox once, whatever the relay repeated."""
        heard = {told.id: told for box in self.mailboxes.values() for told in box.received}
        return [*heard.values(), *(told for doors in self.doors.values() for told in doors.http.answers)]

    @property
    def submissions(self) -> list[plans.Submission]:
        """What was sent. Of a file, what its sender was told says which were wrong."""
        if self.plan.is_known:
            return self.plan.submissions
        rules = {t.data["submission_id"]: t.data["errors"][0]["rule"] for t in self.told if t.type == "MessageRefused"}
        return [replace(each, rule=rules.get(each.id)) for each in self.plan.submissions]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group, self._clients() as http:
            followers = [group.create_task(box.follow()) for box in self.mailboxes.values()]
            keeper = group.create_task(self._keep_running())
            await self._open_places()
            await asyncio.gather(self._refer_by_kafka(), self._refer_by_http())
            await self._come_to_rest()
            await self._run_a_round(http)
            await self._come_to_rest()
            await self.round.look()
            for task in (*followers, keeper):
                task.cancel()
            await self._count_effects()
        self.seconds = time.monotonic() - self.began

    @contextlib.asynccontextmanager
    async def _clients(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(timeout=10) as http:
            services = self.addresses["services"]
            self.doors = {
                name: Doors(KafkaDoor(credentials), HttpDoor(credentials, services, http))
                for name, credentials in self.partners.items()
            }
            self.provider = Provider(self.doors[plans.PROVIDER[0]])
            self.mailboxes = {name: Mailbox(credentials) for name, credentials in self.partners.items()}
            self.mailboxes[plans.PROVIDER[0]].react = self.provider.react
            for doors in self.doors.values():
                await doors.kafka.open()
            try:
                yield http
            finally:
                for doors in self.doors.values():
                    await doors.kafka.close()

    async def _open_places(self) -> None:
        """Providers and every other place over Kafka, the rest over HTTP."""
        doors = self.doors[plans.PROVIDER[0]]
        for provider in self.plan.providers:
            await doors.describe(provider, f"p-{provider.provider_id}")
        for nth, place in enumerate(self.plan.places):
            await doors.supply(place, f"o-{place.place_id}", "kafka" if nth % 2 else "http")

    async def _run_a_round(self, http: httpx2.AsyncClient) -> None:
        """A grant round, when all else is at rest: what is funded closes gaps."""
        provider = self.doors[plans.PROVIDER[0]]
        self.round = GrantRound(self.grant_keys, self.addresses["services"], http, provider, plans.funded())
        await self.round.run()

    async def _refer_by_kafka(self) -> None:
        for submission in self.plan.submissions:
            if submission.door == "kafka":
                await self.doors[submission.partner].refer(submission)

    async def _refer_by_http(self) -> None:
        waiting = iter([s for s in self.plan.submissions if s.door == "http"])

        async def post() -> None:
            for submission in waiting:
                await self.doors[submission.partner].refer(submission)

        await asyncio.gather(*(post() for _ in range(TOGETHER)))

    async def _keep_running(self) -> None:
        """Starts again what was killed, and shows how far it is."""
        while True:
            self.restarted += await asyncio.to_thread(self.stack.restart_dead)
            await self._count()
            self.watch(self)
            await asyncio.sleep(LOOK_EVERY)

    async def _count(self) -> None:
        for name, (service, sql) in COUNTS.items():
            self.counts[name] = int(await _fetch(self.addresses["services"][service]["database"], sql))
        kinds = Counter(told.type for told in self.told)
        self.counts["partner_answers"] = sum(kinds[kind] for kind in ("ReferralAcknowledged", "MessageRefused"))

    async def _come_to_rest(self) -> None:
        def saw(left: int) -> None:
            self.left = left

        heard = {box.credentials["outbox"]: box for box in self.mailboxes.values()}
        databases = [self.addresses["services"][service]["database"] for service in SERVICES]
        await come_to_rest(
            self._log(), databases, lambda: {name: box.read for name, box in heard.items()}, AT_REST_WITHIN, saw
        )
        await self._count()

    def _log(self) -> Log:
        return Log(self.stack.site.kafka)

    async def _count_effects(self) -> None:
        addresses, log = self.addresses, self._log()
        said, sent = (
            await asyncio.to_thread(said_in, log, self.doors),
            await asyncio.to_thread(sent_to, log, self.doors),
        )
        for doors in self.doors.values():
            sent += doors.http.sent
        databases: dict[Service, str] = {s: addresses["services"][s]["database"] for s in SERVICES}
        mails = Path(addresses["mail"]["received"])
        self.owed = await owed(Evidence(self.submissions, self.told, sent, said, mails, databases, self.provider))

    async def summary(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        sent = sum(s.times for s in self.submissions)
        wrong = sum(s.times for s in self.submissions if s.rule)
        twice = sum(s.times - 1 for s in self.submissions if not s.rule)
        letters = [
            int(await _fetch(s["database"], "select count(*) from dead_letter where settled_at is null"))
            for s in self.addresses["services"].values()
        ]
        return {
            "sent": sent,
            "accepted": sent - wrong - twice,
            "refused": wrong,
            "duplicates_sent": twice,
            **{name: self.counts[name] for name in COUNTS if name != "referrals"},
            "partner_answers": self.counts["partner_answers"],
            "dead_letters": sum(letters),
            "grants_awarded_pence": self.round.shown["awarded_pence"],
            "lost": sum(line.lost for line in self.owed),
            "doubled": sum(line.doubled for line in self.owed),
            "seconds": round(self.seconds, 1),
        }


async def _fetch(database: str, sql: str) -> Any:
    conn = await asyncpg.connect(database)
    try:
        return await conn.fetchval(sql)
    finally:
        await conn.close()


def fresh_folder(folder: Path) -> None:
    """Empties a folder of an earlier demo, stopping what runs there. Raises EmbeddedError for any other."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise EmbeddedError(f"{folder} holds something that is not a demo's. Give another with --dir.")
        Stack(folder).down()
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARK).touch()


def prepare(stack: Stack, referrals: int, file: Path | None, watch: Watch) -> Demo:
    """Registers the partners, makes the keys and plans what is sent. Raises EmbeddedError and OSError."""
    names = {**{name: each.name for name, each in plans.REFERRERS.items()}, plans.PROVIDER[0]: plans.PROVIDER[1]}
    partners = {name: add_partner(stack.site, name, label) for name, label in names.items()}
    wards = [area.code for area in default_areas().areas if area.ward is None]
    public_key = partners["gp-armley"]["public_key"]
    plan = plans.make(referrals, wards, public_key, datetime.now(UTC).date())
    if file is not None:
        plan = plans.Plan(
            plans.from_file(file.read_text().splitlines(), public_key), plan.providers, plan.places, is_known=False
        )
    keys = {(role, who): add_key(stack.site, role, who)["api_key"] for role, who in KEYS}
    return Demo(stack, plan, partners, keys, watch)
