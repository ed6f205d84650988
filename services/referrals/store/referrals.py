"""Referrals, persons and needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from services.referrals.domain.lifecycle import Need, Next


@dataclass(frozen=True, slots=True)
class NewReferral:
    """A row of `referral` with its sealed person."""

    id: UUID
    person_ref: UUID
    partner: str
    submission_id: str
    reference: str
    area: str
    ward: str | None
    direct_contact: bool
    agreement_by: str
    agreement_until: date | None
    score: int
    groups: int
    area_step: int
    policy: str
    received_at: datetime
    wrapped_key: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Parent:
    """What the needs of a referral have in common."""

    partner: str
    reference: str
    area: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One line of a need's history."""

    need_id: UUID
    fact: str
    status: str
    reason: str | None
    superseded: bool


def _need(row: asyncpg.Record) -> Need:
    step = Next(row["next_by"], row["next_on"], row["next_what"]) if row["next_by"] else None
    return Need(
        row["id"],
        row["referral_id"],
        row["kind"],
        row["status"],
        row["reason"],
        row["outcome"],
        step,
        row["provider"],
    )


@dataclass(frozen=True, slots=True)
class Referrals:
    """SQL of referrals, in the transaction of a batch."""

    conn: Conn

    async def add(self, referrals: Sequence[NewReferral], needs: Sequence[Need], at: datetime) -> None:
        await self._insert_persons(referrals)
        await self._insert_referrals(referrals)
        await self._insert_needs(needs, at)

    async def _insert_persons(self, referrals: Sequence[NewReferral]) -> None:
        await self.conn.execute(
            """insert into person (person_ref, wrapped_key, sealed)
               select * from unnest($1::uuid[], $2::bytea[], $3::bytea[]) on conflict (person_ref) do nothing""",
            [r.person_ref for r in referrals],
            [r.wrapped_key for r in referrals],
            [r.sealed for r in referrals],
        )

    async def _insert_referrals(self, referrals: Sequence[NewReferral]) -> None:
        await self.conn.execute(
            """insert into referral (id, person_ref, partner, reference, area, ward, direct_contact, agreement_by,
                                     agreement_until, score, groups, area_step, policy, received_at, submission_id)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
                                    $8::text[], $9::date[], $10::int[], $11::int[], $12::int[], $13::text[],
                                    $14::timestamptz[], $15::text[])""",
            [r.id for r in referrals],
            [r.person_ref for r in referrals],
            [r.partner for r in referrals],
            [r.reference for r in referrals],
            [r.area for r in referrals],
            [r.ward for r in referrals],
            [r.direct_contact for r in referrals],
            [r.agreement_by for r in referrals],
            [r.agreement_until for r in referrals],
            [r.score for r in referrals],
            [r.groups for r in referrals],
            [r.area_step for r in referrals],
            [r.policy for r in referrals],
            [r.received_at for r in referrals],
            [r.submission_id for r in referrals],
        )

    async def _insert_needs(self, needs: Sequence[Need], at: datetime) -> None:
        await self.conn.execute(
            """insert into need (id, referral_id, kind, status, next_by, next_on, next_what, changed_at)
               select id, referral_id, kind, status, next_by, next_on, next_what, $8
               from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[])
               as new (id, referral_id, kind, status, next_by, next_on, next_what)""",
            [need.id for need in needs],
            [need.referral_id for need in needs],
            [need.kind for need in needs],
            [need.status for need in needs],
            [need.next and need.next.by for need in needs],
            [need.next and need.next.on for need in needs],
            [need.next and need.next.what for need in needs],
            at,
        )

    async def lock(self, referral_ids: Sequence[UUID]) -> tuple[dict[UUID, Parent], dict[UUID, Need]]:
        """Parents by referral id and all their needs by need id, locked in order."""
        parents = await self.conn.fetch(
            "select id, partner, reference, area from referral where id = any($1::uuid[]) order by id for update",
            list(set(referral_ids)),
        )
        needs = await self.conn.fetch(
            "select * from need where referral_id = any($1::uuid[]) order by id", [row["id"] for row in parents]
        )
        return (
            {row["id"]: Parent(row["partner"], row["reference"], row["area"]) for row in parents},
            {row["id"]: _need(row) for row in needs},
        )

    async def save(self, needs: Sequence[Need], traces: Sequence[Trace], closed: Sequence[UUID], at: datetime) -> None:
        await self.conn.execute(
            """update need set status = new.status, reason = new.reason, outcome = new.outcome,
                               next_by = new.next_by, next_on = new.next_on, next_what = new.next_what,
                               provider = new.provider, changed_at = $9
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[],
                           $8::text[])
               as new (id, status, reason, outcome, next_by, next_on, next_what, provider)
               where need.id = new.id""",
            [need.id for need in needs],
            [need.status for need in needs],
            [need.reason for need in needs],
            [need.outcome for need in needs],
            [need.next and need.next.by for need in needs],
            [need.next and need.next.on for need in needs],
            [need.next and need.next.what for need in needs],
            [need.provider for need in needs],
            at,
        )
        await self.conn.execute(
            """insert into need_history (need_id, fact, status, reason, superseded, at)
               select need_id, fact, status, reason, superseded, $6
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[])
               with ordinality as new (need_id, fact, status, reason, superseded, nth) order by nth""",
            [trace.need_id for trace in traces],
            [trace.fact for trace in traces],
            [trace.status for trace in traces],
            [trace.reason for trace in traces],
            [trace.superseded for trace in traces],
            at,
        )
        if closed:
            await self.conn.execute("update referral set closed_at = $2 where id = any($1::uuid[])", list(closed), at)

    async def deciles(self, codes: Sequence[str]) -> dict[str, int]:
        rows = await self.conn.fetch("select code, decile from area where code = any($1::text[])", list(codes))
        return {row["code"]: row["decile"] for row in rows}

    async def of_partner(self, partner: str, referral_id: UUID) -> list[asyncpg.Record]:
        """The needs of one referral with their parent, or nothing where it is not this partner's."""
        return await self.conn.fetch(
            """select r.id as referral_id, r.reference, r.received_at, n.id as need_id, n.kind, n.status, n.reason,
                      n.outcome, n.next_by, n.next_on, n.next_what, n.changed_at
               from referral r join need n on n.referral_id = r.id
               where r.id = $1 and r.partner = $2 order by n.id""",
            referral_id,
            partner,
        )

    async def helped_by(self, provider: str, need_id: UUID) -> asyncpg.Record | None:
        """The referral and the status of a need that this provider helps with now."""
        return await self.conn.fetchrow(
            "select referral_id, status from need where id = $1 and provider = $2", need_id, provider
        )

    async def history(self, need_ids: Sequence[UUID]) -> list[asyncpg.Record]:
        return await self.conn.fetch(
            """select need_id, status, reason, at from need_history
               where need_id = any($1::uuid[]) and not superseded order by id""",
            list(need_ids),
        )

    async def sealed_persons(self, referral_ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        rows = await self.conn.fetch(
            """select r.id, r.partner, r.agreement_until, p.wrapped_key, p.sealed
               from referral r join person p using (person_ref) where r.id = any($1::uuid[])""",
            list(referral_ids),
        )
        return {row["id"]: row for row in rows}

    async def wrapped_keys(self, after: UUID, limit: int) -> list[asyncpg.Record]:
        """Those of the next persons, in the order of their refs; they are locked."""
        return await self.conn.fetch(
            "select person_ref, wrapped_key from person where person_ref > $1 order by person_ref limit $2 for update",
            after,
            limit,
        )

    async def save_wrapped_keys(self, keys: Mapping[UUID, bytes]) -> None:
        await self.conn.execute(
            """update person set wrapped_key = new.key
               from unnest($1::uuid[], $2::bytea[]) as new (ref, key) where person_ref = new.ref""",
            list(keys),
            list(keys.values()),
        )

    async def contact_is_held(self) -> bool:
        return bool(await self.conn.fetchval("select exists (select from contact_hold where released_at is null)"))

    async def release_contact(self, by: str, why: str, at: datetime) -> None:
        await self.conn.execute(
            "update contact_hold set released_at = $3, released_by = $1, why = $2 where released_at is null",
            by,
            why,
            at,
        )

    async def audit(self, lines: Sequence[tuple[Any, ...]]) -> None:
        """Lines of (referral_id, asked_by, purpose, decision, channel, at)."""
        await self.conn.executemany(
            """insert into contact_audit (referral_id, asked_by, purpose, decision, channel, at)
               values ($1, $2, $3, $4, $5, $6)""",
            lines,
        )
