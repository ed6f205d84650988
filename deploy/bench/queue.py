"""Who is next for a place that comes free, among many who wait: what PostgreSQL itself says it takes to find out."""

import asyncio
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from chassis.postgres import Conn, connected
from chassis.settings import DatabaseSettings
from deploy.bench.ground import make_database, unplugged
from deploy.embedded import postgres

TIMES: Final = 20
FILL_WITHIN: Final = 600.0
Timed = dict[str, float]


async def next_up(folder: Path, waiting: int) -> Timed:
    """Milliseconds, to plan and to run, by the sort of place: the least of some, for others use the machine as well."""
    server = postgres.start(folder)
    try:
        return await measure(server.database, waiting)
    finally:
        postgres.stop(server.process)


async def measure(superuser: DatabaseSettings, waiting: int) -> Timed:
    roles = await make_database(superuser, "queue", "matching")
    filling = (files(__package__) / "fill" / "queue.sql").read_text(encoding="utf-8").format(waiting=waiting)
    async with connected(roles.owner) as conn:
        await conn.execute(filling, timeout=FILL_WITHIN)
        await conn.execute("vacuum need", timeout=FILL_WITHIN)
        places = await conn.fetch("select partner, place_id from place order by place_id")
        return {place["place_id"]: await _timed(conn, (place["partner"], place["place_id"])) for place in places}


async def _timed(conn: Conn, place: tuple[str, str]) -> float:
    """Of what the service asks when this place comes free: one query, or two where few of the first fit."""
    asked: list[Any] = []
    with conn.query_logger(asked.append):
        await unplugged("matching").store(conn).queue.candidates([], [place])
        await asyncio.sleep(0)  # loggers are called a moment later
    return sum([min([await _once(conn, each.query, each.args) for _ in range(TIMES)]) for each in asked])


async def _once(conn: Conn, query: str, args: Sequence[Any]) -> float:
    (plan,) = json.loads(await conn.fetchval("explain (analyze, format json) " + query, *args))
    took: float = plan["Planning Time"] + plan["Execution Time"]
    return took
