"""Does each kind of fault, and waits until what it hit is well again."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.kafka import client_options
from contracts.message import SERVICES, Service
from deploy.embedded.processes import recall, stop
from tests.faults import poison
from tests.faults.deployment import Deployment, Replica
from tests.faults.schedule import Fault
from tests.faults.workload import Workload

WELL_WITHIN: Final = 180.0
REACHED_WITHIN: Final = 20.0
LOOK_EVERY: Final = 0.3
GRACE: Final = 40.0
LATENCY: Final = 0.12
RECORDS: Final = 5


@dataclass(frozen=True, slots=True)
class Happened:
    """`healed` is the number of seconds from the end of the fault until all was well; none where it was not."""

    fault: Fault
    at: float
    lasted: float
    healed: float | None
    note: str = ""

    def __str__(self) -> str:
        fault = self.fault
        end = f"well again after {self.healed:.1f} s" if self.healed is not None else "NOT WELL AGAIN"
        note = f" ({self.note})" if self.note else ""
        return f"{self.at:7.1f} s  {fault.kind:8} {fault.target:14} {fault.how:32} {self.lasted:5.1f} s, {end}{note}"


@dataclass(slots=True)
class Doer:
    deployment: Deployment
    workload: Workload
    http: httpx2.AsyncClient
    began: float = field(default_factory=time.monotonic)
    _busy: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def do(self, fault: Fault) -> Happened:
        """One at a time for each target."""
        async with self._busy[fault.target]:
            at = time.monotonic()
            note = await self._acts[fault.kind](fault) or ""
            over = time.monotonic()
            trouble = await self._well(fault)
            healed = None if trouble else time.monotonic() - over
            return Happened(fault, at - self.began, over - at, healed, trouble or note)

    async def _well(self, fault: Fault) -> str:
        """Waits; returns what is still not well when the time is up. A topic is as well as its readers."""
        services: tuple[Service, ...] = (fault.target,) if fault.target in SERVICES else SERVICES
        deadline = time.monotonic() + WELL_WITHIN
        while trouble := await self.deployment.trouble(services, self.http):
            if time.monotonic() > deadline:
                return trouble
            await asyncio.sleep(LOOK_EVERY)
        return ""

    @property
    def _acts(self) -> dict[str, Callable[[Fault], Awaitable[str | None]]]:
        return {
            "kill": self._kill,
            "kill-at": self._kill_at,
            "freeze": self._freeze,
            "restart": self._restart,
            "cut": self._cut,
            "delay": self._delay,
            "hang": self._hang,
            "again": self._again,
            "poison": self._poison,
            "scale": self._scale,
            "forget": self._forget,
        }

    def _replica(self, fault: Fault) -> Replica:
        return self.deployment.replicas[fault.target]

    async def _kill(self, fault: Fault) -> None:
        self.deployment.signal(self._replica(fault), signal.SIGKILL)

    async def _kill_at(self, fault: Fault) -> str | None:
        """Starts the service anew, to be killed at a point that it passes while it works."""
        replica = self._replica(fault)
        await self.deployment.stop(replica)
        replica.armed = fault.how
        self.deployment.start(replica)
        victim = self.deployment.process(replica)
        another = self.deployment.add(replica.service) if "rebalance" in fault.how else None
        reached = await self._until(lambda: self.deployment.process(replica) != victim, REACHED_WITHIN)
        if not reached:
            self.deployment.signal(replica, signal.SIGKILL)
        if another:
            await self.deployment.remove(another)
        return None if reached else "the point was not reached, so it was killed where it was"

    async def _freeze(self, fault: Fault) -> None:
        """Longer than the session lasts: when it goes on, it holds what another has taken over."""
        replica = self._replica(fault)
        another = self.deployment.add(replica.service) if fault.how != "alone" else None
        if another:
            await self._well(fault)
        self.deployment.signal(replica, signal.SIGSTOP)
        await asyncio.sleep(fault.lasts)
        self.deployment.signal(replica, signal.SIGCONT)
        if another:
            await self._well(fault)
            await self.deployment.remove(another)

    async def _restart(self, fault: Fault) -> None:
        first = {
            "killed": signal.SIGKILL,
            "asked to stop": signal.SIGTERM,
            "immediate": signal.SIGQUIT,
            "fast": signal.SIGINT,
        }[fault.how]
        process = recall(self.deployment.folder, fault.target)
        assert process
        await asyncio.to_thread(stop, process, GRACE, first)
        start = self.deployment.start_kafka if fault.target == "kafka" else self.deployment.start_postgres
        await asyncio.to_thread(start)

    async def _cut(self, fault: Fault) -> None:
        self.deployment.proxies[fault.target, fault.how].cut()

    async def _delay(self, fault: Fault) -> None:
        proxy = self.deployment.proxies[fault.target, fault.how]
        proxy.delay = LATENCY
        await asyncio.sleep(fault.lasts)
        proxy.mend()

    async def _hang(self, fault: Fault) -> None:
        """Nothing passes and nothing is refused; in the end the connections are lost."""
        proxy = self.deployment.proxies[fault.target, fault.how]
        proxy.hang()
        await asyncio.sleep(fault.lasts)
        proxy.cut()
        proxy.mend()

    async def _again(self, fault: Fault) -> None:
        await self.workload.again("http" if fault.target == "http" else "kafka")

    async def _poison(self, fault: Fault) -> None:
        for _ in range(RECORDS):
            bad = poison.make(fault.how, fault.target)
            if fault.target == "inbox":
                await self.workload.send_nonsense(bad.id, bad.headers, bad.value)
            else:
                await self._write(fault.target, bad)

    async def _write(self, topic: str, bad: poison.Poison) -> None:
        """As nobody but an administrator can. While Kafka does not take it, it is written again."""
        try:
            await self._try_to_write(topic, bad)
        except KafkaError:
            await asyncio.sleep(LOOK_EVERY)
            await self._write(topic, bad)

    async def _try_to_write(self, topic: str, bad: poison.Poison) -> None:
        kafka = self.deployment.stack.site.kafka
        producer = AIOKafkaProducer(**client_options(kafka, "poisoner"), acks="all")
        try:
            await producer.start()
            await producer.send_and_wait(topic, bad.value, key=b"poison", headers=bad.headers)
        finally:
            await producer.stop()

    async def _scale(self, fault: Fault) -> None:
        service = self._replica(fault).service
        more = [self.deployment.add(service) for _ in range(2)]
        await self._well(fault)
        await asyncio.sleep(fault.lasts)
        for replica in more:
            await self.deployment.remove(replica)

    async def _forget(self, fault: Fault) -> str | None:
        """Only Postgres knows then how far the service has read."""
        replica = self._replica(fault)
        await self.deployment.stop(replica)
        forgotten = await self._until(lambda: self.deployment.forget(replica.service), REACHED_WITHIN)
        self.deployment.start(replica)
        return None if forgotten else "Kafka kept the offsets"

    async def _until(self, condition: Callable[[], Any], within: float) -> bool:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if await asyncio.to_thread(condition):
                return True
            await asyncio.sleep(LOOK_EVERY)
        return False
