"""Takes out what has outlived its time, a little at a time, so that no table is locked for long."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.due import until_stopped
from chassis.postgres import Database

CHUNK: Final = 5000
LOOK_EVERY: Final = 600.0

KEPT: Final[Mapping[str, timedelta]] = {
    "delete from inbox where ctid in (select ctid from inbox where taken_at < $1 limit $2)": timedelta(days=30),
    "delete from said where ctid in (select ctid from said where said_at < $1 limit $2)": timedelta(days=35),
    """delete from dead_letter
       where ctid in (select ctid from dead_letter where dead_at < $1 limit $2)""": timedelta(days=30),
}
"""How long claims of ids, what was said, and dead letters are kept."""


@dataclass(slots=True)
class Tidy:
    """Deletes by age. What one round leaves, the next takes."""

    database: Database
    clock: Callable[[], datetime]

    async def run(self, stopping: asyncio.Event) -> None:
        await until_stopped(stopping, "tidy", self.once, LOOK_EVERY)

    async def once(self) -> int:
        """The number of rows taken out."""
        taken = 0
        for sql, age in KEPT.items():
            done = await self.database.execute(sql, self.clock() - age, CHUNK)
            taken += int(done.rpartition(" ")[2])
        return taken
