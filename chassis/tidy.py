"""Takes out what has outlived its time, a little at a time, so that no table is locked for long."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis import letter_rows
from chassis.due import until_stopped
from chassis.logs import logger
from chassis.postgres import Database

log = logger("tidy")

CHUNK: Final = 5000
LOOK_EVERY: Final = 600.0

KEPT: Final[Mapping[str, timedelta]] = {
    "delete from inbox where ctid in (select ctid from inbox where taken_at < $1 limit $2)": timedelta(days=30),
    "delete from said where ctid in (select ctid from said where said_at < $1 limit $2)": timedelta(days=35),
}
"""How long claims of ids and what was said are kept."""
LETTERS_KEPT: Final = timedelta(days=30)


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
        return taken + await self._letters()

    async def _letters(self) -> int:
        """Bodies last 30 days, settled or not. One that nobody settled is lost with a word and an audit row."""
        at = self.clock()
        async with self.database.acquire() as conn:
            gone = await letter_rows.expire(conn, at - LETTERS_KEPT, CHUNK, at)
        lost = [row["id"] for row in gone if row["settled_at"] is None]
        if lost:
            log.error("dead_letters_expired", number=len(lost), letters=lost[:100])
        return len(gone)
