"""What the pages and the API show of grants: rows as they are read, for nobody to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn

MOST_APPLICATIONS: Final = 5000

_APPLICATION: Final = """
    select application_id, round_id, organisation_id, organisation_original, organisation_name, title, amount_pence,
           kinds, wards, status, awarded_pence, decline_reason, submitted_at, decided_at
    from application """


@dataclass(frozen=True, slots=True)
class RoundRows:
    """A round, its applications in the order in which they came, and how many needs of a kind and area are gaps."""

    round: asyncpg.Record
    applications: Sequence[asyncpg.Record]
    gaps: Sequence[asyncpg.Record]


async def application(conn: Conn, application_id: UUID) -> dict[str, Any] | None:
    row = await conn.fetchrow(f"{_APPLICATION} where application_id = $1", application_id)
    return dict(row) if row else None


async def round_rows(conn: Conn, round_id: str) -> RoundRows | None:
    """All as of one moment, so that the amounts add up."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await conn.fetchrow("select * from round where round_id = $1", round_id)
        if found is None:
            return None
        applications = await conn.fetch(
            f"{_APPLICATION} where round_id = $1 order by submitted_at, application_id limit $2",
            round_id,
            MOST_APPLICATIONS,
        )
        gaps = await conn.fetch(
            """select kind, area, count(*)::int as people from open_gap where is_open
               group by kind, area order by kind, area"""
        )
        return RoundRows(found, applications, gaps)
