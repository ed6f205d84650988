"""All SQL of grants. Amounts are pence."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from services.grants.domain.awards import Application, Award, Book, Decline
from services.grants.domain.rounds import Round

HELD: Final = {"open_gap": "select * from open_gap where referral_id = any($1::text[]::uuid[])"}
"""What is kept of referrals ($1)."""

_ROUND = ", ".join(f"r.{column.name}" for column in fields(Round))


@dataclass(frozen=True, slots=True)
class Gap:
    """A need that was found to be a gap, or to be one no longer, at a time."""

    need_id: UUID
    referral_id: UUID
    kind: str
    area: str
    at: datetime
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """An application as it came in."""

    application_id: UUID
    round_id: str
    organisation_id: str
    organisation_original: str
    organisation_name: str
    title: str
    amount_pence: int
    kinds: Sequence[str]
    wards: Sequence[str]
    submitted_at: datetime


def _rows(those: Sequence[Any]) -> str:
    """Rows for `jsonb_to_recordset`, which unlike unnest takes a list within a row."""
    return json.dumps([asdict(each) for each in those], default=str)


def _round(row: asyncpg.Record) -> Round:
    return Round(**{column.name: row[column.name] for column in fields(Round)})


@dataclass(frozen=True, slots=True)
class Store:
    """What handlers load and save, in their transaction."""

    conn: Conn

    async def funds(self, fund_ids: Collection[str]) -> dict[str, str]:
        """The name of each fund that there is."""
        rows = await self.conn.fetch("select fund_id, name from fund where fund_id = any($1)", sorted(fund_ids))
        return {row["fund_id"]: row["name"] for row in rows}

    async def save_funds(self, names: Mapping[str, str]) -> None:
        wanted = sorted(names)
        await self.conn.execute(
            """insert into fund (fund_id, name) select * from unnest($1::text[], $2::text[])
               on conflict (fund_id) do update set name = excluded.name""",
            wanted,
            [names[fund_id] for fund_id in wanted],
        )

    async def rounds(self, round_ids: Collection[str]) -> dict[str, Round]:
        sql = f"select {_ROUND} from round r where r.round_id = any($1)"  # noqa: S608 - our own column names
        return {row["round_id"]: _round(row) for row in await self.conn.fetch(sql, sorted(round_ids))}

    async def lock_rounds(self, round_ids: Collection[str]) -> dict[str, Round]:
        sql = (
            f"select {_ROUND} from round r where r.round_id = any($1) "  # noqa: S608 - our own column names
            "order by r.round_id for no key update"
        )
        return {row["round_id"]: _round(row) for row in await self.conn.fetch(sql, sorted(round_ids))}

    async def save_rounds(self, rounds: Sequence[Round]) -> None:
        """Saves all of a round but what it has awarded: only an award changes that."""
        await self.conn.execute(
            """insert into round (round_id, fund_id, budget_pence, maximum_pence, minimum_pence, opens_at, closes_at)
               select round_id, fund_id, budget_pence, maximum_pence, minimum_pence, opens_at, closes_at
               from jsonb_to_recordset($1::jsonb) as new (
                   round_id text, fund_id text, budget_pence bigint, maximum_pence bigint, minimum_pence bigint,
                   opens_at timestamptz, closes_at timestamptz)
               order by round_id
               on conflict (round_id) do update set
                   budget_pence = excluded.budget_pence, maximum_pence = excluded.maximum_pence,
                   minimum_pence = excluded.minimum_pence, opens_at = excluded.opens_at,
                   closes_at = excluded.closes_at""",
            _rows(rounds),
        )

    async def add_applications(self, submissions: Sequence[Submission]) -> None:
        await self.conn.execute(
            """insert into application (application_id, round_id, organisation_id, organisation_original,
                                        organisation_name, title, amount_pence, kinds, wards, submitted_at)
               select * from jsonb_to_recordset($1::jsonb) as new (
                   application_id uuid, round_id text, organisation_id text, organisation_original text,
                   organisation_name text, title text, amount_pence bigint, kinds text[], wards text[],
                   submitted_at timestamptz)""",
            _rows(submissions),
        )

    async def lock_applications(self, application_ids: Collection[UUID]) -> Book:
        """Applications with their rounds, locked in one order: two awards of a round wait for each other here."""
        sql = (
            f"select {_ROUND}, a.application_id, a.organisation_id, a.amount_pence, a.status "  # noqa: S608 - ours
            "from application a join round r using (round_id) where a.application_id = any($1) "
            "order by r.round_id, a.application_id for no key update"
        )
        rows = await self.conn.fetch(sql, sorted(application_ids))
        return Book(
            {row["application_id"]: _application(row) for row in rows}, {row["round_id"]: _round(row) for row in rows}
        )

    async def award(self, awards: Sequence[Award], at: datetime) -> None:
        """Marks the applications and takes the money from their rounds in one statement."""
        await self.conn.execute(
            """with awarded as (
                   update application a
                   set status = 'awarded', awarded_pence = new.pence, decided_at = $4, decided_by = new.by
                   from unnest($1::uuid[], $2::bigint[], $3::text[]) as new (application_id, pence, by)
                   where a.application_id = new.application_id
                   returning a.round_id, a.awarded_pence
               ), total as (
                   select round_id, sum(awarded_pence)::bigint as pence from awarded group by round_id
               )
               update round r set awarded_pence = r.awarded_pence + total.pence
               from total where r.round_id = total.round_id""",
            [award.application.application_id for award in awards],
            [award.pence for award in awards],
            [award.by for award in awards],
            at,
        )

    async def decline(self, declines: Sequence[Decline], at: datetime) -> None:
        await self.conn.execute(
            """update application a
               set status = 'declined', decline_reason = new.reason, decided_at = $4, decided_by = new.by
               from unnest($1::uuid[], $2::text[], $3::text[]) as new (application_id, reason, by)
               where a.application_id = new.application_id""",
            [decline.application.application_id for decline in declines],
            [decline.reason for decline in declines],
            [decline.by for decline in declines],
            at,
        )

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
            _rows(gaps),
        )

    async def close_gaps(self, gaps: Sequence[Gap]) -> None:
        await self.conn.execute(
            """insert into open_gap as gap (need_id, referral_id, kind, area, reasons, closed_at)
               select need_id, referral_id, kind, area, '{}', at from jsonb_to_recordset($1::jsonb) as new (
                   need_id uuid, referral_id uuid, kind text, area text, at timestamptz)
               order by need_id
               on conflict (need_id) do update set closed_at = greatest(gap.closed_at, excluded.closed_at)""",
            _rows(gaps),
        )

    async def forget_gaps(self, referrals: Sequence[UUID]) -> None:
        await self.conn.execute("delete from open_gap where referral_id = any($1::uuid[])", list(referrals))


def _application(row: asyncpg.Record) -> Application:
    return Application(**{column.name: row[column.name] for column in fields(Application)})
