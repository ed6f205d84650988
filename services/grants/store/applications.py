"""The SQL of drafts, applications and what is attached to them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Conn
from services.grants.domain.awards import Book
from services.grants.domain.rounds import Round
from services.grants.store.rows import APPLICATION, Asked, Submission, application_of, asked_of, many


@dataclass(frozen=True, slots=True)
class Draft:
    """What an organisation works on. `body` is what it sent last."""

    application_id: UUID
    round_id: str
    organisation_id: str
    applicant: str
    body: Any
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Applications:
    conn: Conn

    async def drafts(self, application_ids: Collection[UUID]) -> dict[UUID, Draft]:
        rows = await self.conn.fetch(
            """select application_id, round_id, organisation_id, applicant, body, started_at from draft
               where application_id = any($1) order by application_id for update""",
            sorted(application_ids),
        )
        return {row["application_id"]: Draft(**{**row, "body": json.loads(row["body"])}) for row in rows}

    async def save_drafts(self, drafts: Sequence[Draft], at: datetime) -> None:
        await self.conn.execute(
            """insert into draft (application_id, round_id, organisation_id, applicant, body, started_at, saved_at)
               select application_id, round_id, organisation_id, applicant, body, started_at, $2
               from jsonb_to_recordset($1::jsonb) as new (
                   application_id uuid, round_id text, organisation_id text, applicant text, body jsonb,
                   started_at timestamptz)
               order by application_id
               on conflict (application_id) do update set
                   round_id = excluded.round_id, organisation_id = excluded.organisation_id, body = excluded.body,
                   saved_at = excluded.saved_at""",
            many(drafts),
            at,
        )

    async def drop_drafts(self, application_ids: Collection[UUID]) -> None:
        await self.conn.execute("delete from draft where application_id = any($1)", list(application_ids))

    async def submit(self, submissions: Sequence[Submission]) -> set[UUID]:
        """Keeps those whose organisation has no other application in the round, and returns their ids."""
        rows = await self.conn.fetch(
            """insert into application (application_id, round_id, organisation_id, organisation_original,
                                        organisation_name, register, title, amount_pence, kinds, wards, stakes, body,
                                        submitted_at)
               select * from jsonb_to_recordset($1::jsonb) as new (
                   application_id uuid, round_id text, organisation_id text, organisation_original text,
                   organisation_name text, register text, title text, amount_pence bigint, kinds text[], wards text[],
                   stakes text[], body jsonb, submitted_at timestamptz)
               order by round_id, organisation_id
               on conflict do nothing returning application_id""",
            many(submissions),
        )
        return {row["application_id"] for row in rows}

    async def submit_again(self, submissions: Sequence[Submission]) -> None:
        """Replaces what staff asked to be changed."""
        await self.conn.execute(
            """update application a set
                   organisation_name = new.organisation_name, title = new.title, amount_pence = new.amount_pence,
                   kinds = new.kinds, wards = new.wards, stakes = new.stakes, body = new.body, status = 'submitted',
                   changes_until = null
               from jsonb_to_recordset($1::jsonb) as new (
                   application_id uuid, organisation_name text, title text, amount_pence bigint, kinds text[],
                   wards text[], stakes text[], body jsonb)
               where a.application_id = new.application_id""",
            many(submissions),
        )

    async def rounds_of(self, application_ids: Collection[UUID]) -> set[str]:
        """The rounds of applications and drafts: to be locked before these, so that nobody waits in a circle."""
        rows = await self.conn.fetch(
            """select round_id from application where application_id = any($1)
               union select round_id from draft where application_id = any($1)""",
            sorted(application_ids),
        )
        return {row["round_id"] for row in rows}

    async def book(self, application_ids: Collection[UUID], rounds: dict[str, Round]) -> Book:
        """These applications, and the reserve lists of these rounds, which are locked."""
        sql = (
            f"select {APPLICATION} from application a "  # noqa: S608 - our own column names
            "where a.application_id = any($1) or (a.status = 'reserve' and a.round_id = any($2)) "
            "order by a.application_id for no key update"
        )
        rows = await self.conn.fetch(sql, sorted(application_ids), sorted(rounds))
        return Book({row["application_id"]: application_of(row) for row in rows}, rounds)

    async def asked(self, application_ids: Collection[UUID]) -> dict[UUID, Asked]:
        """Applications as those see them who judge them, locked."""
        rows = await self.conn.fetch(
            f"""select {APPLICATION}, a.stakes, a.wards, a.body, a.changes_until
                from application a where a.application_id = any($1)
                order by a.application_id for no key update""",  # noqa: S608 - our own column names
            sorted(application_ids),
        )
        return {row["application_id"]: asked_of(row) for row in rows}

    async def asked_in(self, round_id: str) -> list[Asked]:
        """All that were submitted to a round, and stand, locked."""
        rows = await self.conn.fetch(
            f"""select {APPLICATION}, a.stakes, a.wards, a.body, a.changes_until
                from application a where a.round_id = $1 and a.status not in ('withdrawn', 'declined')
                order by a.application_id for no key update""",  # noqa: S608 - our own column names
            round_id,
        )
        return [asked_of(row) for row in rows]

    async def request_changes(self, until: Sequence[tuple[UUID, datetime]]) -> None:
        """Opens applications for changes: their drafts are there again."""
        await self.conn.execute(
            """with changed as (
                   update application a set status = 'changes-requested', changes_until = new.until
                   from unnest($1::uuid[], $2::timestamptz[]) as new (application_id, until)
                   where a.application_id = new.application_id
                   returning a.application_id, a.round_id, a.organisation_id, a.body, a.submitted_at
               )
               insert into draft (application_id, round_id, organisation_id, applicant, body, started_at, saved_at)
               select application_id, round_id, organisation_id, body ->> 'applicant', body, submitted_at, submitted_at
               from changed on conflict (application_id) do nothing""",
            [application_id for application_id, _ in until],
            [moment for _, moment in until],
        )

    async def close(self, round_id: str) -> None:
        """What was submitted stands where changes did not come in time; what was not submitted goes."""
        await self.conn.execute(
            """with gone as (delete from draft where round_id = $1 returning application_id)
               delete from attachment using gone
               where attachment.application_id = gone.application_id
                   and gone.application_id not in (select application_id from application where round_id = $1)""",
            round_id,
        )
        await self.conn.execute(
            """update application set status = 'submitted', changes_until = null
               where round_id = $1 and status = 'changes-requested'""",
            round_id,
        )

    async def other_drafts(self, organisation_id: str, application_id: UUID) -> int:
        number: int = await self.conn.fetchval(
            "select count(*) from draft where organisation_id = $1 and application_id <> $2",
            organisation_id,
            application_id,
        )
        return number

    async def attach(
        self, application_id: UUID, name: str, media_type: str, content: bytes, at: datetime, most: int
    ) -> bool:
        """Keeps a file of a draft, unless there are so many already."""
        done = await self.conn.execute(
            """insert into attachment (application_id, name, media_type, content, at)
               select $1::uuid, $2::text, $3::text, $4::bytea, $5::timestamptz
               where (select count(*) from attachment where application_id = $1 and name <> $2) < $6::bigint
               on conflict (application_id, name) do update set
                   media_type = excluded.media_type, content = excluded.content, at = excluded.at""",
            application_id, name, media_type, content, at, most,
        )  # fmt: skip
        return done == "INSERT 0 1"
