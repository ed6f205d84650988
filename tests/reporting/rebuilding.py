"""Reporting on a log of its own; `python -m tests.reporting.rebuilding TOPIC OWNER` is a rebuild that can be killed."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from chassis.ids import uuid7
from chassis.kafka import client_options
from chassis.postgres import Database
from chassis.rebuild import Rebuilt, rebuild
from chassis.service import Service, now, serving
from chassis.settings import DatabaseSettings
from contracts.message import Message
from deploy.embedded.processes import Process, spawn, stop
from services.reporting.service import build
from services.reporting.settings import ReportingSettings
from tests.support import NOON

PACKAGE = "services.reporting"
PARTITIONS = 3


def reading(topic: str, settings: ReportingSettings) -> Service:
    return replace(build(settings), reads={topic: PARTITIONS})


@dataclass
class Live:
    """Reporting that reads one topic for all facts."""

    settings: ReportingSettings
    owner: DatabaseSettings
    database: Database
    topic: str
    folder: Path
    written: int = 0

    @property
    def service(self) -> Service:
        return reading(self.topic, self.settings)

    @contextlib.asynccontextmanager
    async def running(self, service: Service | None = None) -> AsyncIterator[None]:
        async with serving(service or self.service, self.settings, self.database, now, lambda why: None):
            yield

    async def rebuild(self, *, accept: bool = False) -> Rebuilt:
        return await rebuild(self.service, self.settings, self.owner, PACKAGE, accept=accept)

    @contextlib.contextmanager
    def rebuilding(self, **environment: str) -> Iterator[Process]:
        """The same as a process of its own."""
        argv = [sys.executable, "-m", "tests.reporting.rebuilding", self.topic, self.owner.user]
        shown = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in dict(self.settings).items()
            if value is not None
        }
        env = {f"FURTHEST_{name.upper()}": value for name, value in shown.items()}
        process = spawn("rebuild", argv, dir=self.folder, env={**env, **environment})
        try:
            yield process
        finally:
            stop(process, 10)

    async def write(self, *facts: Message) -> None:
        producer = AIOKafkaProducer(**client_options(self.settings.kafka, "test"), acks="all")
        await producer.start()
        try:
            for fact in facts:
                identity = {"id": str(uuid7(NOON, secrets.token_hex(8))), "type": fact.spec.type}
                fields = {"specversion": "1.0", "source": f"/furthest/{fact.spec.owner}", **identity}
                headers = [(f"ce_{name}", text.encode()) for name, text in fields.items()]
                await producer.send(self.topic, fact.model_dump_json().encode(), fact.key().encode(), headers=headers)
        finally:
            await producer.stop()
        self.written += len(facts)

    async def unread(self) -> int:
        read = await self.database.fetchval("select sum(next_offset)::bigint from consumer_offset")
        return self.written - int(read or 0)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.fetch(sql, *args)]


if __name__ == "__main__":
    _settings = ReportingSettings.load()
    _owner = _settings.database.model_copy(update={"user": sys.argv[2]})
    asyncio.run(rebuild(reading(sys.argv[1], _settings), _settings, _owner, PACKAGE, accept=False))
