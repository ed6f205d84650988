"""Work with a time: rows that fall due become events, and are run once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import asyncpg
from pydantic import BaseModel

from chassis import delivery
from chassis.envelope import Event
from chassis.failpoints import failpoint
from chassis.logs import logger
from chassis.metrics import DEGRADED
from chassis.waiting import happened
from chassis.work import Batch, Worker

log = logger("due")

BATCH: Final = 500
LOOK_EVERY: Final = 0.25
RESULT_WITHIN: Final = timedelta(seconds=120)


async def until_stopped(
    stopping: asyncio.Event, name: str, once: Callable[[], Awaitable[int]], look_every: float = LOOK_EVERY
) -> None:
    """Runs `once` again at once while it finds work, else after a pause, and ends between two runs.

    What is unavailable is waited for.
    """
    pause = 0.5
    while not stopping.is_set():
        try:
            found = await once()
            DEGRADED.labels(part=name).set(0)
            pause = 0.5
            if not found:
                await happened(stopping, look_every)
        except Exception as error:
            DEGRADED.labels(part=name).set(1)
            log.warning("paused", part=name, pause=pause, exc_info=error)
            await happened(stopping, pause)
            pause = min(pause * 2, 30.0)


def _event(row: asyncpg.Record, source: str, data: BaseModel) -> Event[Any]:
    return Event(row["id"], source, type(data).__name__, row["at"], row["key"], row["key"], data, row["correlation"])


@dataclass(slots=True)
class DueWork:
    """Runs a service's due rows through its handlers, by the class of their data."""

    worker: Worker
    kinds: Mapping[str, tuple[type[BaseModel], Any]]
    clock: Callable[[], datetime]

    async def run(self, stopping: asyncio.Event) -> None:
        await until_stopped(stopping, "due", self.once)

    async def once(self) -> int:
        async with self.worker.database.acquire() as conn:
            rows = await delivery.due_rows(conn, self.clock(), BATCH)
        if rows:
            source = f"/furthest/{self.worker.service}/due"
            events = [_event(row, source, self.kinds[row["type"]][0].model_validate_json(row["value"])) for row in rows]
            await self.worker.run(Batch("due", events, rows_of="due"))
        return len(rows)


class NotCalled(Exception):
    """The call certainly did not happen: it is made again after a while."""


class Sender(Protocol):
    """Makes calls to the outside. It is given errands whose attempt is committed.

    Returns one result for each, in order; a result is a model that the service handles. Raises NotCalled
    where none of the calls was made.
    """

    async def __call__(self, errands: list[Any]) -> list[BaseModel]: ...

    def lost(self, errand: Any) -> BaseModel:
        """The result to record for a call of which nobody knows whether it happened."""
        ...


@dataclass(slots=True)
class Senders:
    """Makes a service's calls to the outside: commit the attempt, call, record the result.

    A process that begins again under the name of its replica knows that its calls before are lost; those of
    another are lost when their result has not come in time.
    """

    worker: Worker
    kinds: Mapping[str, tuple[type[BaseModel], Sender]]
    clock: Callable[[], datetime]
    replica: str
    began: datetime
    batch: int = 100
    retry_after: timedelta = timedelta(seconds=5)

    async def run(self, stopping: asyncio.Event) -> None:
        await until_stopped(stopping, "senders", self.once)

    async def once(self) -> int:
        async with self.worker.database.acquire() as conn:
            in_time = self.clock() - RESULT_WITHIN
            lost = await delivery.lost_errands(conn, in_time, self.replica, self.began, self.batch)
            rows = await delivery.begin_errands(conn, self.clock(), self.replica, self.batch)
        await self._record([(row, self.kinds[row["type"]][1].lost(self._data(row))) for row in lost])
        by_type: dict[str, list[asyncpg.Record]] = {}
        for row in rows:
            by_type.setdefault(row["type"], []).append(row)
        for kind, those in by_type.items():
            await self._call(self.kinds[kind][1], those)
        return len(rows) + len(lost)

    def _data(self, row: asyncpg.Record) -> BaseModel:
        return self.kinds[row["type"]][0].model_validate_json(row["value"])

    async def _call(self, sender: Sender, rows: list[asyncpg.Record]) -> None:
        try:
            results = await sender([self._data(row) for row in rows])
            failpoint("after-attempt")
        except NotCalled as error:
            log.warning("not_called", errands=len(rows), exc_info=error.__cause__ or error)
            async with self.worker.database.acquire() as conn:
                await delivery.put_back(conn, [row["id"] for row in rows], self.clock() + self.retry_after)
            return
        await self._record(list(zip(rows, results, strict=True)))

    async def _record(self, results: list[tuple[asyncpg.Record, BaseModel]]) -> None:
        if results:
            source = f"/furthest/{self.worker.service}/errand"
            events = [_event(row, source, result) for row, result in results]
            await self.worker.run(Batch("errands", events, rows_of="errand"))
