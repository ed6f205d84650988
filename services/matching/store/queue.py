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
from services.matching.domain.fit import Asks, Gap, Need, PlaceKey
from services.matching.store.next_up import BY_WHAT_IS_ASKED, FIRST, NEXT
from services.matching.store.supply import pairs

COULD_MEET: Final = """p.kind = n.kind and suits(n, p) and p.state <> 'closed' and p.wanted > 0
    and not exists (
        select from declined d where d.need_id = n.need_id and d.partner = p.partner and d.place_id = p.place_id
    )"""
"""Whether a place `p` helps with a need `n`, now or later, full or not."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A need as referrals tells of it, with what the queue shows of its priority."""

    need: Need
    paused: bool
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
        is_paused=row["state"] == "paused",
        asks=Asks(
            kind=row["kind"],
            partner=row["partner"],
            ward=row["ward"],
            requirements=frozenset(row["requirements"]),
            languages=frozenset(row["languages"]),
            formats=frozenset(row["formats"]),
            schemes=frozenset(row["schemes"]),
            days=frozenset(row["days"]),
        ),
        shuns=frozenset(row["barred"]),
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
        "days": sorted(asks.days),
        "barred": sorted(need.shuns),
        "state": "paused" if arrival.paused else "waiting",
        "score": arrival.score,
        "groups": arrival.groups,
        "area_step": arrival.area_step,
        "policy": arrival.policy,
    }


class Queue:
    """Who waits, and who is next."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    async def by_id(self, needs: Iterable[UUID]) -> dict[UUID, Need]:
        rows = await self.conn.fetch("select * from need where need_id = any($1::uuid[])", list(needs))
        return {row["need_id"]: need_of(row) for row in rows}

    async def kinds_of(self, needs: Iterable[UUID]) -> set[Kind]:
        rows = await self.conn.fetch("select distinct kind from need where need_id = any($1::uuid[])", list(needs))
        return {row["kind"] for row in rows}

    async def add(self, arrivals: Sequence[Arrival]) -> set[UUID]:
        """Adds needs, each once, and returns those that now wait or are paused: not those withdrawn before."""
        rows = await self.conn.fetch(
            """insert into need (need_id, referral_id, partner, kind, state, lane, rank_key, not_before, ward, area,
                                 requirements, languages, formats, schemes, days, barred, score, groups, area_step,
                                 policy, joined_after)
               select need_id, new.referral_id, partner, kind,
                      case when withdrawal.need_id is not null then 'withdrawn' else state end,
                      lane, rank_key, not_before, ward, area,
                      requirements, languages, formats, schemes, days, barred, score, groups, area_step, policy,
                      decision
               from json_populate_recordset(null::need, $1::json) as new
               join kind_lock using (kind) left join withdrawal using (need_id)
               on conflict (need_id) do nothing
               returning need_id, state""",
            json.dumps([_row_of(arrival) for arrival in arrivals], default=str),
        )
        return {row["need_id"] for row in rows if row["state"] != "withdrawn"}

    async def amend(self, arrivals: Sequence[Arrival]) -> tuple[list[Need], list[Need]]:
        """What needs ask from now on, but for those that have ended.

        Returns those in the queue that were gaps, and are none until somebody looks, and all that are in the queue.
        """
        rows = await self.conn.fetch(
            """update need set
                   lane = new.lane, rank_key = new.rank_key, not_before = new.not_before, ward = new.ward,
                   area = new.area, requirements = new.requirements, languages = new.languages,
                   formats = new.formats, schemes = new.schemes, days = new.days, barred = new.barred,
                   score = new.score, groups = new.groups, area_step = new.area_step, policy = new.policy,
                   is_gap = false,
                   joined_after = case when need.state = 'paused' then decision else need.joined_after end,
                   state = case when need.state in ('waiting', 'paused') then new.state else need.state end
               from json_populate_recordset(null::need, $1::json) as new join kind_lock using (kind)
               where need.need_id = new.need_id and need.state not in ('ended', 'withdrawn')
               returning need.*, old.is_gap as was_gap""",
            json.dumps([_row_of(arrival) for arrival in arrivals], default=str),
        )
        queued = [row for row in rows if row["state"] in ("waiting", "paused")]
        return [need_of(row) for row in queued if row["was_gap"]], [need_of(row) for row in queued]

    async def candidates(self, queued: Iterable[UUID], freed: Iterable[PlaceKey]) -> list[Need]:
        """The needs that may be next: those that joined the queue, and the best that fit the places freed.

        Who waited before fits no other free place. At most as many of them are served as units are free at
        the places freed, so of each of these places that many of the best are enough for the best allocation.
        """
        named = list(queued), *pairs(freed)
        rows = await self.conn.fetch(NEXT, *named, FIRST)
        if not rows or rows[0]["lacking"]:
            rows += await self.conn.fetch(BY_WHAT_IS_ASKED, *named)
        return list({row["need_id"]: need_of(row) for row in rows}.values())

    async def barred(self, needs: Collection[UUID]) -> dict[UUID, frozenset[PlaceKey]]:
        rows = await self.conn.fetch(
            "select need_id, partner, place_id from declined where need_id = any($1::uuid[])", list(needs)
        )
        places: dict[UUID, set[PlaceKey]] = {}
        for row in rows:
            places.setdefault(row["need_id"], set()).add(PlaceKey(row["partner"], row["place_id"]))
        return {need_id: frozenset(keys) for need_id, keys in places.items()}

    async def sort_unserved(self, needs: Iterable[UUID]) -> list[Need]:
        """Notes which of these needs, where still in the queue, nothing could ever meet."""
        rows = await self.conn.fetch(
            f"""update need n set is_gap = not exists (select from place p where {COULD_MEET})
                where need_id = any($1::uuid[]) and state in ('waiting', 'paused') returning n.*""",  # noqa: S608 - a constant
            list(needs),
        )
        return [need_of(row) for row in rows]

    async def close_gaps(self, places: Iterable[PlaceKey]) -> list[Need]:
        """The gaps that one of these places can meet: they are none any more."""
        rows = await self.conn.fetch(
            f"""update need n set is_gap = false
                where n.is_gap and exists (
                    select from place p join unnest($1::text[], $2::text[]) as named (partner, place_id)
                        using (partner, place_id)
                    where {COULD_MEET}
                ) returning n.*""",  # noqa: S608 - a constant
            *pairs(places),
        )
        return [need_of(row) for row in rows]

    async def open_gaps(self, kinds: Collection[Kind]) -> list[Need]:
        """The needs of these kinds that nothing can meet any more. Reads the whole queue of the kind."""
        rows = await self.conn.fetch(
            f"""update need n set is_gap = true
                where n.kind = any($1::text[]) and n.state in ('waiting', 'paused') and not n.is_gap
                  and not exists (select from place p where {COULD_MEET}) returning n.*""",  # noqa: S608 - a constant
            sorted(kinds),
        )
        return [need_of(row) for row in rows]

    async def note_gaps(self, gaps: Collection[tuple[UUID, Gap]], at: datetime) -> None:
        """Keeps why these needs are gaps, from now."""
        if gaps:
            told = [{"need_id": str(need_id), **gap._asdict()} for need_id, gap in gaps]
            await self.conn.execute(
                """update need set gap_since = $2, gap_reasons = reasons, gap_lacks = lacks
                   from json_to_recordset($1::json) as told (need_id uuid, reasons text[], lacks text[])
                   where need.need_id = told.need_id""",
                json.dumps(told),
                at,
            )

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
        """Takes needs out of the queue and returns them as they were there."""
        rows = await self.conn.fetch(
            """update need n set state = 'withdrawn', is_gap = false, left_after = decision
               from kind_lock k
               where n.kind = k.kind and need_id = any($1::uuid[]) and state in ('waiting', 'paused')
               returning old.*""",
            list(needs),
        )
        return sorted(map(need_of, rows), key=lambda need: need.rank)

    async def known(self, needs: Iterable[UUID]) -> set[UUID]:
        rows = await self.conn.fetch("select need_id from need where need_id = any($1::uuid[])", list(needs))
        return {row["need_id"] for row in rows}

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
                   requirements = '{}', languages = '{}', formats = '{}', schemes = '{}', days = '{}', score = 0,
                   groups = 0, area_step = 0, barred = '{}', gap_since = null, gap_reasons = '{}', gap_lacks = '{}'
               where need_id = any($1::uuid[])""",
            ids,
        )
        await self.conn.execute("delete from declined where need_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from withdrawal where need_id = any($1::uuid[])", ids)
