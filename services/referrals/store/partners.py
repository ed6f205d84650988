"""Partners, keys and areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from services.referrals.domain.areas import Area


@dataclass(frozen=True, slots=True)
class Partners:
    """SQL of partners, in the transaction of a batch."""

    conn: Conn

    async def register(self, partner: str, name: str, at: datetime) -> bool:
        """True where the partner is new."""
        done = await self.conn.execute(
            "insert into partner (id, name, registered_at) values ($1, $2, $3) on conflict do nothing",
            partner,
            name,
            at,
        )
        return done == "INSERT 0 1"

    async def is_known(self, partner: str) -> bool:
        return bool(
            await self.conn.fetchval(
                "select exists (select from partner where id = $1 and removed_at is null)", partner
            )
        )

    async def remove(self, partner: str, at: datetime) -> bool:
        """True where the partner was there until now; only its id is kept."""
        done = await self.conn.execute(
            "update partner set name = id, removed_at = $2 where id = $1 and removed_at is null", partner, at
        )
        return done == "UPDATE 1"

    async def removed(self, partners: Sequence[str]) -> set[str]:
        rows = await self.conn.fetch(
            "select id from partner where id = any($1::text[]) and removed_at is not null", list(partners)
        )
        return {row["id"] for row in rows}

    async def add_key(
        self, key_id: UUID, sha256: str, role: str, principal: str, at: datetime, expires_at: datetime
    ) -> None:
        await self.conn.execute(
            """insert into access_key (id, sha256, role, principal, added_at, expires_at)
               values ($1, $2, $3, $4, $5, $6)""",
            key_id,
            sha256,
            role,
            principal,
            at,
            expires_at,
        )

    async def live_keys(self, at: datetime) -> list[asyncpg.Record]:
        """As they were added, the oldest first."""
        return await self.conn.fetch(
            """select id as key_id, sha256, role, principal, expires_at from access_key
               where revoked_at is null and expires_at > $1 order by added_at, id""",
            at,
        )

    async def revoke_keys(self, role: str, principal: str, keep: int, at: datetime) -> list[UUID]:
        """Those that were not revoked before, but for the newest."""
        rows = await self.conn.fetch(
            """update access_key set revoked_at = $4 where id in (
                   select id from access_key where role = $1 and principal = $2 and revoked_at is null
                   order by added_at desc, id desc offset $3)
               returning id""",
            role,
            principal,
            keep,
            at,
        )
        return [row["id"] for row in rows]

    async def has_areas(self) -> bool:
        return bool(await self.conn.fetchval("select exists (select from area)"))

    async def replace_areas(self, areas: Sequence[Area]) -> None:
        await self.conn.execute("delete from area where code <> all($1::text[])", [area.code for area in areas])
        await self.conn.execute(
            """insert into area (code, name, ward, decile)
               select * from unnest($1::text[], $2::text[], $3::text[], $4::int[])
               on conflict (code) do update
               set name = excluded.name, ward = excluded.ward, decile = excluded.decile""",
            [area.code for area in areas],
            [area.name for area in areas],
            [area.ward for area in areas],
            [area.decile for area in areas],
        )
