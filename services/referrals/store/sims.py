"""The data SIMs that were given."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn

HELD: Final = {
    "sim": """select need_id, network, activated_on, expires_on, provider, written_at from sim
              where need_id in (select id from need where referral_id = any($1::text[]::uuid[]))"""
}

_WITH_KEY: Final = """
    select sim.*, need.referral_id, wrapped_key
    from sim join need on need.id = need_id join person using (person_ref)"""


@dataclass(frozen=True, slots=True)
class NewSim:
    need_id: UUID
    person_ref: UUID
    network: str
    activated_on: date
    expires_on: date | None
    sealed: bytes
    provider: str


@dataclass(frozen=True, slots=True)
class Sims:
    """SQL of SIMs, in the transaction of a batch."""

    conn: Conn

    async def write(self, sim: NewSim, at: datetime) -> None:
        await self.conn.execute(
            """insert into sim (need_id, person_ref, network, activated_on, expires_on, sealed, provider, written_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8)
               on conflict (need_id) do update
               set network = excluded.network, activated_on = excluded.activated_on, expires_on = excluded.expires_on,
                   sealed = excluded.sealed, provider = excluded.provider, written_at = excluded.written_at""",
            *astuple(sim),
            at,
        )

    async def of_need(self, need_id: UUID) -> asyncpg.Record | None:
        """With the key of the person, and their referral."""
        return await self.conn.fetchrow(f"{_WITH_KEY} where need_id = $1", need_id)

    async def of_person(self, person_ref: UUID) -> list[asyncpg.Record]:
        """With the key of the person, and their referral."""
        return await self.conn.fetch(f"{_WITH_KEY} where person_ref = $1 order by need_id", person_ref)

    async def seal_anew(self, sealed: Mapping[UUID, bytes]) -> None:
        await self.conn.execute(
            """update sim set sealed = new.sealed
               from unnest($1::uuid[], $2::bytea[]) as new (need_id, sealed) where sim.need_id = new.need_id""",
            list(sealed),
            list(sealed.values()),
        )
