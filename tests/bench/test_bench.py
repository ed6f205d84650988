"""Every figure of the benchmark is produced: a run of a few records each. What it measures here means nothing."""

import asyncio
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from contracts.message import SERVICES
from deploy.bench.burst import burst
from deploy.bench.city import City, city
from deploy.bench.cost import measure as measure_cost
from deploy.bench.ground import Ground
from deploy.bench.matches import matches
from deploy.bench.pipeline import measure as measure_pipeline
from deploy.bench.plan import FIGURES, Sizes
from deploy.bench.queue import measure as measure_queue
from deploy.bench.run import Bench
from deploy.bench.table import show_table
from deploy.bench.telling import telling
from deploy.site import ROLES, Roles
from tests.support import Servers

TINY = Sizes(
    rounds=1,
    records=3_000,
    naive=20,
    warm_up=8,
    kafka=40,
    http=20,
    steady=1,
    single=3,
    few=50,
    many=500,
    sample=40,
    settle=1.2,
    messages=300,
    applications=40,
    waiting=2_000,
    matched=200,
)


def _say(line: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def open_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city(tmp_path_factory.mktemp("city"), _say) as opened:
        yield opened


async def test_the_lines_and_what_they_are_held_against_are_measured(servers: Servers, tmp_path: Path) -> None:
    named = [servers.postgres.model_copy(update={"name": "bench", "user": f"bench_{r}"}) for r in ROLES]
    bench = Bench(TINY, "abcdj", tmp_path, _say)
    await bench.measure_lines(Ground(servers.kafka, servers.admin, Roles(*named), servers.postgres))
    assert set(bench.document["per_s"]) == {"raw", "naive", "hop", "producer", "relay", "projection"}
    assert all(speed > 0 for speed in bench.document["per_s"].values())
    assert bench.document["hop_vs_raw"] > 0 < bench.document["relay_vs_producer"]


async def test_messages_that_are_due_are_planned_while_a_slow_provider_is_sent_to(servers: Servers) -> None:
    named = [servers.postgres.model_copy(update={"name": "bench", "user": f"bench_{r}"}) for r in ROLES]
    found = await telling(Ground(servers.kafka, servers.admin, Roles(*named), servers.postgres), TINY.messages)
    assert found["planned_per_s"] > 0
    assert 0 <= found["at_once"] <= 20


async def test_who_is_next_is_timed_by_postgres_itself_for_each_sort_of_place(servers: Servers) -> None:
    found = await measure_queue(servers.postgres, TINY.waiting)
    assert set(found) == {"for everybody", "of a ward", "of a partner", "that suits few"}
    assert all(ms > 0 for ms in found.values())


def test_many_needs_are_given_many_places() -> None:
    found = matches(TINY.matched)
    assert (found["needs"], found["served"] > 100, found["seconds"] > 0) == (200, True, True)


@pytest.mark.servers
def test_both_doors_and_a_referral_alone_and_memory_are_measured(open_city: City, tmp_path: Path) -> None:
    bench = Bench(TINY, "efgi", tmp_path, _say)
    bench.keep_pipeline(asyncio.run(measure_pipeline(open_city, TINY, "efgi", _say)))
    assert bench.document["pipeline_per_s"] > 0 < bench.document["http_per_s"]
    assert 0 < bench.document["latency_ms"]["p50"] <= bench.document["latency_ms"]["p99"]
    assert set(bench.document["rss_mb"]) == set(SERVICES)
    assert all(of_round["postgres"] > 0 for of_round in bench.document["raw"]["pipeline_cpu_ms"])


@pytest.mark.servers
def test_the_cost_of_a_referral_is_measured_with_few_and_with_many_stored(open_city: City, tmp_path: Path) -> None:
    bench = Bench(TINY, "hk", tmp_path, _say)
    bench.keep_cost(asyncio.run(measure_cost(open_city, TINY, _say, "hk")))
    assert 0 < bench.document["page_ms"]["p50"] <= bench.document["page_ms"]["p99"]
    assert set(bench.document["cost_1m_vs_10k"]) == {"time", "wal", "buffers"}
    assert bench.document["cost_1m_vs_10k"]["time"] > 0
    # What is left of the counters when idle work is taken off may be nothing in so short a run.
    for size, stored in (("few", TINY.few), ("many", TINY.many)):
        measured = bench.document["raw"]["cost"][size]
        assert measured["stored"] == stored
        assert measured["counted"]["wal"] > 0


@pytest.mark.servers
def test_a_burst_of_applications_is_taken_whole_and_what_is_late_is_refused(open_city: City) -> None:
    seen = asyncio.run(burst(open_city, TINY.applications))
    assert seen["seconds"] > 0
    assert seen["in_time"] + seen["late"] == TINY.applications // 10


def test_the_table_has_a_line_for_each_figure_and_its_baseline() -> None:
    document = {
        "machine": {"cpus": 2, "memory_gb": 8.0, "python": "3.11"},
        "rounds": 5,
        "per_s": {
            "raw": 20000.0,
            "naive": 400.0,
            "hop": 10000.0,
            "relay": 30000.0,
            "producer": 50000.0,
            "projection": 11000.0,
        },
        "hop_vs_raw": 0.5,
        "hop_vs_naive": 25.0,
        "relay_vs_producer": 0.6,
        "projection_vs_raw": 0.55,
        "page_ms": {"p50": 20.0, "p99": 40.0},
        "pipeline_per_s": 500.0,
        "http_per_s": 90.0,
        "latency_ms": {"p50": 50.0, "p99": 200.0},
        "cost_1m_vs_10k": {"time": 1.2, "wal": 1.05, "buffers": 1.08},
        "rss_mb": {"referrals": 100.0},
        "telling": {"planned_per_s": 5000.0, "sent_per_s": 300.0, "at_once": 20.0},
        "burst": {"applications": 2000, "seconds": 67.0, "in_time": 90, "late": 110},
        "waiting": 100_000,
        "next_up_ms": {"for everybody": 1.0, "that suits few": 4.2},
        "matches": {"seconds": 0.6, "needs": 10_000, "served": 9_500},
        "raw": {
            "pipeline_cpu_ms": [{"referrals": 1.5, "postgres": 2.0}],
            "http_cpu_ms": [{"referrals": 5.0, "postgres": 6.0}],
            "latency_ms": [50.0],
            "cost": {
                "few": {"stored": 10_000},
                "many": {"stored": 1_000_000},
                "page": {"stored": 1_000_000, "publish_s": 9.0},
            },
        },
    }
    console = Console(width=200, record=True, file=StringIO())
    show_table(console, document)
    lines = console.export_text().splitlines()
    assert {line.split()[0] for line in lines[1:16]} == set(FIGURES)
    assert "0.50 of the raw line, 25 times the naive line" in lines[3]
    assert "time 1.20, WAL 1.05, buffers 1.08" in lines[8]
