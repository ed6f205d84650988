"""Referrals, persons and needs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.door import NeedAsked
from contracts.vocabulary import NeedStatus
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
    languages: list[str]
    schemes: list[str]
    not_before: date | None
    wrapped_key: bytes
    sealed: bytes


_OF_REFERRAL = [each.name for each in fields(NewReferral) if each.name not in {"wrapped_key", "sealed"}]


@dataclass(frozen=True, slots=True)
class NewNeed:
    """A need, and what it asks."""

    need: Need
    asked: NeedAsked


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
    return Need(**{name: row[name] for name in _OF_NEED}, next=step)


def _row(need: Need) -> dict[str, Any]:
    step = need.next
    return {
        **{name: getattr(need, name) for name in _OF_NEED},
        "next_by": step and step.by,
        "next_on": step and step.on,
        "next_what": step and step.what,
    }


_OF_NEED = [each.name for each in fields(Need) if each.name != "next"]


@dataclass(frozen=True, slots=True)
class Referrals:
    """SQL of referrals, in the transaction of a batch."""

    conn: Conn

    async def add(self, referrals: Sequence[NewReferral], needs: Sequence[NewNeed], at: datetime) -> None:
        await self._insert_persons(referrals)
        await self._insert_referrals(referrals)
        await self.add_needs(needs, at)

    async def _insert_persons(self, referrals: Sequence[NewReferral]) -> None:
        await self.conn.execute(
            """insert into person (person_ref, wrapped_key, sealed)
               select * from unnest($1::uuid[], $2::bytea[], $3::bytea[]) on conflict (person_ref) do nothing""",
            [r.person_ref for r in referrals],
            [r.wrapped_key for r in referrals],
            [r.sealed for r in referrals],
        )

    async def _insert_referrals(self, referrals: Sequence[NewReferral]) -> None:
        rows = [{name: getattr(row, name) for name in _OF_REFERRAL} for row in referrals]
        await self.conn.execute(
            """insert into referral (id, person_ref, partner, submission_id, reference, area, ward, direct_contact,
                                     agreement_by, agreement_until, score, groups, area_step, policy, received_at,
                                     languages, schemes, not_before)
               select id, person_ref, partner, submission_id, reference, area, ward, direct_contact,
                      agreement_by, agreement_until, score, groups, area_step, policy, received_at,
                      languages, schemes, not_before
               from json_populate_recordset(null::referral, $1::json)""",
            json.dumps(rows, default=str),
        )

    async def add_needs(self, needs: Sequence[NewNeed], at: datetime) -> None:
        await self.conn.execute(
            """insert into need (id, referral_id, kind, status, reason, next_by, next_on, next_what, hold, hold_until,
                                 requirements, languages, formats, days, changed_at)
               select id, referral_id, kind, status, reason, next_by, next_on, next_what, hold, hold_until,
                      requirements, languages, formats, days, $2
               from json_populate_recordset(null::need, $1::json)""",
            json.dumps([{**_row(new.need), **new.asked.model_dump(exclude={"kind"})} for new in needs], default=str),
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

    async def save(
        self,
        needs: Sequence[Need],
        traces: Sequence[Trace],
        closed: Mapping[UUID, datetime | None],
        at: datetime,
    ) -> None:
        """Saves needs as they are, and when each referral that is named was `closed`, if it is."""
        await self.conn.execute(
            """update need set status = new.status, reason = new.reason, outcome = new.outcome,
                               next_by = new.next_by, next_on = new.next_on, next_what = new.next_what,
                               provider = new.provider, hold = new.hold, hold_until = new.hold_until, changed_at = $2
               from json_populate_recordset(null::need, $1::json) as new where need.id = new.id""",
            json.dumps([_row(need) for need in needs], default=str),
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
            await self.conn.execute(
                """update referral set closed_at = new.at from unnest($1::uuid[], $2::timestamptz[]) as new (id, at)
                   where referral.id = new.id""",
                list(closed),
                list(closed.values()),
            )

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

    async def has_submission(self, partner: str, submission_id: str) -> bool:
        return bool(
            await self.conn.fetchval(
                "select exists (select from referral where partner = $1 and submission_id = $2)", partner, submission_id
            )
        )

    async def helped_by(self, provider: str, need_id: UUID) -> asyncpg.Record | None:
        """The referral and the status of a need that this provider helps with now."""
        return await self.conn.fetchrow(
            """select referral_id, status from need
               where id = $1 and provider = $2 and status in ('accepted', 'in-progress')""",
            need_id,
            provider,
        )

    async def statuses(self, need_ids: Sequence[UUID]) -> dict[UUID, NeedStatus]:
        rows = await self.conn.fetch("select id, status from need where id = any($1::uuid[])", list(need_ids))
        return {row["id"]: row["status"] for row in rows}

    async def history(self, need_ids: Sequence[UUID]) -> list[asyncpg.Record]:
        return await self.conn.fetch(
            """select need_id, status, reason, at from need_history
               where need_id = any($1::uuid[]) and not superseded order by id""",
            list(need_ids),
        )

    async def sealed_persons(self, referral_ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        rows = await self.conn.fetch(
            """select r.id, r.partner, r.reference, r.agreement_until, r.closed_at, p.*
               from referral r join person p using (person_ref) where r.id = any($1::uuid[])""",
            list(referral_ids),
        )
        return {row["id"]: row for row in rows}

    async def wrapped_keys(self, after: UUID, limit: int) -> list[asyncpg.Record]:
        """Those of the next persons, in the order of their refs; they are locked."""
        return await self.conn.fetch(
            """select person_ref, wrapped_key, sealed from person where person_ref > $1
               order by person_ref limit $2 for update""",
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
