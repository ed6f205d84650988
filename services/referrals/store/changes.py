"""What changes of referrals that are there: amendments, acts of staff, and what a new day brings."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.door import NeedAsked
from services.referrals.domain.lifecycle import AWAITS, ENDS, WARNED


class Terms(NamedTuple):
    """What an amendment may change of a referral, and what follows from it."""

    area: str
    ward: str | None
    languages: list[str]
    schemes: list[str]
    not_before: date | None
    direct_contact: bool
    agreement_by: str
    agreement_until: date | None
    score: int
    groups: int
    area_step: int
    policy: str


@dataclass(frozen=True, slots=True)
class Changes:
    """SQL of changes, in the transaction of a batch."""

    conn: Conn

    async def referrals_of(self, need_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """The referral of each need."""
        rows = await self.conn.fetch("select id, referral_id from need where id = any($1::uuid[])", list(need_ids))
        return {row["id"]: row["referral_id"] for row in rows}

    async def of_matching(self, referral_ids: Sequence[UUID]) -> dict[UUID, list[asyncpg.Record]]:
        """The open needs of each referral with their parent: all that matching is to know."""
        rows = await self.conn.fetch(
            """select r.*, n.id as need_id, n.kind, n.requirements, n.languages as need_languages, n.formats, n.days,
                      n.barred, n.home_visit_cleared, n.hold, n.hold_until
               from referral r join need n on n.referral_id = r.id
               where r.id = any($1::uuid[])
                 and n.status in ('requested', 'on-hold', 'offered', 'accepted', 'in-progress') order by n.id""",
            list(referral_ids),
        )
        found: dict[UUID, list[asyncpg.Record]] = {each: [] for each in referral_ids}
        for row in rows:
            found[row["id"]].append(row)
        return found

    async def terms(self, referral_ids: Sequence[UUID]) -> dict[UUID, Terms]:
        rows = await self.conn.fetch("select * from referral where id = any($1::uuid[])", list(referral_ids))
        return {row["id"]: Terms(**{name: row[name] for name in Terms._fields}) for row in rows}

    async def save_terms(self, referral_id: UUID, terms: Terms) -> None:
        await self.conn.execute(
            """update referral set area = $2, ward = $3, languages = $4, schemes = $5, not_before = $6,
                   direct_contact = $7, agreement_by = $8, agreement_until = $9, score = $10, groups = $11,
                   area_step = $12, policy = $13
               where id = $1""",
            referral_id,
            *terms,
        )

    async def replace_person(self, ref: UUID, wrapped_key: bytes, sealed: bytes) -> None:
        await self.conn.execute(
            "update person set wrapped_key = $2, sealed = $3 where person_ref = $1", ref, wrapped_key, sealed
        )

    async def change_needs(self, needs: Sequence[tuple[UUID, NeedAsked]]) -> None:
        """What open needs ask from now on. A visit at home that was not asked before is not cleared."""
        await self.conn.execute(
            """update need set requirements = new.requirements, languages = new.languages, formats = new.formats,
                   days = new.days,
                   home_visit_cleared = need.home_visit_cleared and 'home-visit' = any(need.requirements)
               from json_populate_recordset(null::need, $1::json) as new where need.id = new.id""",
            json.dumps([{"id": str(each), **asked.model_dump(exclude={"kind"})} for each, asked in needs]),
        )

    async def asked(self, need_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        """What needs ask beside their kind."""
        rows = await self.conn.fetch(
            "select id, requirements, languages, formats, days from need where id = any($1::uuid[])", list(need_ids)
        )
        return {
            row["id"]: {name: row[name] for name in ("requirements", "languages", "formats", "days")} for row in rows
        }

    async def new_days(self, days: Collection[date]) -> list[date]:
        """Those of the days for which no check was planned yet; it is, from now on."""
        rows = await self.conn.fetch(
            "insert into day_check (day) select unnest($1::date[]) on conflict do nothing returning day",
            sorted(days),
        )
        return [row["day"] for row in rows]

    async def due_on(self, day: date, limit: int) -> list[UUID]:
        """Referrals of which a hold, urgent lane or next action ends on this day, or an agreement today or soon."""
        rows = await self.conn.fetch(
            """select distinct referral_id from need
               where status in ('requested', 'on-hold', 'offered', 'accepted', 'in-progress')
                 and (next_on < $1 or hold_until <= $1)
               union
               select id from referral r
               where closed_at is null and (lane_until < $1 or (agreement_until < $1 and exists (
                   select from need n where n.referral_id = r.id
                   and n.status in ('requested', 'on-hold', 'offered', 'accepted')
                   and n.hold is distinct from 'agreement-lapsed'))
                 or (agreement_until > $1 and agreement_until <= $1 + $3::int and exists (
                   select from need n where n.referral_id = r.id
                   and n.status in ('requested', 'on-hold') and n.hold is null and n.next_what <> $4
                   and n.reason is distinct from $5)))
               limit $2""",
            day,
            limit,
            WARNED,
            ENDS,
            AWAITS,
        )
        return [row["referral_id"] for row in rows]

    async def next_is(self, what: str) -> list[asyncpg.Record]:
        """Needs of which this comes next."""
        return await self.conn.fetch(
            """select n.id as need_id, n.referral_id, r.partner, n.kind, n.status, n.reason, n.next_on
               from need n join referral r on r.id = n.referral_id where n.next_what = $1
               order by n.next_on, n.id limit 500""",
            what,
        )

    async def limits_of(self, referral_ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        """By referral, what limits it: agreement_until, not_before, lane, lane_until."""
        rows = await self.conn.fetch(
            "select id, agreement_until, not_before, lane, lane_until from referral where id = any($1::uuid[])",
            list(referral_ids),
        )
        return {row["id"]: row for row in rows}

    async def unchecked_visits(self, need_ids: Sequence[UUID]) -> set[UUID]:
        """The needs for a visit at home of which nobody has checked that it is safe."""
        rows = await self.conn.fetch(
            """select id from need
               where id = any($1::uuid[]) and 'home-visit' = any(requirements) and not home_visit_cleared""",
            list(need_ids),
        )
        return {row["id"] for row in rows}

    async def set_lanes(self, lanes: Mapping[UUID, tuple[str, date | None]]) -> None:
        await self.conn.execute(
            """update referral set lane = new.lane, lane_until = new.until
               from unnest($1::uuid[], $2::text[], $3::date[]) as new (id, lane, until) where referral.id = new.id""",
            list(lanes),
            [lane for lane, _ in lanes.values()],
            [until for _, until in lanes.values()],
        )

    async def bar(self, need_id: UUID, provider: str) -> None:
        await self.conn.execute(
            "update need set barred = array_append(barred, $2) where id = $1 and $2 <> all (barred)", need_id, provider
        )

    async def clear_home_visit(self, need_id: UUID) -> None:
        await self.conn.execute("update need set home_visit_cleared = true where id = $1", need_id)

    async def note_acts(self, acts: Sequence[tuple[Any, ...]], at: datetime) -> None:
        """Acts as (referral id, need id, act, who, why)."""
        await self.conn.executemany(
            "insert into staff_act (referral_id, need_id, act, who, why, at) values ($1, $2, $3, $4, $5, $6)",
            [(*act, at) for act in acts],
        )
