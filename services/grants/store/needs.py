"""The SQL of where referrals find no help: gaps, who referred, and how deprived an area is."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.grants.store.rows import many

HELD: Final = {
    "open_gap": "select * from open_gap where referral_id = any($1::text[]::uuid[])",
    "referral": "select * from referral where referral_id = any($1::text[]::uuid[])",
}
"""What is kept of referrals ($1)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A need that was found to be a gap, or to be one no longer, at a time and by what."""

    need_id: UUID
    referral_id: UUID
    kind: str
    area: str
    at: datetime
    reasons: Sequence[str] = ()
    correlation: str | None = None


@dataclass(frozen=True, slots=True)
class Referred:
    referral_id: UUID
    partner: str
    area: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """A place that says a grant pays for it, as its provider opened or changed it."""

    correlation: str
    application_id: UUID
    partner: str
    place_id: str
    kind: str
    capacity: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Needs:
    conn: Conn

    async def record_gaps(self, gaps: Sequence[Gap]) -> None:
        """Keeps the latest of each need, so that facts may come in any order."""
        await self.conn.execute(
            """insert into open_gap as gap (need_id, referral_id, kind, area, reasons, recorded_at)
               select need_id, referral_id, kind, area, reasons, at from jsonb_to_recordset($1::jsonb) as new (
                   need_id uuid, referral_id uuid, kind text, area text, reasons text[], at timestamptz)
               order by need_id
               on conflict (need_id) do update set
                   kind = excluded.kind, area = excluded.area, reasons = excluded.reasons,
                   recorded_at = excluded.recorded_at
               where gap.recorded_at is null or gap.recorded_at <= excluded.recorded_at""",
            many(gaps),
        )

    async def close_gaps(self, gaps: Sequence[Gap]) -> None:
        """Keeps the latest closing of each need, and by what it closed."""
        await self.conn.execute(
            """insert into open_gap as gap (need_id, referral_id, kind, area, reasons, closed_at, closed_by)
               select need_id, referral_id, kind, area, '{}', at, correlation
               from jsonb_to_recordset($1::jsonb) as new (
                   need_id uuid, referral_id uuid, kind text, area text, at timestamptz, correlation text)
               order by need_id
               on conflict (need_id) do update set closed_at = excluded.closed_at, closed_by = excluded.closed_by
               where gap.closed_at is null or gap.closed_at <= excluded.closed_at""",
            many(gaps),
        )

    async def refer(self, referred: Sequence[Referred]) -> None:
        await self.conn.execute(
            """insert into referral (referral_id, partner, area, received_at)
               select * from jsonb_to_recordset($1::jsonb) as new (
                   referral_id uuid, partner text, area text, received_at timestamptz)
               order by referral_id on conflict do nothing""",
            many(referred),
        )

    async def name_partners(self, names: Mapping[str, str]) -> None:
        await self.conn.execute(
            """insert into partner (partner, name) select * from unnest($1::text[], $2::text[])
               on conflict (partner) do update set name = excluded.name""",
            sorted(names),
            [names[partner] for partner in sorted(names)],
        )

    async def partners(self) -> dict[str, str]:
        """The name of each partner."""
        return {row["partner"]: row["name"] for row in await self.conn.fetch("select partner, name from partner")}

    async def load_areas(self, areas: Sequence[Mapping[str, object]]) -> None:
        """Replaces all areas."""
        await self.conn.execute("delete from area")
        await self.conn.execute(
            """insert into area (code, name, decile)
               select * from jsonb_to_recordset($1::jsonb) as new (code text, name text, decile bigint)""",
            json.dumps(areas),
        )

    async def open_places(self, openings: Sequence[Opening]) -> None:
        """Keeps openings that name a grant which is theirs to open: made to their provider, and not given up."""
        await self.conn.execute(
            """insert into funded_opening (correlation, application_id, partner, place_id, kind, capacity, at)
               select new.* from jsonb_to_recordset($1::jsonb) as new (
                   correlation text, application_id uuid, partner text, place_id text, kind text, capacity bigint,
                   at timestamptz)
               join application a using (application_id)
               where a.status = 'awarded' and a.body -> 'delivers_as' ->> 'partner' = new.partner
               order by new.correlation on conflict do nothing""",
            many(openings),
        )

    async def gaps(self) -> dict[tuple[Kind, str], dict[str, int]]:
        """Open gaps by kind and area, counted by the partner that referred."""
        rows = await self.conn.fetch(
            """select g.kind, g.area, coalesce(r.partner, '') as partner, count(*)::int as n
               from open_gap g left join referral r using (referral_id) where g.is_open group by 1, 2, 3"""
        )
        found: dict[tuple[Kind, str], dict[str, int]] = defaultdict(dict)
        for row in rows:
            found[row["kind"], row["area"]][row["partner"]] = row["n"]
        return found

    async def deciles(self) -> dict[str, int]:
        return {row["code"]: row["decile"] for row in await self.conn.fetch("select code, decile from area")}

    async def referrals_since(self, since: datetime) -> dict[str, int]:
        rows = await self.conn.fetch(
            "select area, count(*)::int as n from referral where received_at >= $1 group by 1", since
        )
        return {row["area"]: row["n"] for row in rows}

    async def forget(self, referrals: Sequence[UUID]) -> None:
        await self.conn.execute("delete from open_gap where referral_id = any($1::uuid[])", list(referrals))
        await self.conn.execute("delete from referral where referral_id = any($1::uuid[])", list(referrals))
