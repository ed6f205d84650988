"""Dead letters of every service, explained: where, which rule, which field. The body stays sealed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from contracts.message import SERVICES
from deploy.embedded.processes import EmbeddedError

COLUMNS = (
    "id, consumer, topic, partition, record_offset, key, type, kind, rule, field, attempts, "
    "dead_at, settled, settled_at"
)


def listed(addresses: dict[str, Any], services: Sequence[str], limit: int, *, settled: bool) -> list[dict[str, Any]]:
    """The newest first, of each service, as {service, id, topic, ...}."""
    return asyncio.run(_listed(addresses, services or SERVICES, limit, settled=settled))


async def _listed(
    addresses: dict[str, Any], services: Sequence[str], limit: int, *, settled: bool
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for service in services:
        rows = await _fetch(
            _database(addresses, service),
            f"select {COLUMNS} from dead_letter where $2 or settled_at is null order by id desc limit $1",  # noqa: S608 - a constant
            limit,
            settled,
        )
        found += [{"service": service, **row} for row in rows]
    return found


def shown(addresses: dict[str, Any], service: str, number: int) -> dict[str, Any]:
    """One dead letter, with those parked behind it. Raises EmbeddedError where there is none."""
    return asyncio.run(_shown(addresses, service, number))


async def _shown(addresses: dict[str, Any], service: str, number: int) -> dict[str, Any]:
    database = _database(addresses, service)
    rows = await _fetch(database, f"select {COLUMNS} from dead_letter where id = $1", number)  # noqa: S608 - a constant
    if not rows:
        raise EmbeddedError(f"{service} has no dead letter {number}. List them with: furthest dead-letters list")
    letter = rows[0]
    behind = await _fetch(
        database,
        f"""select {COLUMNS} from dead_letter
            where consumer = $1 and topic = $2 and key = $3 and kind = 'parked' and id > $4 and settled_at is null
            order by id""",  # noqa: S608 - a constant
        letter["consumer"],
        letter["topic"],
        letter["key"],
        number,
    )
    return {"service": service, **letter, "parked_behind": behind}


def _database(addresses: dict[str, Any], service: str) -> str:
    if service not in addresses["services"]:
        raise EmbeddedError(f"There is no service {service}. There are: {', '.join(SERVICES)}.")
    database: str = addresses["services"][service]["database"]
    return database


async def _fetch(database: str, sql: str, *args: Any) -> list[dict[str, Any]]:
    conn = await asyncpg.connect(database)
    try:
        return [dict(row) for row in await conn.fetch(sql, *args)]
    finally:
        await conn.close()
