"""What a referral costs with few and with many stored: time, WAL and buffers, for the same work."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from statistics import median
from typing import Any, Final

import asyncpg

from contracts.message import SERVICES, Service
from deploy.bench import numbers
from deploy.bench.city import City
from deploy.bench.doors import KafkaDoors
from deploy.bench.plan import Sizes
from deploy.bench.rest import Watcher, watching
from deploy.embedded.stack import Report

HALF_A_YEAR: Final = timedelta(days=182)
HEARD: Final[dict[Service, tuple[int, int]]] = {
    "referrals": (4, 7),
    "matching": (1, 4),
    "notifications": (4, 2),
    "reporting": (9, 0),
}
"""Facts that each service takes and says of a referral: so many ids and said rows are kept."""
Counters = dict[str, int]


@dataclass(slots=True)
class Cost:
    city: City
    watcher: Watcher
    doors: KafkaDoors
    sizes: Sizes
    report: Report
    services: Collection[Service]
    stored: int = 0
    raw: dict[str, Any] = field(default_factory=dict)

    async def warm_up(self) -> None:
        await self.doors.send(self.city.referrals(self.sizes.warm_up))
        await self.watcher.rest()

    async def fill(self, referrals: int) -> None:
        """As if so many had come in over half a year, of which one in ten still waits; by SQL, past the doors."""
        self.report(f"storing {referrals:,} referrals")
        await asyncio.gather(*(self._fill(service, referrals) for service in self.services))
        self.stored = referrals

    async def _fill(self, service: Service, last: int) -> None:
        heard, said = HEARD[service]
        step = HALF_A_YEAR / self.sizes.many / timedelta(milliseconds=1)
        named = {
            "first": self.stored + 1,
            "last": last,
            "step": int(step),
            "wards": f"array{self.city.wards}",
            "heard": heard,
            "said": said,
        }
        async with _superuser(self.city, service) as conn:
            # Without its triggers foreign keys are not looked up one by one: the rows are made to fit.
            await conn.execute("set session_replication_role = replica; set synchronous_commit = off")
            await conn.execute("set temp_buffers = '256MB'; set work_mem = '64MB'")
            for file in ("common", service):
                sql = (files(__package__) / "fill" / f"{file}.sql").read_text(encoding="utf-8")
                await conn.execute(sql.format(**named) if file == "common" else sql)
            await conn.execute("drop table stored, stored_need")
            await conn.execute("vacuum analyze")

    async def measure(self, size: str) -> None:
        """The counters of rounds of the same work, less what the services use meanwhile when they are idle.

        It begins with a checkpoint, so that with few and with many as much is written since the last one.
        """
        idle = await self._idle()
        await self.run("postgres", "checkpoint")
        times: list[float] = []
        before, began = await self._counters(), time.perf_counter()
        for _ in range(self.sizes.rounds):
            times.append(await self._round())
            self.report(f"{size}: {times[-1] * 1000:.2f} ms a referral")
        await asyncio.sleep(self.sizes.settle)
        passed, after = time.perf_counter() - began, await self._counters()
        done = self.sizes.sample * self.sizes.rounds
        counted = {name: after[name] - before[name] for name in after}
        used = {name: (counted[name] - idle[name] * passed) / done for name in counted}
        self.raw[size] = {
            "stored": self.stored,
            "seconds": times,
            "counted": counted,
            "idle_per_s": idle,
            "per_referral": used,
        }

    async def _round(self) -> float:
        for service in HEARD:
            await self.run(service, "vacuum outbox")
        referrals = self.city.referrals(self.sizes.sample)
        began = time.perf_counter()
        await self.doors.send(referrals)
        return (await self.watcher.rest() - began) / len(referrals)

    async def run(self, database: str, sql: str) -> None:
        async with _superuser(self.city, database) as conn:
            await conn.execute(sql)

    async def _idle(self) -> dict[str, float]:
        await asyncio.sleep(self.sizes.settle)
        before, began = await self._counters(), time.perf_counter()
        await asyncio.sleep(self.sizes.settle)
        passed, after = time.perf_counter() - began, await self._counters()
        return {name: (after[name] - before[name]) / passed for name in after}

    async def _counters(self) -> Counters:
        async with _superuser(self.city, "postgres") as conn:
            wal = await conn.fetchval("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
            rows = await conn.fetch(
                "select datname, blks_hit + blks_read as n from pg_stat_database where datname = any($1)",
                list(SERVICES),
            )
        return {"wal": int(wal), **{f"buffers_{row['datname']}": int(row["n"]) for row in rows}}


@asynccontextmanager
async def _superuser(city: City, database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    server = city.stack.site.database  # without the time-out of a service: a million rows take minutes
    conn = await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password.get_secret_value(),
        database=database,
    )
    try:
        yield conn
    finally:
        await conn.close()


async def measure(city: City, sizes: Sizes, report: Report, wanted: Collection[str] = "h") -> dict[str, Any]:
    """The cost with few and with many stored, and the page of numbers over many."""
    async with watching(city) as watcher, KafkaDoors(city.partners) as doors:
        whole = "h" in wanted
        cost = Cost(city, watcher, doors, sizes, report, tuple(HEARD) if whole else ("reporting",))
        # It would look at small tables that grow fast again and again, and at large ones never.
        await cost.run("postgres", "alter system set autovacuum = off")
        await cost.run("postgres", "select pg_reload_conf()")
        await cost.warm_up()
        stores = {"few": sizes.few, "many": sizes.many} if whole else {"many": sizes.many}
        for size, stored in stores.items():
            await cost.fill(stored)
            if whole:
                await cost.measure(size)
        if "k" in wanted:
            report("publishing, and asking for the page")
            cost.raw["page"] = {"stored": cost.stored, **await numbers.page(city)}
        return cost.raw


def compared(raw: dict[str, Any]) -> dict[str, float]:
    """Many against few: 1 is a cost that does not grow."""
    few, many = raw["few"], raw["many"]
    return {
        "time": median(many["seconds"]) / median(few["seconds"]),
        "wal": many["per_referral"]["wal"] / few["per_referral"]["wal"],
        "buffers": _buffers(many) / _buffers(few),
    }


def _buffers(measured: dict[str, Any]) -> float:
    return float(sum(n for name, n in measured["per_referral"].items() if name.startswith("buffers_")))
