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

from contracts.message import SERVICES, Service
from deploy.demo.effects import owed
from deploy.demo.log import Log, come_to_rest
from deploy.demo.owed import Owed
from deploy.demo.witness import Evidence, said_in, sent_to
from deploy.partners import add_partner
from tests.faults.checks import invariants
from tests.faults.deployment import Deployment
from tests.faults.doing import Doer, Happened
from tests.faults.schedule import Fault
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
    owed: list[Owed] = field(default_factory=list)
    sent: int = 0
    dead_letters: int = 0

    async def run(self) -> None:
        began = time.monotonic()
        self.deployment = Deployment(self.folder, self.off)
        self.report(f"seed {self.seed}: starting everything in {self.folder}")
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.deployment.down)
            await self.deployment.up()
            site = self.deployment.stack.site
            partners = {n: await asyncio.to_thread(add_partner, site, n, label) for n, label in NAMES.items()}
            self.report(
                f"up after {time.monotonic() - began:.0f} s; {len(self.faults)} faults, {self.referrals} referrals"
            )
            doors = await stack.enter_async_context(opened(partners, self.deployment.addresses["services"]))
            plan = await asyncio.to_thread(plan_of, self.referrals, self.seed, partners)
            self.workload = Workload(plan, doors, Random(self.seed))  # noqa: S311 - a workload, no secret
            async with self._at_work():
                await self._do_faults()
                await self._rest()
            await self._count()

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """The keeper and the partners, for the time of a block."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.deployment.keep()), group.create_task(self.workload.run())]
            yield
            for task in tasks:
                task.cancel()

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
        await self.workload.all_sent()
        databases = [where["database"] for where in self.deployment.addresses["services"].values()]
        boxes = self.workload.mailboxes.values()

        def heard() -> dict[str, int]:
            return {box.credentials["outbox"]: box.read for box in boxes}

        await come_to_rest(self._log, databases, heard, AT_REST_WITHIN)
        self.report(f"at rest after {time.monotonic() - began:.0f} s; counting effects")

    @property
    def _log(self) -> Log:
        return Log(self.deployment.stack.site.kafka)

    async def _count(self) -> None:
        workload, addresses = self.workload, self.deployment.addresses
        said = await asyncio.to_thread(said_in, self._log, workload.doors)
        sent = await asyncio.to_thread(sent_to, self._log, workload.doors)
        for doors in workload.doors.values():
            sent += doors.http.sent
        databases: dict[Service, str] = {s: addresses["services"][s]["database"] for s in SERVICES}
        mails = Path(addresses["mail"]["received"])
        seen = Evidence(
            workload.submissions, workload.told, sent, said, mails, databases, workload.provider, workload.withdrawn
        )
        self.owed = [*await owed(seen), *await invariants(seen, workload.wants)]
        self.sent = sum(sent[submission.id] for submission in workload.submissions)
        letters = [await seen.rows(service, "select id from dead_letter") for service in SERVICES]
        self.dead_letters = sum(map(len, letters))

    @property
    def is_well(self) -> bool:
        return not any(line.is_wrong for line in self.owed) and all(each.healed is not None for each in self.happened)

    def result(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "faults": len(self.happened),
            "sent": self.sent,
            "lost": sum(line.lost for line in self.owed),
            "doubled": sum(line.doubled for line in self.owed),
            "disordered": sum(line.disordered for line in self.owed),
            "dead_letters": self.dead_letters,
        }
