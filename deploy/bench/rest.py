"""Whether everything has come to rest, and what every process used meanwhile."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import psutil  # type: ignore[import-untyped, unused-ignore]
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.kafka import client_options
from contracts.message import SERVICES, Service
from contracts.topics import inbox
from deploy.bench.city import City
from deploy.embedded.processes import EmbeddedError, recall

LOOK_EVERY: Final = 0.05
REST_WITHIN: Final = 300.0
READERS_OF_INBOXES: Final[tuple[Service, ...]] = ("referrals", "matching")

Place = tuple[str, int]


@dataclass(slots=True)
class Watcher:
    """Looks from outside: at the ends of the log, and in every service's database at what it has read and said."""

    city: City
    kafka: AIOKafkaConsumer
    databases: dict[Service, "asyncpg.Connection[asyncpg.Record]"]
    ends: dict[Place, int] = field(default_factory=dict)

    async def lag(self) -> int:
        """Records that a service has yet to read, all services together."""
        read = {service: await self._read(service) for service in SERVICES}
        places = sorted({place for of_service in read.values() for place in of_service})
        ends = await self.kafka.end_offsets([TopicPartition(*place) for place in places])
        self.ends = {(place.topic, place.partition): end for place, end in ends.items()}
        return sum(
            max(0, self.ends[place] - next_) for of_service in read.values() for place, next_ in of_service.items()
        )

    async def _read(self, service: Service) -> dict[Place, int]:
        rows = await self.databases[service].fetch("select topic, partition, next_offset from consumer_offset")
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def unsaid(self) -> bool:
        return any([await conn.fetchval("select exists (select from outbox)") for conn in self.databases.values()])

    async def rest(self) -> float:
        """The moment since which nothing is left: two looks in a row found no lag, no fact unsaid and nothing new."""
        deadline, since, before = time.perf_counter() + REST_WITHIN, 0.0, None
        while True:
            looked, lag = time.perf_counter(), await self.lag()
            quiet = lag == 0 and not await self.unsaid()
            if quiet and self.ends == before:
                return since
            since, before = looked, (self.ends if quiet else None)
            if looked > deadline:
                raise EmbeddedError(
                    f"The services did not come to rest within {REST_WITHIN:g} s: {lag} records are left."
                )
            await asyncio.sleep(LOOK_EVERY)

    async def every_inbox_is_read(self) -> None:
        wanted = {inbox(partner) for partner in self.city.partners}
        for service in READERS_OF_INBOXES:
            while not wanted <= {topic for topic, _ in await self._read(service)}:  # noqa: ASYNC110 - others' rows
                await asyncio.sleep(LOOK_EVERY)

    async def count(self, service: Service, sql: str) -> int:
        return int(await self.databases[service].fetchval(sql))


@contextlib.asynccontextmanager
async def watching(city: City) -> AsyncIterator[Watcher]:
    addresses = city.addresses
    databases = {service: await asyncpg.connect(addresses["services"][service]["database"]) for service in SERVICES}
    try:
        async with AIOKafkaConsumer(**client_options(city.stack.site.kafka, "bench-watch")) as kafka:
            watcher = Watcher(city, kafka, databases)
            async with asyncio.timeout(30):
                await watcher.every_inbox_is_read()
            await watcher.rest()
            yield watcher
    finally:
        for conn in databases.values():
            await conn.close()


def processes(city: City) -> dict[str, psutil.Process]:
    """Each service, and the servers, by name."""
    found = {name: recall(city.stack.dir, name) for name in (*SERVICES, "postgres", "kafka")}
    return {name: psutil.Process(process.pid) for name, process in found.items() if process}


def cpu_seconds(city: City) -> dict[str, float]:
    """Processor time so far, of a server with its children: PostgreSQL has one for each connection."""
    return {name: sum(_used(each) for each in _family(process)) for name, process in processes(city).items()}


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def memory_mb(city: City) -> dict[str, float]:
    """Resident memory of each service."""
    running: dict[str, Any] = processes(city)
    return {service: round(running[service].memory_info().rss / 2**20, 1) for service in SERVICES}
