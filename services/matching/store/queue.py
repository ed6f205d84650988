"""The SQL of needs: who waits, in which order, and for whom nothing could ever come."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.matching.domain.fit import Asks, Need, PlaceKey
from services.matching.store.supply import pairs


@dataclass(frozen=True, slots=True)
class Arrival:
    """A need as it arrives, with what the queue shows of its priority."""

    need: Need
    not_before: date | None
    score: int
    groups: int
    area_step: int
    policy: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    need_id: UUID
    referral_id: UUID
    reason: str


def need_of(row: asyncpg.Record) -> Need:
    return Need(
        need_id=row["need_id"],
        referral_id=row["referral_id"],
        area=row["area"],
        lane=row["lane"],
        rank_key=row["rank_key"],
        is_gap=row["is_gap"],
        asks=Asks(
            kind=row["kind"],
            partner=row["partner"],
            ward=row["ward"],
            requirements=frozenset(row["requirements"]),
            languages=frozenset(row["languages"]),
            formats=frozenset(row["formats"]),
            schemes=frozenset(row["schemes"]),
        ),
    )


def _row_of(arrival: Arrival) -> dict[str, Any]:
    need, asks = arrival.need, arrival.need.asks
    return {
        "need_id": need.need_id,
        "referral_id": need.referral_id,
        "partner": asks.partner,
        "kind": asks.kind,
        "lane": need.lane,
        "rank_key": need.rank_key,
        "not_before": arrival.not_before,
        "ward": asks.ward,
        "area": need.area,
        "requirements": sorted(asks.requirements),
        "languages": sorted(asks.languages),
        "formats": sorted(asks.formats),
        "schemes": sorted(asks.schemes),
        "score": arrival.score,
        "groups": arrival.groups,
        "area_step": arrival.area_step,
        "policy": arrival.policy,
    }


CANDIDATES: Final = """
with freed as (
    select place as place, sum(capacity - held - taken) over (partition by kind) as units
    from place join unnest($2::text[], $3::text[]) as named (partner, place_id) using (partner, place_id)
    where state = 'open' and capacity > held + taken
), best as (
    select next.need_id from freed cross join lateral (
        select n.need_id from need n
        where n.kind = (freed.place).kind and n.state = 'waiting' and suits(n, freed.place)
          and not exists (
              select from declined d where d.need_id = n.need_id
              and d.partner = (freed.place).partner and d.place_id = (freed.place).place_id
          )
        order by n.lane, n.rank_key, n.need_id limit freed.units
    ) next
)
select * from need
where state = 'waiting' and need_id in (select unnest($1::uuid[]) union select need_id from best)
"""


class Queue:
    """Who waits, and who is next."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    async def kinds_of(self, needs: Iterable[UUID]) -> set[Kind]:
        rows = await self.conn.fetch("select distinct kind from need where need_id = any($1::uuid[])", list(needs))
        return {row["kind"] for row in rows}

    async def add(self, arrivals: Sequence[Arrival], today: date) -> set[UUID]:
        """Adds needs, each once, and returns those that now wait or are paused: not those withdrawn before."""
        rows = await self.conn.fetch(
            """insert into need (need_id, referral_id, partner, kind, state, lane, rank_key, not_before, ward, area,
                                 requirements, languages, formats, schemes, score, groups, area_step, policy)
               select need_id, new.referral_id, partner, kind,
                      case when withdrawal.need_id is not null then 'withdrawn'
                           when not_before > $2 then 'paused' else 'waiting' end,
                      lane, rank_key, not_before, ward, area,
                      requirements, languages, formats, schemes, score, groups, area_step, policy
               from json_populate_recordset(null::need, $1::json) as new
               left join withdrawal using (need_id)
               on conflict (need_id) do nothing
               returning need_id, state""",
            json.dumps([_row_of(arrival) for arrival in arrivals], default=str),
            today,
        )
        return {row["need_id"] for row in rows if row["state"] != "withdrawn"}

    async def candidates(self, queued: Iterable[UUID], freed: Iterable[PlaceKey]) -> list[Need]:
        """The needs that may be next: those that joined the queue, and the best that fit the places freed.

        Who waited before fits no other free place. At most as many of them are served as units are free at
        the places freed, so of each of these places that many of the best are enough for the best allocation.
        """
        rows = await self.conn.fetch(
            CANDIDATES,
            list(queued),
            *pairs(freed),
        )
        return [need_of(row) for row in rows]

    async def barred(self, needs: Collection[UUID]) -> dict[UUID, frozenset[PlaceKey]]:
        rows = await self.conn.fetch(
            "select need_id, partner, place_id from declined where need_id = any($1::uuid[])", list(needs)
        )
        places: dict[UUID, set[PlaceKey]] = {}
        for row in rows:
            places.setdefault(row["need_id"], set()).add(PlaceKey(row["partner"], row["place_id"]))
        return {need_id: frozenset(keys) for need_id, keys in places.items()}

    async def wake(self, needs: Iterable[UUID], today: date) -> set[UUID]:
        """Lets paused needs wait whose first day has come."""
        rows = await self.conn.fetch(
            """update need set state = 'waiting'
               where need_id = any($1::uuid[]) and state = 'paused' and not_before <= $2 returning need_id""",
            list(needs),
            today,
        )
        return {row["need_id"] for row in rows}

    async def sort_unserved(self, needs: Iterable[UUID]) -> list[Need]:
        """Notes which of these needs, where still in the queue, nothing could ever meet."""
        rows = await self.conn.fetch(
            """update need n set is_gap = not exists (
                   select from place p where suits(n, p) and p.state <> 'closed' and p.wanted > 0
                   and not exists (
                       select from declined d
                       where d.need_id = n.need_id and d.partner = p.partner and d.place_id = p.place_id
                   )
               )
               where need_id = any($1::uuid[]) and state in ('waiting', 'paused') returning n.*""",
            list(needs),
        )
        return [need_of(row) for row in rows]

    async def close_gaps(self, places: Iterable[PlaceKey]) -> list[Need]:
        """The gaps that one of these places can meet: they are none any more."""
        rows = await self.conn.fetch(
            """update need n set is_gap = false
               where n.is_gap and exists (
                   select from place p join unnest($1::text[], $2::text[]) as named (partner, place_id)
                       using (partner, place_id)
                   where p.kind = n.kind and suits(n, p) and p.state <> 'closed' and p.wanted > 0
                   and not exists (
                       select from declined d
                       where d.need_id = n.need_id and d.partner = p.partner and d.place_id = p.place_id
                   )
               ) returning n.*""",
            *pairs(places),
        )
        return [need_of(row) for row in rows]

    async def open_gaps(self, kinds: Collection[Kind]) -> list[Need]:
        """The needs of these kinds that nothing can meet any more. Reads the whole queue of the kind."""
        rows = await self.conn.fetch(
            """update need n set is_gap = true
               where n.kind = any($1::text[]) and n.state in ('waiting', 'paused') and not n.is_gap and not exists (
                   select from place p where suits(n, p) and p.state <> 'closed' and p.wanted > 0
                   and not exists (
                       select from declined d
                       where d.need_id = n.need_id and d.partner = p.partner and d.place_id = p.place_id
                   )
               ) returning n.*""",
            sorted(kinds),
        )
        return [need_of(row) for row in rows]

    async def note_withdrawals(self, withdrawals: Collection[Withdrawal], at: datetime) -> None:
        """Keeps word of each, so that a need not heard of yet is found withdrawn, and of one that had ended."""
        told = sorted(withdrawals, key=lambda w: w.need_id)
        await self.conn.execute(
            """insert into withdrawal (need_id, referral_id, reason, heard_at, is_superseded)
               select told.need_id, told.referral_id, told.reason, $4, coalesce(need.state = 'ended', false)
               from unnest($1::uuid[], $2::uuid[], $3::text[]) as told (need_id, referral_id, reason)
               left join need on need.need_id = told.need_id
               on conflict (need_id) do nothing""",
            [w.need_id for w in told],
            [w.referral_id for w in told],
            [w.reason for w in told],
            at,
        )

    async def withdraw(self, needs: Iterable[UUID]) -> list[Need]:
        """Takes needs out of the queue and returns those that were gaps."""
        rows = await self.conn.fetch(
            """update need set state = 'withdrawn', is_gap = false
               where need_id = any($1::uuid[]) and state in ('waiting', 'paused')
               returning new.*, old.is_gap as was_gap""",
            list(needs),
        )
        return [need_of(row) for row in rows if row["was_gap"]]

    async def of_referrals(self, referrals: Iterable[UUID]) -> dict[UUID, UUID]:
        """The referral of each of their needs."""
        rows = await self.conn.fetch(
            "select need_id, referral_id from need where referral_id = any($1::uuid[])", list(referrals)
        )
        return {row["need_id"]: row["referral_id"] for row in rows}

    async def forget(self, needs: Iterable[UUID]) -> None:
        """What needs that have ended asked for, of whom, and how far they were. Their ids, kinds and states stay."""
        ids = list(needs)
        await self.conn.execute(
            """update need set lane = 'routine', rank_key = 'epoch', not_before = null, ward = null, area = 'erased',
                   requirements = '{}', languages = '{}', formats = '{}', schemes = '{}', score = 0, groups = 0,
                   area_step = 0
               where need_id = any($1::uuid[])""",
            ids,
        )
        await self.conn.execute("delete from declined where need_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from withdrawal where need_id = any($1::uuid[])", ids)
