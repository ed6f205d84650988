"""What referrers were asked to tell, where persons may answer, and what they said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.contacting import Asked, FeedbackGiven, Told

GUESSES: Final = 100
GUESSED_WITHIN: Final = timedelta(hours=1)
"""With 50 random bits a search at this rate takes a billion years."""

HELD: Final = {
    "contact_request": "select * from contact_request where referral_id = any($1::text[]::uuid[])",
    "answer_link": """select referral_id, need_id, asked, expires_at from answer_link
                      where referral_id = any($1::text[]::uuid[])""",
    "status_code": "select referral_id, expires_at from status_code where referral_id = any($1::text[]::uuid[])",
    "feedback": "select * from feedback where referral_id = any($1::text[]::uuid[])",
}


@dataclass(frozen=True, slots=True)
class Request:
    task_id: UUID
    referral_id: UUID
    need_id: UUID
    partner: str
    about: str


@dataclass(frozen=True, slots=True)
class Link:
    sha256: bytes
    referral_id: UUID
    need_id: UUID
    asked: Asked
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Contacting:
    """SQL of contacting, in the transaction of a batch."""

    conn: Conn

    async def ask(self, requests: Sequence[Request], at: datetime) -> set[UUID]:
        """The tasks that are new."""
        rows = await self.conn.fetch(
            """insert into contact_request (task_id, referral_id, need_id, partner, about, asked_at)
               select task_id, referral_id, need_id, partner, about, $6
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
               as new (task_id, referral_id, need_id, partner, about)
               on conflict do nothing returning task_id""",
            [request.task_id for request in requests],
            [request.referral_id for request in requests],
            [request.need_id for request in requests],
            [request.partner for request in requests],
            [request.about for request in requests],
            at,
        )
        return {row["task_id"] for row in rows}

    async def requests(self, tasks: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        """What was asked, locked."""
        rows = await self.conn.fetch(
            "select * from contact_request where task_id = any($1::uuid[]) order by task_id for update", list(tasks)
        )
        return {row["task_id"]: row for row in rows}

    async def report(self, reports: Sequence[tuple[UUID, Told]], at: datetime) -> None:
        await self.conn.execute(
            """update contact_request set outcome = new.outcome, reported_at = $3
               from unnest($1::uuid[], $2::text[]) as new (task_id, outcome)
               where contact_request.task_id = new.task_id""",
            [task for task, _ in reports],
            [outcome for _, outcome in reports],
            at,
        )

    async def known_by_referrer(self, referrals: Sequence[UUID]) -> set[tuple[UUID, str]]:
        """What each person knows of which need, from the referrer that was asked last to tell it."""
        rows = await self.conn.fetch(
            """select need_id, about from (
                   select distinct on (need_id, about) need_id, about, outcome from contact_request
                   where referral_id = any($1::uuid[]) order by need_id, about, asked_at desc
               ) as last where outcome in ('told', 'declined')""",
            list(referrals),
        )
        return {(row["need_id"], row["about"]) for row in rows}

    async def parents(self, referrals: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        """Partner and reference of those that are not erased."""
        rows = await self.conn.fetch(
            """select r.id, r.partner, r.reference from referral r join person p using (person_ref)
               where r.id = any($1::uuid[])""",
            list(referrals),
        )
        return {row["id"]: row for row in rows}

    async def has_need(self, referral: UUID, need: UUID) -> bool:
        """Whether there is such a need, of somebody who is not erased."""
        there: bool = await self.conn.fetchval(
            """select exists (
                   select from need n join referral r on r.id = n.referral_id join person p using (person_ref)
                   where n.id = $2 and r.id = $1)""",
            referral,
            need,
        )
        return there

    async def add_links(self, links: Sequence[Link]) -> None:
        await self.conn.execute(
            """insert into answer_link (sha256, referral_id, need_id, asked, expires_at)
               select * from unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])""",
            [link.sha256 for link in links],
            [link.referral_id for link in links],
            [link.need_id for link in links],
            [link.asked for link in links],
            [link.expires_at for link in links],
        )

    async def link(self, sha256: bytes, at: datetime) -> asyncpg.Record | None:
        """Where it leads, while it does."""
        return await self.conn.fetchrow(
            "select referral_id, need_id, asked from answer_link where sha256 = $1 and expires_at > $2", sha256, at
        )

    async def answer(self, given: Sequence[FeedbackGiven]) -> set[tuple[UUID, str]]:
        """Keeps the first answer to each question; returns which of these it was."""
        rows = await self.conn.fetch(
            """insert into feedback (referral_id, asked, need_id, goal_met, online, at)
               select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
               on conflict do nothing returning referral_id, asked""",
            [each.referral_id for each in given],
            [each.asked for each in given],
            [each.need_id for each in given],
            [each.goal_met for each in given],
            [each.online for each in given],
            [each.at for each in given],
        )
        return {(row["referral_id"], row["asked"]) for row in rows}

    async def forget(self, referrals: Sequence[UUID]) -> None:
        for sql in (
            "delete from contact_request where referral_id = any($1::uuid[])",
            "delete from status_code where referral_id = any($1::uuid[])",
            "delete from answer_link where referral_id = any($1::uuid[])",
            "delete from feedback where referral_id = any($1::uuid[])",
        ):
            await self.conn.execute(sql, list(referrals))

    async def set_mail(self, partner: str, email: str | None, at: datetime) -> None:
        if email is None:
            await self.conn.execute("delete from partner_mail where partner = $1", partner)
            return
        await self.conn.execute(
            """insert into partner_mail (partner, email, said_at) values ($1, $2, $3)
               on conflict (partner) do update set email = excluded.email, said_at = excluded.said_at""",
            partner,
            email,
            at,
        )

    async def name_of(self, partner: str) -> str:
        name: str | None = await self.conn.fetchval("select name from partner where id = $1", partner)
        return name or partner

    async def mails(self, partners: Sequence[str]) -> dict[str, str]:
        rows = await self.conn.fetch(
            "select partner, email from partner_mail where partner = any($1::text[])", list(partners)
        )
        return {row["partner"]: row["email"] for row in rows}

    async def add_codes(self, codes: Sequence[tuple[bytes, UUID]], expires_at: datetime) -> None:
        await self.conn.execute(
            """insert into status_code (sha256, referral_id, expires_at)
               select sha256, referral_id, $3 from unnest($1::bytea[], $2::uuid[]) as new (sha256, referral_id)""",
            [sha256 for sha256, _ in codes],
            [referral for _, referral in codes],
            expires_at,
        )

    async def referral_of(self, sha256: bytes, at: datetime) -> UUID | None:
        """Of a status code, while it is valid."""
        referral: UUID | None = await self.conn.fetchval(
            "select referral_id from status_code where sha256 = $1 and expires_at > $2", sha256, at
        )
        return referral

    async def status(self, referral: UUID) -> list[asyncpg.Record]:
        """Kind, status and time of each need."""
        return await self.conn.fetch(
            "select kind, status, changed_at from need where referral_id = $1 order by id", referral
        )

    async def is_guessed_at(self, at: datetime) -> bool:
        """Whether so many wrong codes were tried in the last hour that somebody may be searching."""
        guesses: int = await self.conn.fetchval("select count(*) from status_guess where at > $1", at - GUESSED_WITHIN)
        return guesses >= GUESSES

    async def note_guess(self, at: datetime) -> None:
        await self.conn.execute("delete from status_guess where at <= $1", at - GUESSED_WITHIN)
        await self.conn.execute("insert into status_guess (at) values ($1)", at)
