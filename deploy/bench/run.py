"""One run of the benchmark: the lines on servers of their own, then the five services."""

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

from deploy.bench import burst, cost, ground, hop, matches, numbers, pipeline, queue, sending, telling
from deploy.bench.city import city
from deploy.bench.ground import Ground
from deploy.bench.plan import BURST, COST, LINES, PIPELINE, TELLING, Sizes

Report = Callable[[str], None]
Line = Callable[[Ground, int], Awaitable[float]]


@dataclass(slots=True)
class Bench:
    """What is to be measured and, after `run`, every figure under its name."""

    sizes: Sizes
    only: Collection[str]
    folder: Path
    report: Report
    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = {
            "machine": machine(), "rounds": self.sizes.rounds, "waiting": self.sizes.waiting, "per_s": {}, "raw": {}
        }  # fmt: skip

    def run(self) -> dict[str, Any]:
        """Starts what each group of figures needs, one after the other, and stops it again. Raises EmbeddedError."""
        _quiet()
        wanted, sizes, report = set(self.only), self.sizes, self.report
        if wanted & LINES:
            report("starting PostgreSQL and Kafka")
            with ground.servers(self.folder / "lines") as servers:
                asyncio.run(self.measure_lines(servers))
        if wanted & PIPELINE:
            with city(self.folder / "pipeline", report) as opened:
                self.keep_pipeline(asyncio.run(pipeline.measure(opened, sizes, wanted, report)))
        if wanted & COST:
            with city(self.folder / "cost", report) as opened:
                self.keep_cost(asyncio.run(cost.measure(opened, sizes, report, wanted)))
        if wanted & TELLING:
            report("starting PostgreSQL and Kafka")
            with ground.servers(self.folder / "telling") as servers:
                self.document["telling"] = asyncio.run(telling.telling(servers, sizes.messages))
        if wanted & BURST:
            with city(self.folder / "burst", report) as opened:
                self.document["burst"] = asyncio.run(burst.burst(opened, sizes.applications))
        if "n" in wanted:
            report("who is next, among many who wait")
            self.document["next_up_ms"] = asyncio.run(queue.next_up(self.folder / "queue", sizes.waiting))
        if "o" in wanted:
            report("many needs against many places")
            self.document["matches"] = matches.matches(sizes.matched)
        return self.document

    async def measure_lines(self, servers: Ground) -> None:
        await ground.lay(servers, self.sizes.records)
        speeds: dict[str, list[float]] = {}
        for number in range(self.sizes.rounds):
            for name, (line, records) in _in_turn(self._lines(), number):
                await servers.clear()
                speeds.setdefault(name, []).append(await line(servers, records))
                self.report(f"round {number + 1}, {name}: {speeds[name][-1]:,.0f} a second")
        self.document["per_s"] |= {name: median(found) for name, found in speeds.items()}
        self.document["raw"] |= {f"{name}_per_s": found for name, found in speeds.items()}
        self._compare("hop_vs_raw", "hop", "raw")
        self._compare("hop_vs_naive", "hop", "naive")
        self._compare("relay_vs_producer", "relay", "producer")
        self._compare("projection_vs_raw", "projection", "raw")

    def keep_pipeline(self, found: dict[str, Any]) -> None:
        self.document["raw"] |= found
        for name in ("pipeline", "http"):
            if f"{name}_per_s" in found:
                self.document[f"{name}_per_s"] = median(found[f"{name}_per_s"])
        if "latency_ms" in found:
            waits = found["latency_ms"]
            self.document["latency_ms"] = {f"p{n}": pipeline.percentile(waits, n) for n in (50, 99)}
        if "rss_mb" in found:
            self.document["rss_mb"] = found["rss_mb"]

    def keep_cost(self, found: dict[str, Any]) -> None:
        self.document["raw"]["cost"] = found
        if "few" in found:
            self.document["cost_1m_vs_10k"] = cost.compared(found)
        if "page" in found:
            waits = found["page"]["page_ms"]
            self.document["page_ms"] = {f"p{n}": pipeline.percentile(waits, n) for n in (50, 99)}

    def _lines(self) -> dict[str, tuple[Line, int]]:
        """The lines asked for. A figure that is a ratio brings its baseline with it."""
        records, only = self.sizes.records, set(self.only)
        lines: dict[str, tuple[Line, int]] = {}
        if only & set("acj"):
            lines["raw"] = hop.raw, records
        if "c" in only:
            lines["hop"] = hop.hop, records
        if only & set("bc"):
            lines["naive"] = hop.naive, self.sizes.naive
        if "d" in only:
            lines |= {"producer": (sending.producer, records), "relay": (sending.relay, records)}
        if "j" in only:
            lines["projection"] = numbers.projection, records
        return lines

    def _compare(self, name: str, ours: str, baseline: str) -> None:
        """The median of the rounds' ratios: what slows the machine for a while slows both of a round."""
        raw = self.document["raw"]
        if f"{ours}_per_s" in raw and f"{baseline}_per_s" in raw:
            pairs = zip(raw[f"{ours}_per_s"], raw[f"{baseline}_per_s"], strict=True)
            self.document[name] = median(mine / other for mine, other in pairs)


def _in_turn(lines: Mapping[str, tuple[Line, int]], number: int) -> list[tuple[str, tuple[Line, int]]]:
    """Every other round runs the other way around, so that none always comes after the same."""
    forward = list(lines.items())
    return forward[::-1] if number % 2 else forward


def machine() -> dict[str, Any]:
    return {
        "cpus": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _quiet() -> None:
    """What the clients of the lines have to tell is none of the table."""
    for name in ("aiokafka", "faststream"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
