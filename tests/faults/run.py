"""One run: everything up, partners at work, faults by the schedule, then rest, and every effect counted."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx2

from chassis.rebuild import rebuild
from contracts.message import SERVICES, Service
from deploy.demo.owed import Owed
from deploy.demo.witness import Evidence
from deploy.kafka.log import Log
from deploy.partners import add_key, add_partner
from deploy.wiring import build
from tests.faults.calling import Staff
from tests.faults.checks import rebuilt
from tests.faults.deployment import Deployment
from tests.faults.doing import Doer, Happened
from tests.faults.schedule import Fault
from tests.faults.verdict import Verdict, judge, rest
from tests.faults.workload import NAMES, Workload, opened, plan_of

AT_REST_WITHIN: Final = 900.0
AT_ONCE: Final = 2
"""Faults that may overlap."""

Report = Callable[[str], None]


@dataclass(slots=True)
class Trial:
    """`referrals` people are referred while `faults` happen."""

    folder: Path
    seed: int
    referrals: int
    faults: Sequence[Fault]
    report: Report
    off: str = ""
    at_once: int = AT_ONCE
    deployment: Deployment = field(init=False)
    workload: Workload = field(init=False)
    happened: list[Happened] = field(default_factory=list)
    verdict: Verdict | None = None

    async def run(self) -> None:
        began = time.monotonic()
        self.deployment = Deployment(self.folder, self.off)
        self.report(f"seed {self.seed}: starting everything in {self.folder}")
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.deployment.down)
            carrier = await stack.enter_async_context(self.deployment.carrier.serving())
            await self.deployment.up()
            site = self.deployment.stack.site
            partners = {n: await asyncio.to_thread(add_partner, site, n, label) for n, label in NAMES.items()}
            self.report(
                f"up after {time.monotonic() - began:.0f} s; {len(self.faults)} faults, {self.referrals} referrals"
            )
            doors = await stack.enter_async_context(opened(partners, self.deployment.addresses["services"]))
            plan = await asyncio.to_thread(plan_of, self.referrals, self.seed, partners)
            self.workload = Workload(plan, doors, Random(self.seed))  # noqa: S311 - a workload, no secret
            async with self._at_work() as staff:
                await self._do_faults()
                await staff.end()
                self.report(f"staff have done {len(staff.done)} tasks; the carrier has {len(carrier.kept)} messages")
                await self._rest()
                self.report(f"{self.workload.expired} offers have expired")
            mails = Path(self.deployment.addresses["mail"]["received"])
            checks = (carrier.check, staff.check, self._rebuilt)
            self.verdict = await judge(self.workload, self._log, self._databases, mails, checks=checks)

    async def _rebuilt(self, _: Evidence) -> list[Owed]:
        site = self.deployment.stack.site
        settings, owner = site.settings("reporting"), site.roles("reporting").owner
        made = await rebuild(build("reporting", settings), settings, owner, "services.reporting", accept=False)
        return [rebuilt(made.document()["tables"])]

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[Staff]:
        """The keeper and the partners, for the time of a block."""
        async with asyncio.TaskGroup() as group:
            staff = await self._staff()
            calls_back = self.deployment.carrier.tell(self.deployment.addresses["services"]["notifications"]["http"])
            working = (self.deployment.keep(), self.workload.run(), staff.work(), calls_back)
            tasks = [group.create_task(work) for work in working]
            yield staff
            for task in tasks:
                task.cancel()

    async def _staff(self) -> Staff:
        key = await asyncio.to_thread(add_key, self.deployment.stack.site, "staff", "amina")
        return Staff(self.deployment.addresses["services"]["notifications"]["http"], key["api_key"])

    async def _do_faults(self) -> None:
        """Each begins with a part of the referrals; few at once, so that one can be told from the other."""
        await self.workload.open_places()
        room = asyncio.Semaphore(self.at_once)
        async with httpx2.AsyncClient(timeout=5) as http, asyncio.TaskGroup() as group:
            doer = Doer(self.deployment, self.workload, http)

            async def do(fault: Fault) -> None:
                try:
                    self.happened.append(done := await doer.do(fault))
                    self.report(str(done))
                finally:
                    room.release()

            for fault in self.faults:
                await room.acquire()
                await self.workload.release(len(self.faults))
                group.create_task(do(fault))
                await asyncio.sleep(fault.pause)

    async def _rest(self) -> None:
        self.report("all faults are over; waiting until nothing is left to do")
        began = time.monotonic()
        await rest(self.workload, self._log, self._databases, AT_REST_WITHIN)
        while not self.deployment.carrier.has_told:
            await rest(self.workload, self._log, self._databases, AT_REST_WITHIN)
        self.report(f"at rest after {time.monotonic() - began:.0f} s; counting effects")

    @property
    def _log(self) -> Log:
        return Log(self.deployment.stack.site.kafka)

    @property
    def _databases(self) -> dict[Service, str]:
        return {service: self.deployment.addresses["services"][service]["database"] for service in SERVICES}

    @property
    def is_well(self) -> bool:
        """Whether all was counted, is right, and got well again after each fault."""
        healed = all(each.healed is not None for each in self.happened)
        return healed and self.verdict is not None and self.verdict.is_well

    def result(self) -> dict[str, Any]:
        return (self.verdict or Verdict([], 0, 0)).document(self.seed, len(self.happened))
