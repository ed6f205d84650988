"""The messages, one row for each thing that somebody is told, and the ways in which that was tried."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from contracts.vocabulary import Kind
from services.notifications.domain.telling import AGAIN, Tell, TellApplicant, Telling
from services.notifications.store.connection import OnConnection

State = Literal["waiting", "sent", "delivered", "withheld", "call-requested", "reached", "declined", "unreached"]
RungState = Literal["sent", "open", "delivered", "reached", "failed", "superseded"]


@dataclass(frozen=True, slots=True)
class Move:
    """Where a message goes. `used` is the channel that is used up with it."""

    message_id: UUID
    state: State
    channel: str | None = None
    reason: str | None = None
    used: str | None = None


@dataclass(frozen=True, slots=True)
class NewRung:
    tell: Telling
    channel: str
    state: RungState
    evidence: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class RungEnd:
    message_id: UUID
    nth: int
    state: RungState
    evidence: str | None


def tell_of(row: asyncpg.Record) -> Telling:
    """The errand of going on with a message, from its row with the languages of its referral."""
    if row["audience"] == "applicant":
        given = {name: row[name] for name in ("application_id", "pence", "day", "tried")}
        return TellApplicant(message_id=row["id"], about=row["status"], **given)
    about = str(row["status"])
    asked: Any = about.removeprefix("feedback-") if about.startswith("feedback-") else None
    return Tell(
        message_id=row["id"],
        referral_id=row["referral_id"],
        need_id=row["need_id"],
        kind=row["kind"],
        status="completed" if asked else "on-hold" if about == AGAIN else row["status"],
        audience=row["audience"],
        asked=asked,
        again=about == AGAIN,
        languages=tuple(row["languages"] or ()),
        tried=tuple(row["tried"]),
    )


class Messages(OnConnection):
    __slots__ = ()

    async def add_messages(self, messages: Sequence[tuple[Telling, UUID]], at: datetime) -> set[UUID]:
        """Adds what is to be told and why; returns the ids of those that nobody was told of before."""
        rows = await self.conn.fetch(
            """insert into message (id, referral_id, need_id, audience, status, kind, cause, application_id, pence, day,
                                    created_at)
               select id, referral_id, need_id, audience, status, kind, cause, application_id, pence, day, $11
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[],
                           $8::uuid[], $9::bigint[], $10::date[])
               with ordinality as new (
                   id, referral_id, need_id, audience, status, kind, cause, application_id, pence, day, nth)
               order by need_id, nth
               on conflict do nothing returning id""",
            [tell.message_id for tell, _ in messages],
            [tell.referral_id for tell, _ in messages],
            [tell.need_id for tell, _ in messages],
            [tell.audience for tell, _ in messages],
            [tell.about for tell, _ in messages],
            [tell.kind for tell, _ in messages],
            [cause for _, cause in messages],
            [tell.application_id for tell, _ in messages],
            [tell.pence for tell, _ in messages],
            [tell.day for tell, _ in messages],
            at,
        )
        return {row["id"] for row in rows}

    async def settle(self, moves: Sequence[Move], at: datetime) -> set[UUID]:
        """Records what a waiting message came to; returns the ids of those that were waiting."""
        return await self._move(moves, "m.state = 'waiting'", at)

    async def go_on(self, moves: Sequence[Move], at: datetime) -> set[UUID]:
        """Moves messages that were settled, but not for good; returns their ids."""
        return await self._move(moves, "m.state in ('sent', 'delivered', 'call-requested')", at)

    async def finish(self, moves: Sequence[Move], at: datetime) -> set[UUID]:
        """Ends messages for good; returns their ids."""
        return await self._move(moves, "m.state in ('waiting', 'call-requested', 'withheld')", at)

    async def _move(self, moves: Sequence[Move], from_where: str, at: datetime) -> set[UUID]:
        rows = await self.conn.fetch(
            f"""with new as (
                    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
                    as new (id, state, channel, reason, used)
                ), those as (
                    select m.id from message m join new using (id) where {from_where} order by m.id for update of m
                )
                update message m set
                    state = new.state, channel = new.channel, reason = new.reason,
                    tried = case when new.used is null then m.tried else m.tried || new.used end,
                    settled_at = case when new.state = 'waiting' then null else $6::timestamptz end
                from new join those using (id) where m.id = new.id
                returning m.id""",  # noqa: S608 - one of three constants
            [move.message_id for move in moves],
            [move.state for move in moves],
            [move.channel for move in moves],
            [move.reason for move in moves],
            [move.used for move in moves],
            at,
        )
        return {row["id"] for row in rows}

    async def tells(self, messages: Sequence[UUID]) -> dict[UUID, Telling]:
        """How to go on with each message."""
        rows = await self.conn.fetch(
            """select m.*, r.languages from message m left join referral r using (referral_id)
               where m.id = any($1::uuid[])""",
            list(messages),
        )
        return {row["id"]: tell_of(row) for row in rows}

    async def tell(self, message: UUID) -> Telling:
        return (await self.tells([message]))[message]

    async def add_rungs(self, rungs: Sequence[NewRung], at: datetime) -> None:
        await self.conn.execute(
            """insert into rung (message_id, nth, referral_id, channel, state, evidence, language, began_at, ended_at)
               select message_id, nth, referral_id, channel, state, evidence, language, $8::timestamptz,
                      case when state = 'open' then null else $8::timestamptz end
               from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
               as new (message_id, nth, referral_id, channel, state, evidence, language)
               on conflict (message_id, nth) do update
               set channel = excluded.channel, state = excluded.state, evidence = excluded.evidence,
                   ended_at = excluded.ended_at""",
            [rung.tell.message_id for rung in rungs],
            [rung.tell.rung for rung in rungs],
            [rung.tell.referral_id for rung in rungs],
            [rung.channel for rung in rungs],
            [rung.state for rung in rungs],
            [rung.evidence for rung in rungs],
            [rung.language for rung in rungs],
            at,
        )

    async def end_rungs(self, ends: Sequence[RungEnd], at: datetime) -> None:
        await self.conn.execute(
            """update rung set state = new.state, evidence = new.evidence, ended_at = $5
               from unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) as new (message_id, nth, state, evidence)
               where rung.message_id = new.message_id and rung.nth = new.nth""",
            [end.message_id for end in ends],
            [end.nth for end in ends],
            [end.state for end in ends],
            [end.evidence for end in ends],
            at,
        )

    async def rungs(self, attempts: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], asyncpg.Record]:
        """The rungs that there are, locked, by message and number."""
        rows = await self.conn.fetch(
            """select r.* from rung r
               join unnest($1::uuid[], $2::int[]) as asked (message_id, nth) using (message_id, nth)
               order by message_id, nth for update of r""",
            [message for message, _ in attempts],
            [nth for _, nth in attempts],
        )
        return {(row["message_id"], row["nth"]): row for row in rows}

    async def has_message(self, message: UUID) -> bool:
        return bool(await self.conn.fetchval("select exists (select from message where id = $1)", message))

    async def know_referrals(self, referrals: Sequence[tuple[UUID, Sequence[str]]]) -> None:
        """Keeps which languages each person understands, the preferred one first."""
        last = dict(referrals)
        await self.conn.execute(
            """insert into referral (referral_id, languages)
               select id, string_to_array(languages, ',') from unnest($1::uuid[], $2::text[]) as new (id, languages)
               order by id
               on conflict (referral_id) do update set languages = excluded.languages""",
            list(last),
            [",".join(languages) for languages in last.values()],
        )

    async def languages(self, referrals: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
        rows = await self.conn.fetch(
            "select referral_id, languages from referral where referral_id = any($1::uuid[])", list(referrals)
        )
        return {row["referral_id"]: tuple(row["languages"]) for row in rows}

    async def helped(self, needs: Sequence[tuple[UUID, UUID, Kind]]) -> None:
        """Keeps with which need a referral was helped last: what its person is asked about."""
        last = {referral: (need, kind) for referral, need, kind in needs}
        await self.conn.execute(
            """insert into referral (referral_id, helped_need, helped_kind)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as new (id, need, kind) order by id
               on conflict (referral_id) do update
               set helped_need = excluded.helped_need, helped_kind = excluded.helped_kind""",
            list(last),
            [need for need, _ in last.values()],
            [kind for _, kind in last.values()],
        )

    async def helped_with(self, referrals: Sequence[UUID]) -> dict[UUID, tuple[UUID, Kind]]:
        rows = await self.conn.fetch(
            """select referral_id, helped_need, helped_kind from referral
               where referral_id = any($1::uuid[]) and helped_need is not null""",
            list(referrals),
        )
        return {row["referral_id"]: (row["helped_need"], row["helped_kind"]) for row in rows}

    async def mail_partners(self, partners: Sequence[str]) -> None:
        await self.conn.execute(
            "insert into mailed_partner (partner) select unnest($1::text[]) on conflict do nothing", list(partners)
        )

    async def mail_not(self, partners: Sequence[str]) -> None:
        await self.conn.execute("delete from mailed_partner where partner = any($1::text[])", list(partners))

    async def mailed(self, partners: Collection[str]) -> set[str]:
        """Which of these are written to."""
        rows = await self.conn.fetch(
            "select partner from mailed_partner where partner = any($1::text[])", list(partners)
        )
        return {row["partner"] for row in rows}
