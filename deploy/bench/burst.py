"""A grant round in its last minutes: applications by HTTP, over many connections, and some about the deadline."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contracts.message import Service
from contracts.vocabulary import Role
from deploy.bench.city import City
from deploy.bench.doors import HttpDoor, KeptAlive
from deploy.embedded.processes import EmbeddedError
from deploy.keys import add_key, new_api_key

CONNECTIONS: Final = 20
ROUND: Final = "burst"
ABOUT_THE_DEADLINE: Final = 10
"""One in so many more is sent while the round closes."""
SPREAD: Final = 3.0
"""Seconds."""
Who = tuple[Role, str]


async def burst(city: City, applications: int) -> dict[str, Any]:
    """Applications a second, none of which is lost, and what is taken when they come until after the deadline."""
    late = applications // ABOUT_THE_DEADLINE
    groups: list[Who] = [("applicant", f"GB-CHC-{4_000_000 + n}") for n in range(applications + late)]
    keys = {who: new_api_key() for who in [("staff", "bench"), *groups]}
    now = datetime.now(UTC)
    await city.stack.site.act("referrals", *(add_key(key, role, name, now) for (role, name), key in keys.items()))
    await asyncio.to_thread(_open, city, keys["staff", "bench"], now + timedelta(hours=1))
    await asyncio.to_thread(_wait_for, city, keys[groups[-1]])
    began = time.perf_counter()
    taken = await _apply(city, [(name, keys[role, name]) for role, name in groups[:applications]])
    seconds = time.perf_counter() - began
    closes_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    await asyncio.to_thread(_open, city, keys["staff", "bench"], closes_at)
    in_time = 0
    for role, name in groups[applications:]:
        in_time += await _apply(city, [(name, keys[role, name])])
        await asyncio.sleep(SPREAD / late)
    await _must_be_kept(city, applications + in_time, taken + in_time, closes_at)
    return {"applications": applications, "seconds": seconds, "in_time": in_time, "late": late - in_time}


def _url(city: City, service: Service = "grants") -> str:
    return str(city.addresses["services"][service]["http"])


def _open(city: City, key: str, closes_at: datetime) -> None:
    """Opens the round, or amends it."""
    round_ = {
        "fund_id": "bench",
        "budget_pence": 10**9,
        "maximum_pence": 10**6,
        "opens_at": "2026-01-01T00:00:00Z",
        "closes_at": closes_at.isoformat(),
        "rules": {"criteria": [{"code": "need", "title": "Meets a need", "weight": 1}]},
        "why": "To see what is late.",
    }
    with HttpDoor(_url(city), key) as door:
        door.call("PUT", "/v1/funds/bench", {"name": "A fund"})
        door.call("PUT", f"/v1/rounds/{ROUND}", round_)


def _wait_for(city: City, key: str) -> None:
    with HttpDoor(_url(city), key) as door:
        door.call("GET", "/v1/rounds", {})


async def _apply(city: City, groups: Sequence[tuple[str, str]]) -> int:
    """How many were taken. Raises EmbeddedError where one is neither taken nor late."""
    waiting: Iterator[tuple[str, str]] = iter(groups)
    taken = 0

    async def work() -> None:
        nonlocal taken
        async with KeptAlive(_url(city)) as door:
            for group, key in waiting:
                status, answer = await door.post("/v1/applications", key, f"burst-{group}", _application(group))
                if status != 201 and json.loads(answer)["errors"][0]["rule"] != "closed":
                    raise EmbeddedError(f"an application was answered {status}: {answer.decode()}")
                taken += status == 201

    async with asyncio.TaskGroup() as group_of_workers:
        for _ in range(min(CONNECTIONS, len(groups))):
            group_of_workers.create_task(work())
    return taken


def _application(group: str) -> bytes:
    body = {
        "round_id": ROUND,
        "title": f"Tablets, and somebody who shows how: {group}",
        "amount_pence": 500_000,
        "kinds": ["device", "champion"],
        "organisation": {"id": group, "name": f"Group {group}"},
        "summary": "We lend tablets to people who have none, and sit beside them while they learn. " * 20,
        "places": [{"kind": "device", "capacity": 20}],
    }
    return json.dumps(body).encode()


async def _must_be_kept(city: City, wanted: int, taken: int, closes_at: datetime) -> None:
    async with city.stack.site.connected("grants") as conn:
        kept, last = await conn.fetchrow("select count(*), max(submitted_at) from application")  # type: ignore[misc]  # there is always a row
    if not wanted == taken == kept:
        raise EmbeddedError(f"of {wanted} applications {taken} were taken and {kept} are kept")
    if last >= closes_at:
        raise EmbeddedError(f"an application of {last} was taken, and the round closed at {closes_at}")
