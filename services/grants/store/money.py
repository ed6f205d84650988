"""The SQL of what is promised, paid and reported."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Conn
from services.grants.domain.awards import Book
from services.grants.store.rows import many


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms money is promised: kept when it is awarded, or put on the reserve list."""

    application_id: UUID
    decided_under: str | None
    subsidy: Any
    schedule: Sequence[tuple[date, int, str | None]]
    """(due on, pence, evidence) of each instalment."""
    reports_due: Sequence[date]


@dataclass(frozen=True, slots=True)
class Due:
    """An instalment, and what of it is paid."""

    nth: int
    due_on: date
    pence: int
    evidence: str | None
    paid_pence: int


@dataclass(frozen=True, slots=True)
class Payment:
    application_id: UUID
    nth: int | None
    pence: int
    evidence: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Report:
    application_id: UUID
    due_on: date
    spent_pence: int
    people_helped: int
    account: str


@dataclass(frozen=True, slots=True)
class Money:
    conn: Conn

    async def save(self, book: Book, by: str, at: datetime, reason: str | None = None) -> None:
        """Saves applications that a decision moved, and takes or returns the money of their rounds, at once."""
        moved = [book.applications[application_id] for application_id in sorted(book.changed)]
        if not moved:
            return
        await self.conn.execute(
            """with before as (
                   select application_id, round_id, coalesce(awarded_pence, 0) as pence from application
                   where application_id = any($1)
               ), moved as (
                   update application a set status = new.status, awarded_pence = new.awarded,
                       reserved_pence = new.reserved, paid_pence = new.paid,
                       decided_at = case when new.status = a.status then a.decided_at else $7 end,
                       decided_by = case when new.status = a.status then a.decided_by else $6 end,
                       decline_reason = case when new.status = 'declined' then $8 end
                   from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
                       as new (application_id, status, awarded, reserved, paid)
                   where a.application_id = new.application_id
                   returning a.application_id, coalesce(a.awarded_pence, 0) as pence
               ), total as (
                   select before.round_id, sum(moved.pence - before.pence)::bigint as pence
                   from moved join before using (application_id) group by before.round_id
               )
               update round r set awarded_pence = r.awarded_pence + total.pence
               from total where r.round_id = total.round_id and total.pence <> 0""",
            [each.application_id for each in moved],
            [each.status for each in moved],
            [each.awarded_pence for each in moved],
            [each.reserved_pence for each in moved],
            [each.paid_pence for each in moved],
            by,
            at,
            reason,
        )
        book.changed.clear()

    async def promise(self, terms: Sequence[Terms]) -> None:
        """Keeps the terms of an award, in the place of those of a reserve."""
        ids = [each.application_id for each in terms]
        await self.conn.execute("delete from instalment where application_id = any($1)", ids)
        await self.conn.execute("delete from report where application_id = any($1)", ids)
        await self.conn.execute(
            """update application a set decided_under = new.decided_under, subsidy = new.subsidy
               from jsonb_to_recordset($1::jsonb) as new (application_id uuid, decided_under text, subsidy jsonb)
               where a.application_id = new.application_id""",
            many(terms),
        )
        rows = [(each.application_id, n, *part) for each in terms for n, part in enumerate(each.schedule, start=1)]
        await self.conn.executemany(
            "insert into instalment (application_id, nth, due_on, pence, evidence) values ($1, $2, $3, $4, $5)", rows
        )
        await self.conn.executemany(
            "insert into report (application_id, due_on) values ($1, $2)",
            [(each.application_id, day) for each in terms for day in sorted(set(each.reports_due))],
        )

    async def terms(self, application_ids: Collection[UUID]) -> dict[UUID, tuple[str | None, list[date]]]:
        """Under which decision, and when reports are due, by application."""
        rows = await self.conn.fetch(
            """select application_id, decided_under, array(select due_on from report r
                   where r.application_id = a.application_id order by 1) as due
               from application a where application_id = any($1)""",
            list(application_ids),
        )
        return {row["application_id"]: (row["decided_under"], list(row["due"])) for row in rows}

    async def instalment(self, application_id: UUID, nth: int) -> Due | None:
        row = await self.conn.fetchrow(
            """select nth, due_on, pence, evidence, paid_pence from instalment
               where application_id = $1 and nth = $2 for no key update""",
            application_id,
            nth,
        )
        return Due(**row) if row else None

    async def pay(self, payment: Payment, at: datetime) -> None:
        """Records a payment, or below zero a return, with the instalment that it is of."""
        await self.conn.execute(
            """with paid as (
                   update instalment set paid_pence = paid_pence + $3 where application_id = $1 and nth = $2
               )
               insert into payment (application_id, nth, pence, evidence, by, at) values ($1, $2, $3, $4, $5, $6)""",
            payment.application_id,
            payment.nth,
            payment.pence,
            payment.evidence,
            payment.by,
            at,
        )

    async def owed_reports(self, application_ids: Collection[UUID]) -> dict[tuple[UUID, date], bool]:
        """Reports by application and day, with whether they came, of applications that hold an award."""
        rows = await self.conn.fetch(
            """select r.application_id, r.due_on, r.reported_at is not null as came from report r
               join application a using (application_id)
               where a.application_id = any($1) and a.status = 'awarded'""",
            list(application_ids),
        )
        return {(row["application_id"], row["due_on"]): row["came"] for row in rows}

    async def report(self, report: Report, at: datetime) -> None:
        await self.conn.execute(
            """update report set reported_at = $3, spent_pence = $4, people_helped = $5, account = $6
               where application_id = $1 and due_on = $2""",
            report.application_id,
            report.due_on,
            at,
            report.spent_pence,
            report.people_helped,
            report.account,
        )

    async def owners(self, application_ids: Collection[UUID]) -> dict[UUID, Any]:
        """What was submitted, by application: for the facts that tell of an award."""
        rows = await self.conn.fetch(
            "select application_id, organisation_name, wards, body from application where application_id = any($1)",
            list(application_ids),
        )
        return {row["application_id"]: {**row, "body": json.loads(row["body"])} for row in rows}
