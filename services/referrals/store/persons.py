"""Who may look at a person and have them erased, what is left of them then, and who has confirmed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

from chassis.postgres import Conn

HELD: Final = {
    "referral": "select * from referral where id = any($1::text[]::uuid[])",
    "need": "select * from need where referral_id = any($1::text[]::uuid[])",
    "need_history": """select * from need_history
                       where need_id in (select id from need where referral_id = any($1::text[]::uuid[]))""",
    "contact_audit": "select * from contact_audit where referral_id = any($1::text[]::uuid[])",
    "door": """select partner, submission_id, accepted_at, convert_from(answer, 'UTF8')::jsonb as answer from door
               where (partner, submission_id) in (select partner, submission_id from referral
                                                  where id = any($1::text[]::uuid[]))""",
    "person_token": """select person_ref, encode(token, 'hex') as token from person_token
                       where person_ref in (select person_ref from referral where id = any($1::text[]::uuid[]))""",
    "possible_duplicate": "select * from possible_duplicate where referral_id = any($1::text[]::uuid[])",
    "review": "select * from review where referral_id = any($1::text[]::uuid[])",
    "staff_act": "select * from staff_act where referral_id = any($1::text[]::uuid[])",
    "person_audit": """select * from person_audit
                       where person_ref in (select person_ref from referral where id = any($1::text[]::uuid[]))""",
    "erasure": "select * from erasure where referral_id = any($1::text[]::uuid[])",
    "erasure_confirmation": "select * from erasure_confirmation where referral_id = any($1::text[]::uuid[])",
}
"""What is kept of referrals ($1) beside the person, who is sealed in `person`."""


@dataclass(frozen=True, slots=True)
class Persons:
    """SQL of persons, in the transaction of a batch."""

    conn: Conn

    async def referrals_of(self, person_ref: UUID) -> list[UUID]:
        rows = await self.conn.fetch(
            """select id from referral where person_ref = $1
               union select referral_id from erasure where person_ref = $1 order by id""",
            person_ref,
        )
        return [row["id"] for row in rows]

    async def of_referral(self, referral_id: UUID) -> UUID | None:
        ref: UUID | None = await self.conn.fetchval("select person_ref from referral where id = $1", referral_id)
        return ref

    async def sealed(self, person_ref: UUID) -> asyncpg.Record | None:
        return await self.conn.fetchrow("select wrapped_key, sealed from person where person_ref = $1", person_ref)

    async def audit(
        self, person_ref: UUID, done: Literal["exported", "erased"], who: str, why: str, at: datetime
    ) -> None:
        await self.conn.execute(
            "insert into person_audit (person_ref, done, who, why, at) values ($1, $2, $3, $4, $5)",
            person_ref,
            done,
            who,
            why,
            at,
        )

    async def submissions(self, referral_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
        """The message that each came by, as (partner, submission id)."""
        rows = await self.conn.fetch(
            "select id, partner, submission_id from referral where id = any($1::uuid[]) and submission_id is not null",
            list(referral_ids),
        )
        return {row["id"]: (row["partner"], row["submission_id"]) for row in rows}

    async def erase(self, referral_ids: Sequence[UUID], at: datetime) -> None:
        """The persons go, with their keys. Of their referrals stay ids, partner, times and states."""
        ids = list(referral_ids)
        await self.conn.execute(
            """insert into erasure (referral_id, person_ref, received_at, erased_at)
               select asked.id, person_ref, received_at, $2
               from unnest($1::uuid[]) as asked (id) left join referral using (id)
               on conflict (referral_id) do update
               set person_ref = coalesce(erasure.person_ref, excluded.person_ref),
                   received_at = coalesce(erasure.received_at, excluded.received_at)""",
            ids,
            at,
        )
        await self.conn.execute(
            "delete from person where person_ref in (select person_ref from referral where id = any($1::uuid[]))", ids
        )
        await self.conn.execute(
            """update referral set reference = '', submission_id = null, area = 'erased', ward = null,
                   direct_contact = false, agreement_by = 'erased', agreement_until = null,
                   score = 0, groups = 0, area_step = 0
               where id = any($1::uuid[])""",
            ids,
        )

    async def erased(self, referral_ids: Sequence[UUID]) -> set[UUID]:
        rows = await self.conn.fetch(
            "select referral_id from erasure where referral_id = any($1::uuid[])", list(referral_ids)
        )
        return {row["referral_id"] for row in rows}

    async def confirm(self, confirmations: Sequence[tuple[UUID, str, datetime]]) -> None:
        """Keeps that a service has forgotten a referral; the last time counts."""
        last = dict(sorted(((each, service), at) for each, service, at in confirmations))
        await self.conn.execute(
            """insert into erasure_confirmation (referral_id, service, confirmed_at)
               select * from unnest($1::uuid[], $2::text[], $3::timestamptz[])
               on conflict (referral_id, service) do update
               set confirmed_at = greatest(erasure_confirmation.confirmed_at, excluded.confirmed_at)""",
            [each for each, _ in last],
            [service for _, service in last],
            list(last.values()),
        )

    async def take_back(self, referral_ids: Sequence[UUID]) -> None:
        """Every service is to confirm anew."""
        await self.conn.execute(
            "delete from erasure_confirmation where referral_id = any($1::uuid[])", list(referral_ids)
        )

    async def erasures(self, referral_ids: Sequence[UUID]) -> list[asyncpg.Record]:
        """Each as referral_id, received_at, erased_at, and `confirmed` as {service: time} in JSON."""
        return await self.conn.fetch(
            """select e.referral_id, e.received_at, e.erased_at,
                      coalesce(json_object_agg(c.service, c.confirmed_at) filter (where c.service is not null), '{}')
                          as confirmed
               from erasure e left join erasure_confirmation c using (referral_id)
               where e.referral_id = any($1::uuid[]) group by e.referral_id order by e.referral_id""",
            list(referral_ids),
        )
