"""The whole pipeline: referrals a second by each door, one alone on an idle system, and memory."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles
from typing import Any, Final
from uuid import UUID

from deploy.bench.city import City
from deploy.bench.doors import KafkaDoors, KeptAlive, Referral, post_all
from deploy.bench.plan import Sizes
from deploy.bench.rest import Watcher, cpu_seconds, memory_mb, watching
from deploy.embedded.processes import EmbeddedError
from deploy.embedded.stack import Report

CONNECTIONS: Final = 8
STEADY_AT: Final = 0.85
"""Of the speed that was measured: a steady stream at the full speed would have no room for what is uneven."""
TICK: Final = 0.1
LOOK_EVERY: Final = 0.001
VISIBLE: Final = "select exists (select from referral where referral_id = $1 and partner is not null)"


@dataclass(slots=True)
class Pipeline:
    """Measures on one city, and keeps what it found."""

    city: City
    watcher: Watcher
    doors: KafkaDoors
    sizes: Sizes
    report: Report
    raw: dict[str, Any] = field(default_factory=dict)
    done: int = 0

    @property
    def url(self) -> str:
        url: str = self.city.addresses["services"]["referrals"]["http"]
        return url

    @property
    def keys(self) -> dict[str, str]:
        return {name: credentials["api_key"] for name, credentials in self.city.partners.items()}

    async def by_kafka(self, referrals: list[Referral]) -> None:
        await self.doors.send(referrals)

    async def by_http(self, referrals: list[Referral]) -> None:
        await post_all(self.url, self.keys, referrals, CONNECTIONS)

    async def warm_up(self) -> None:
        for send in (self.by_kafka, self.by_http):
            await self._to_rest(send, self.sizes.warm_up)

    async def burst(self, name: str, send: Callable[[list[Referral]], Awaitable[None]], referrals: int) -> None:
        """One round: all at once, from the first sent until nothing is left to do."""
        before = cpu_seconds(self.city)
        seconds = await self._to_rest(send, referrals)
        used = {who: (now - before[who]) / referrals * 1000 for who, now in cpu_seconds(self.city).items()}
        self.raw.setdefault(f"{name}_per_s", []).append(referrals / seconds)
        self.raw.setdefault(f"{name}_cpu_ms", []).append(used)
        self.report(f"{name}: {referrals / seconds:,.0f} referrals a second")

    async def _to_rest(self, send: Callable[[list[Referral]], Awaitable[None]], wanted: int) -> float:
        referrals = self.city.referrals(wanted)
        began = time.perf_counter()
        await send(referrals)
        rested = await self.watcher.rest()
        self.done += wanted
        await self._assert_all_there()
        return rested - began

    async def _assert_all_there(self) -> None:
        """Every need came as far as it can: offered a place, or waiting for one."""
        settled = await self.watcher.count(
            "reporting", "select count(*) from need where status in ('offered', 'on-hold')"
        )
        if settled != 2 * self.done:
            raise EmbeddedError(f"{2 * self.done} needs were sent, and {settled} of them are settled in reporting.")

    async def steady(self) -> None:
        """An even stream for a minute: the lag must stay where it is."""
        rate, lags = STEADY_AT * median(self.raw["pipeline_per_s"]), []
        began, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < self.sizes.steady:
            due = int(passed * rate) - sent
            if due:
                await self.doors.send(self.city.referrals(due))
                sent += due
            lags.append(await self.watcher.lag())
            await asyncio.sleep(TICK)
        ended = time.perf_counter()
        after = await self.watcher.rest() - ended
        self.done += sent
        await self._assert_all_there()
        half = len(lags) // 2
        self.raw["steady"] = {
            "per_s": sent / (ended - began),
            "seconds": ended - began,
            "lag_first_half": median(lags[:half]),
            "lag_second_half": median(lags[half:]),
            "lag_most": max(lags),
            "seconds_to_rest_after": max(0.0, after),
        }

    async def singles(self) -> None:
        """One at a time, each when the one before is through; at uneven intervals, so that no poll keeps step."""
        random, waits = Random(4), []  # noqa: S311 - intervals
        async with KeptAlive(self.url) as door:
            for partner, submission_id, body in self.city.referrals(self.sizes.single):
                await asyncio.sleep(0.1 + random.random() * 0.1)
                waits.append(await self._one(door, self.keys[partner], submission_id, body))
        self.done += self.sizes.single
        await self.watcher.rest()
        await self._assert_all_there()
        self.raw["latency_ms"] = waits

    async def _one(self, door: KeptAlive, key: str, submission_id: str, body: bytes) -> float:
        """Milliseconds from the first byte sent to the moment at which the referral stands in reporting."""
        conn = self.watcher.databases["reporting"]
        began = time.perf_counter()
        answer = json.loads(await door.refer(key, submission_id, body))
        while not await conn.fetchval(VISIBLE, UUID(answer["referral_id"])):  # noqa: ASYNC110 - another process's row
            await asyncio.sleep(LOOK_EVERY)
        return (time.perf_counter() - began) * 1000

    def memory(self) -> None:
        self.raw["rss_mb"] = memory_mb(self.city)


async def measure(city: City, sizes: Sizes, only: Collection[str], report: Report) -> dict[str, Any]:
    """Every round of both doors, then what is measured once; returns the raw figures."""
    async with watching(city) as watcher, KafkaDoors(city.partners) as doors:
        pipeline = Pipeline(city, watcher, doors, sizes, report)
        await pipeline.warm_up()
        for _ in range(sizes.rounds):
            if "e" in only:
                await pipeline.burst("pipeline", pipeline.by_kafka, sizes.kafka)
            if "f" in only:
                await pipeline.burst("http", pipeline.by_http, sizes.http)
        if "e" in only:
            report(f"a steady stream for {sizes.steady} seconds")
            await pipeline.steady()
        if "i" in only:
            pipeline.memory()
        if "g" in only:
            report(f"{sizes.single} referrals, one at a time")
            await pipeline.singles()
        return pipeline.raw


def percentile(values: list[float], wanted: int) -> float:
    return quantiles(values, n=100, method="inclusive")[wanted - 1]
