"""A whole deployment behind proxies, whose processes are started again when they die, as an orchestrator would."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis.kafka import client_options
from contracts.catalogue import READS_INBOXES
from contracts.message import SERVICES, Service
from deploy.embedded import kafka, postgres
from deploy.embedded.kafka_properties import Door
from deploy.embedded.ports import free_port
from deploy.embedded.processes import Process, recall, spawn, stop
from deploy.embedded.stack import Stack
from tests.faults.carrier import Carrier
from tests.faults.proxy import Proxy

SERVERS: Final = ("kafka", "postgres")
LOOK_EVERY: Final = 0.25
GRACE: Final = 40.0
INTERNAL_PORT: Final = "FURTHEST_INTERNAL_PORT"
ADMIN_WITHIN: Final = 10.0
OFFER_LASTS: Final = 45.0
"""Seconds: what providers leave lying expires while faults happen, and some answers come too late."""


@dataclass(slots=True)
class Replica:
    """One process of a service. `armed` is where its next process is to be killed; `held` ones stay down."""

    service: Service
    number: int
    port: int
    armed: str = ""
    held: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}" if self.number else self.service


@dataclass
class ProxiedStack(Stack):
    """Its services reach Kafka and Postgres through ports of ours, and may have a guard switched off.

    `more` is what the notifications service is told beside that.
    """

    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    off: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def environment(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        return {
            **super().environment(service, addresses),
            "FURTHEST_KAFKA_BOOTSTRAP": f"127.0.0.1:{self.ports[service, 'kafka']}",
            "FURTHEST_DATABASE_PORT": str(self.ports[service, "postgres"]),
            "FURTHEST_TEST_OFF": self.off,
            **(self.more if service == "notifications" else {}),
            **({"FURTHEST_OFFER_DAYS": str(OFFER_LASTS / 86_400)} if service == "matching" else {}),
        }


@dataclass(slots=True)
class Deployment:
    folder: Path
    off: str = ""
    carrier: Carrier = field(default_factory=Carrier)
    stack: ProxiedStack = field(init=False)
    addresses: dict[str, Any] = field(default_factory=dict)
    proxies: dict[tuple[str, str], Proxy] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    replicas: dict[str, Replica] = field(default_factory=dict)
    restarts: int = 0
    _admin: AIOKafkaAdminClient | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def up(self) -> None:
        for service in SERVICES:
            self.doors[service] = Door(free_port(), free_port())
            self._stand_before(service, "kafka", self.doors[service].advertised, self.doors[service].port)
            self._stand_before(service, "postgres", free_port(), None)
        for proxy in self.proxies.values():
            await proxy.start()
        ports = {line: proxy.port for line, proxy in self.proxies.items()}
        self.stack = ProxiedStack(self.folder, ports=ports, off=self.off, more=self.carrier.settings)
        await asyncio.to_thread(self.start_kafka)
        self.addresses = await asyncio.to_thread(self.stack.up)
        for service, where in self.addresses["services"].items():
            self.replicas[service] = Replica(service, 0, int(where["http"].rpartition(":")[2]))

    def _stand_before(self, service: Service, server: str, port: int, to: int | None) -> None:
        file = self.folder / server / "port"
        self.proxies[service, server] = Proxy(port, lambda: to or int(file.read_text() or 0))

    def start_kafka(self) -> None:
        kafka.start(self.folder, doors=self.doors)

    def start_postgres(self) -> None:
        postgres.start(self.folder)

    async def down(self) -> None:
        extra = [name for name, replica in self.replicas.items() if replica.number]
        for replica in self.replicas.values():
            replica.held = True
            with contextlib.suppress(ProcessLookupError):
                self.signal(replica, signal.SIGCONT)
        await asyncio.gather(*(self.stop(self.replicas[name]) for name in extra))
        await asyncio.to_thread(self.stack.down)
        await self._ask_another()
        for proxy in self.proxies.values():
            await proxy.stop()

    async def keep(self) -> None:
        """Starts again what died, until cancelled."""
        while True:
            for replica in list(self.replicas.values()):
                if not replica.held and self.process(replica) is None:
                    self.restarts += 1
                    self.start(replica)
            await asyncio.sleep(LOOK_EVERY)

    def process(self, replica: Replica) -> Process | None:
        return recall(self.folder, replica.name)

    def start(self, replica: Replica) -> None:
        environment = {
            **self.stack.environment(replica.service, self.addresses),
            "FURTHEST_HTTP_PORT": str(replica.port),
            "FURTHEST_REPLICA": str(replica.number),
            "FURTHEST_TEST_KILL_AT": replica.armed,
        }
        if replica.number and INTERNAL_PORT in environment:
            environment[INTERNAL_PORT] = str(free_port())
        replica.armed, replica.held = "", False
        spawn(replica.name, [sys.executable, "-m", f"services.{replica.service}"], dir=self.folder, env=environment)

    async def stop(self, replica: Replica) -> None:
        """Asks it to drain and end, and leaves it down."""
        replica.held = True
        process = self.process(replica)
        if process:
            await asyncio.to_thread(stop, process, GRACE)

    def signal(self, replica: Replica, number: signal.Signals) -> None:
        process = self.process(replica)
        if process:
            os.kill(process.pid, number)

    def add(self, service: Service) -> Replica:
        """One more process of a service."""
        number = max(each.number for each in self.replicas.values() if each.service == service) + 1
        replica = Replica(service, number, free_port())
        self.replicas[replica.name] = replica
        self.start(replica)
        return replica

    async def remove(self, replica: Replica) -> None:
        del self.replicas[replica.name]
        await self.stop(replica)

    async def trouble(self, services: Iterable[Service], http: httpx2.AsyncClient) -> str:
        """What is not well yet with these services: empty where all are ready, and each group has its members."""
        for service in services:
            mine = [replica for replica in self.replicas.values() if replica.service == service]
            for replica in mine:
                seen = await _ready(http, replica.port)
                if seen != "ok":
                    return f"{replica.name} is {seen}"
            found = await self.groups(service)
            if found != [("Stable", len(mine))] * len(found):
                return f"the groups of {service} are {found}"
        return ""

    async def groups(self, service: Service) -> list[tuple[str, int]]:
        """The state and the number of members of each consumer group of a service."""
        async with self._asking:
            try:
                async with asyncio.timeout(ADMIN_WITHIN):
                    admin = await self._asked()
                    described = [await admin.describe_consumer_groups([group]) for group in groups_of(service)]
            except (KafkaError, OSError, TimeoutError) as error:
                await self._ask_another()
                return [(type(error).__name__, 0)]
        return [(found.groups[0][2], len(found.groups[0][5])) for (found,) in described]

    async def _asked(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(**client_options(self.stack.site.kafka, "watcher"))
            await self._admin.start()
        return self._admin

    async def _ask_another(self) -> None:
        admin, self._admin = self._admin, None
        if admin:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(admin.close(), ADMIN_WITHIN)

    def forget(self, service: Service) -> bool:
        """Deletes the offsets that Kafka keeps for a service; false while it runs, or Kafka does not answer."""
        command = [sys.executable, "-m", "tests.faults.forget", str(self.folder), service]
        return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def groups_of(service: Service) -> list[str]:
    return [service, f"{service}.inbox"] if service in READS_INBOXES else [service]


async def _ready(http: httpx2.AsyncClient, port: int) -> str:
    try:
        seen = (await http.get(f"http://127.0.0.1:{port}/ready")).json()
    except (httpx2.HTTPError, ValueError) as error:
        return type(error).__name__
    return f"{seen['status']} ({', '.join(seen['degraded'])})" if seen.get("degraded") else str(seen["status"])
