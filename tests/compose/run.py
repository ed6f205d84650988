"""The journey over compose, through the outside doors, while containers die: then rest, and every effect counted."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import httpx2

from contracts.message import SERVICES
from deploy import certificates
from deploy.demo.owed import Owed
from deploy.demo.witness import Evidence
from deploy.embedded import mail
from deploy.kafka.log import Log
from tests.compose import isolation
from tests.compose.deployment import Composed
from tests.compose.drill import Drill
from tests.compose.upgrade import Upgrade
from tests.faults.checks import rebuilt
from tests.faults.verdict import Verdict, judge, rest
from tests.faults.workload import NAMES, PROVIDER, Workload, opened, plan_of

WELL_WITHIN: Final = 240.0
AT_REST_WITHIN: Final = 600.0
CRASHED: Final = (*SERVICES, "edge", "postgres", "kafka-1")

Report = Callable[[str], None]


@dataclass(slots=True)
class Trial:
    deployment: Composed
    referrals: int
    seed: int
    report: Report
    parts: Collection[str] = ("faults", "upgrade", "drill")
    happened: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    workload: Workload = field(init=False)
    partners: dict[str, dict[str, Any]] = field(init=False)
    drill: Drill = field(init=False)
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> None:
        """Raises ComposeError, AssertionError and DeployError where something is not as it should be."""
        self._tell("docker compose up")
        await asyncio.to_thread(self.deployment.up)
        self._tell("all is healthy; registering partners")
        self.partners = {
            name: await asyncio.to_thread(self.deployment.furthest, "partner", "add", name, "--name", label)
            for name, label in NAMES.items()
        }
        edge: dict[str, Any] = {service: {"http": self.deployment.edge} for service in SERVICES}
        async with opened(self.partners, edge, self.deployment.ca) as doors:
            plan = await asyncio.to_thread(plan_of, self.referrals, self.seed, self.partners)
            self.workload = Workload(plan, doors, Random(self.seed))  # noqa: S311 - a workload, no secret
            self.drill = Drill(self.deployment, self.workload, self._tell)
            if "faults" in self.parts:
                await self._journey()
            if "upgrade" in self.parts:
                await self._upgrade()
            if "drill" in self.parts:
                await self._drill()

    async def _journey(self) -> None:
        async with self._at_work():
            await self.workload.open_places()
            await self._faults()
            await self._isolation()
            self._tell("waiting until nothing is left to do")
            await rest(self.workload, self._log, self.deployment.databases(), AT_REST_WITHIN)
        self._tell("at rest; counting effects")
        for answer, times in self.workload.refused_wrongly.items():
            self._tell(f"{times} times refused what should have been taken: {answer}")
        mails = mail.received(self.deployment.folder)
        besides = [isolation.SUSPENDED]
        databases, checks = self.deployment.databases(), [self._rebuilt]
        self.verdict = await judge(self.workload, self._log, databases, mails, besides, checks)

    async def _rebuilt(self, _: Evidence) -> list[Owed]:
        made = await asyncio.to_thread(self.deployment.furthest, "rebuild", "reporting")
        return [rebuilt(made["tables"])]

    async def _upgrade(self) -> None:
        async with self._at_work():
            await Upgrade(self.deployment, self.drill).run()
        self.happened.append("every service is upgraded")

    async def _drill(self) -> None:
        async with self._at_work():
            await self.workload.open_places()
            await self.drill.run()

    @property
    def missing(self) -> dict[str, int]:
        """What each service did not know any more after the drill, and was sent or done again."""
        return self.drill.missing if hasattr(self, "drill") else {}

    @property
    def _log(self) -> Log:
        return Log(self.deployment.kafka)

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.workload.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _faults(self) -> None:
        faults: dict[str, Callable[[], None]] = {
            **{f"{name} is killed": lambda name=name: self.deployment.crash(name) for name in CRASHED},  # type: ignore[misc]
            "postgres is restarted": lambda: self._compose("restart", "postgres"),
            "matching has three replicas": lambda: self._scale(3),
            "matching has one replica": lambda: self._scale(1),
            "everything is made anew, volumes are kept": self._again,
        }
        parts = len(faults) + 2
        for what, act in faults.items():
            await self.workload.release(parts)
            await asyncio.to_thread(act)
            await self._well(what)
        await self._without_a_broker(parts)

    async def _without_a_broker(self, parts: int) -> None:
        """One of three is away, and referrals go on all the same."""
        await asyncio.to_thread(self._compose, "stop", "kafka-2")
        for _ in range(2):
            await self.workload.release(parts)
        async with asyncio.timeout(WELL_WITHIN):
            await self.workload.all_sent()
        self._tell("one broker of three was stopped; all referrals were taken meanwhile")
        await asyncio.to_thread(self._compose, "start", "kafka-2")
        await self._well("kafka-2 is stopped and started")

    async def _isolation(self) -> None:
        mine, other = self.partners["gp-armley"], self.partners[PROVIDER]
        staff = await asyncio.to_thread(
            self.deployment.furthest, "key", "add", "--role", "staff", "--principal", "tester"
        )
        stranger = self.deployment.folder / "stranger"
        certificates.make(stranger, ["localhost"], datetime.now(UTC))
        async with httpx2.AsyncClient(timeout=20, verify=isolation.trusting(self.deployment.ca)) as http:
            await isolation.of_others(mine, other)
            self._tell("a partner reaches no other's topics and groups")
            await isolation.without_proof(mine, (stranger / "ca.pem").read_text())
            isolation.speaks_only_new_tls(self.deployment)
            self._tell("nobody connects without TLS, with another's certificate or a wrong password")
            await isolation.hidden(self.deployment, http, staff["api_key"])
            self._tell("what is not for outside is not there")
            seconds = await isolation.revoked(self.deployment, http)
            self._tell(f"a suspended partner was shut out of both doors after {seconds:.1f} s")

    async def _well(self, what: str) -> None:
        began = time.monotonic()
        while trouble := await asyncio.to_thread(self.deployment.trouble):
            if time.monotonic() - began > WELL_WITHIN:
                raise AssertionError(f"{what}, and after {WELL_WITHIN:g} s {trouble}")
            await asyncio.sleep(1)
        self.happened.append(what)
        self._tell(f"{what}: well again after {time.monotonic() - began:.0f} s")

    def _compose(self, *words: str) -> None:
        self.deployment.compose(*words)

    def _scale(self, replicas: int) -> None:
        self._compose("up", "--wait", "--no-recreate", "--scale", f"matching={replicas}")

    def _again(self) -> None:
        self.deployment.down()
        self.deployment.up()

    def _tell(self, line: str) -> None:
        self.report(f"{time.monotonic() - self._began:7.1f} s  {line}")
