"""The versions of the priority policy, and what they gave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from chassis.postgres import Conn
from services.referrals.domain.priority import Policy


@dataclass(frozen=True, slots=True)
class Adoption:
    """Who approved a policy and when, why it is fair, and what it means in plain words."""

    approved_by: str
    approved_on: date
    equality_note: str
    words: str


@dataclass(frozen=True, slots=True)
class Policies:
    """SQL of policies. Where none was adopted, that of the software holds."""

    conn: Conn

    async def current(self) -> Policy:
        rows = await self.conn.fetch("select * from policy order by adopted_at desc limit 1")
        return _policy(rows[0]) if rows else Policy()

    async def all(self) -> Mapping[str, Policy]:
        rows = await self.conn.fetch("select * from policy order by adopted_at")
        first = Policy()
        return {first.version: first, **{row["version"]: _policy(row) for row in rows}}

    async def adoption(self, version: str) -> Adoption | None:
        row = await self.conn.fetchrow(
            "select approved_by, approved_on, equality_note, words from policy where version = $1", version
        )
        return Adoption(**row) if row else None

    async def adopt(self, policy: Policy, why: Adoption, at: datetime) -> bool:
        """False where there is a version of this name; it stays as it is."""
        done = await self.conn.execute(
            """insert into policy (version, points_a_group, area_steps, default_decile, groups, approved_by,
                                   approved_on, equality_note, words, adopted_at)
               values ($1, $2, $3::jsonb, $4, $5::jsonb, $6, $7, $8, $9, $10) on conflict do nothing""",
            policy.version,
            policy.points_a_group,
            json.dumps(policy.area_steps),
            policy.default_decile,
            json.dumps({name: sorted(codes) for name, codes in policy.groups.items()}),
            why.approved_by,
            why.approved_on,
            why.equality_note,
            why.words,
            at,
        )
        return str(done) == "INSERT 0 1"

    async def scores(self) -> list[asyncpg.Record]:
        """How many referrals of each partner got which score, by policy."""
        return await self.conn.fetch(
            """select partner, policy, score, count(*)::int as referrals from referral
               where area <> 'erased' group by partner, policy, score order by partner, policy, score"""
        )


def _policy(row: asyncpg.Record) -> Policy:
    groups = json.loads(row["groups"])
    return Policy(
        row["version"],
        row["points_a_group"],
        tuple((up_to, points) for up_to, points in json.loads(row["area_steps"])),
        row["default_decile"],
        {name: frozenset(codes) for name, codes in groups.items()},
    )
