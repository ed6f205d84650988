"""What the facts of referrals come to: partners, areas, referrals and needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.postgres import Conn
from contracts.referrals import (
    Area,
    NeedReceived,
    PartnerRegistered,
    ReferralClosed,
    ReferralReceived,
    ReferralStalled,
    ReferralWithdrawn,
)
from services.reporting.domain.folding import Moves
from services.reporting.domain.measure import BANDS


@dataclass(frozen=True, slots=True)
class Referrals:
    """Every method is given one row for each key, in the order of the keys."""

    conn: Conn

    async def save_partners(self, facts: Sequence[PartnerRegistered]) -> None:
        await self.conn.execute(
            """insert into partner (partner, name) select * from unnest($1::text[], $2::text[])
               on conflict (partner) do update set name = excluded.name""",
            [fact.partner for fact in facts],
            [fact.name for fact in facts],
        )

    async def save_areas(self, rows: Sequence[tuple[Area, str, datetime]]) -> None:
        """The newest wins, in whichever order versions are heard."""
        await self.conn.execute(
            """insert into area (code, name, decile, step, committee, version, loaded_at)
               select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[],
                                    $7::timestamptz[])
               on conflict (code) do update set name = excluded.name, decile = excluded.decile, step = excluded.step,
                   committee = excluded.committee, version = excluded.version, loaded_at = excluded.loaded_at
               where (excluded.loaded_at, excluded.version) > (area.loaded_at, area.version)""",
            [area.code for area, _, _ in rows],
            [area.name for area, _, _ in rows],
            [area.decile for area, _, _ in rows],
            [area.step for area, _, _ in rows],
            [area.committee for area, _, _ in rows],
            [version for _, version, _ in rows],
            [loaded_at for _, _, loaded_at in rows],
        )

    async def save_referrals(self, facts: Sequence[ReferralReceived]) -> None:
        """A referral is received once: what is heard again writes nothing."""
        await self.conn.execute(
            """insert into referral (referral_id, partner, area, received_at, score)
               select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::int[])
               on conflict (referral_id) do update set partner = excluded.partner, area = excluded.area,
                   received_at = excluded.received_at, score = excluded.score
               where referral.received_at is null""",
            [fact.referral_id for fact in facts],
            [fact.partner for fact in facts],
            [fact.area for fact in facts],
            [fact.received_at for fact in facts],
            [fact.priority.score for fact in facts],
        )

    async def save_needs(self, rows: Sequence[tuple[NeedReceived, ReferralReceived]]) -> None:
        """A need that is known already keeps what later facts told of it."""
        await self.conn.execute(
            """insert into need (need_id, referral_id, kind, status)
               select *, 'requested' from unnest($1::uuid[], $2::uuid[], $3::text[])
               on conflict (need_id) do update set kind = excluded.kind, status = excluded.status
               where need.status is null""",
            [need.need_id for need, _ in rows],
            [fact.referral_id for _, fact in rows],
            [need.kind for need, _ in rows],
        )

    async def move_needs(self, moves: Sequence[Moves]) -> None:
        """What a need came to by several moves; times that they say nothing of stay as they are."""
        await self.conn.execute(
            """with new as (
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                                        $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
                       as new (need_id, referral_id, kind, status, reason, outcome, status_at, accepted_at,
                               waiting_until, ended_at)
               ), kept as (
                   select new.*, need.accepted_at as first_at, need.waiting_until as left_at, need.ended_at as over_at,
                          new.need_id = any($11::uuid[]) as has_waited, new.need_id = any($12::uuid[]) as was_open
                   from new left join need using (need_id)
               )
               insert into need (need_id, referral_id, kind, status, reason, outcome, status_at, accepted_at,
                                 waiting_until, ended_at)
               select need_id, referral_id, kind, status, reason, outcome, status_at,
                      coalesce(first_at, accepted_at),
                      case when has_waited then waiting_until else coalesce(left_at, waiting_until) end,
                      case when was_open then ended_at else coalesce(over_at, ended_at) end
               from kept
               on conflict (need_id) do update set kind = excluded.kind, status = excluded.status,
                   reason = excluded.reason, outcome = excluded.outcome, status_at = excluded.status_at,
                   accepted_at = excluded.accepted_at, waiting_until = excluded.waiting_until,
                   ended_at = excluded.ended_at""",
            [move.last.need_id for move in moves],
            [move.last.referral_id for move in moves],
            [move.last.kind for move in moves],
            [move.last.status for move in moves],
            [move.last.reason for move in moves],
            [move.last.outcome for move in moves],
            [move.last.at for move in moves],
            [move.accepted_at for move in moves],
            [move.waiting_until for move in moves],
            [move.ended_at for move in moves],
            [move.last.need_id for move in moves if move.has_waited],
            [move.last.need_id for move in moves if move.was_open],
        )

    async def withdraw_needs(self, rows: Sequence[tuple[UUID, ReferralWithdrawn]]) -> None:
        await self.conn.execute(
            """insert into need (need_id, referral_id, withdrawn_for)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[])
               on conflict (need_id) do update set withdrawn_for = excluded.withdrawn_for""",
            [need_id for need_id, _ in rows],
            [fact.referral_id for _, fact in rows],
            [fact.reason for _, fact in rows],
        )

    async def save_stalls(self, facts: Sequence[ReferralStalled]) -> None:
        await self.conn.execute(
            """insert into stall (referral_id, need_id, due_on, owner)
               select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[]) on conflict do nothing""",
            [fact.referral_id for fact in facts],
            [fact.need_id for fact in facts],
            [fact.due_on for fact in facts],
            [fact.by for fact in facts],
        )

    async def close_referrals(self, facts: Sequence[ReferralClosed]) -> None:
        await self.conn.execute(
            """insert into referral (referral_id, closed_at) select * from unnest($1::uuid[], $2::timestamptz[])
               on conflict (referral_id) do update set closed_at = excluded.closed_at""",
            [fact.referral_id for fact in facts],
            [fact.at for fact in facts],
        )

    async def forget(self, referrals: Sequence[UUID]) -> None:
        """Whatever the facts of other services made goes as a whole, so that it does not matter which came before. Of
        the score its band stays, as closed months are counted by it."""
        ids = list(referrals)
        await self.conn.execute(
            """update referral set score = (select max(least) from unnest($2::int[]) as least where least <= score)
               where referral_id = any($1::uuid[])""",
            ids,
            list(BANDS.values()),
        )
        await self.conn.execute(
            """update need set reason = null, withdrawn_for = null, rank_key = null, queued_at = null
               where referral_id = any($1::uuid[])""",
            ids,
        )
        await self.conn.execute("delete from offer where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from stall where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from support where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from gap where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from notification where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from loan where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from escalation where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from feedback where referral_id = any($1::uuid[])", ids)
