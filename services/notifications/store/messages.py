"""The messages: one row for each thing that somebody is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.vocabulary import Channel
from services.notifications.domain.telling import Tell
from services.notifications.store.connection import OnConnection

State = Literal["sent", "failed", "withheld", "call-requested"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a message, for good."""

    message_id: UUID
    state: State
    channel: Channel | None = None
    reason: str | None = None


class Messages(OnConnection):
    __slots__ = ()

    async def add_messages(self, messages: Sequence[tuple[Tell, UUID]], at: datetime) -> set[UUID]:
        """Adds what is to be told and why; returns the ids of those that nobody was told of before."""
        rows = await self.conn.fetch(
            """insert into message (id, referral_id, need_id, audience, status, kind, cause, created_at)
               select id, referral_id, need_id, audience, status, kind, cause, $8
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[])
               with ordinality as new (id, referral_id, need_id, audience, status, kind, cause, nth)
               order by need_id, nth
               on conflict do nothing returning id""",
            [tell.message_id for tell, _ in messages],
            [tell.referral_id for tell, _ in messages],
            [tell.need_id for tell, _ in messages],
            [tell.audience for tell, _ in messages],
            [tell.status for tell, _ in messages],
            [tell.kind for tell, _ in messages],
            [cause for _, cause in messages],
            at,
        )
        return {row["id"] for row in rows}

    async def settle(self, settled: Sequence[Settled], at: datetime) -> set[UUID]:
        """Records results; returns the ids of the messages that had none yet."""
        rows = await self.conn.fetch(
            """with new as (
                   select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                   as new (id, state, channel, reason)
               ), waiting as (
                   select m.id from message m join new using (id) where m.state = 'waiting'
                   order by m.id for update of m
               )
               update message m set state = new.state, channel = new.channel, reason = new.reason, settled_at = $5
               from new join waiting using (id) where m.id = new.id
               returning m.id""",
            [one.message_id for one in settled],
            [one.state for one in settled],
            [one.channel for one in settled],
            [one.reason for one in settled],
            at,
        )
        return {row["id"] for row in rows}
