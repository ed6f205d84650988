"""The SQL of funds, rounds, and the history of every decision."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Conn
from services.grants.domain.rounds import Round
from services.grants.domain.states import Stage
from services.grants.store.rows import ROUND, many, round_of


@dataclass(frozen=True, slots=True)
class Fund:
    fund_id: str
    name: str
    funder_id: str | None = None
    funder_name: str | None = None


@dataclass(frozen=True, slots=True)
class TopUp:
    round_id: str
    funder_id: str
    funder_name: str
    pence: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the history: who did what about which round or application, and why."""

    by: str
    what: str
    round_id: str
    application_id: UUID | None = None
    why: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rounds:
    conn: Conn

    async def funds(self, fund_ids: Collection[str]) -> dict[str, Fund]:
        rows = await self.conn.fetch(
            "select fund_id, name, funder_id, funder_name from fund where fund_id = any($1)", sorted(fund_ids)
        )
        return {row["fund_id"]: Fund(**row) for row in rows}

    async def save_funds(self, funds: Sequence[Fund]) -> None:
        await self.conn.execute(
            """insert into fund (fund_id, name, funder_id, funder_name)
               select fund_id, name, funder_id, funder_name from jsonb_to_recordset($1::jsonb) as new (
                   fund_id text, name text, funder_id text, funder_name text)
               order by fund_id
               on conflict (fund_id) do update set
                   name = excluded.name, funder_id = excluded.funder_id, funder_name = excluded.funder_name""",
            many(funds),
        )

    async def known(self, round_ids: Collection[str]) -> dict[str, Round]:
        return await self._rounds(round_ids, "")

    async def shared(self, round_ids: Collection[str]) -> dict[str, Round]:
        """Rounds that stay as they are until the commit, while many apply at once."""
        return await self._rounds(round_ids, "for share")

    async def lock(self, round_ids: Collection[str]) -> dict[str, Round]:
        """Rounds whose money and stage nobody else changes until the commit: locked first, and in one order."""
        return await self._rounds(round_ids, "for no key update")

    async def _rounds(self, round_ids: Collection[str], how: str) -> dict[str, Round]:
        sql = f"select {ROUND} from round r where r.round_id = any($1) order by r.round_id {how}"  # noqa: S608 - our own words
        return {row["round_id"]: round_of(row) for row in await self.conn.fetch(sql, sorted(round_ids))}

    async def save(self, rounds: Sequence[Round]) -> None:
        """Saves all of a round but what it has awarded and how far it is: only decisions change those."""
        await self.conn.execute(
            """insert into round (round_id, fund_id, budget_pence, maximum_pence, minimum_pence, opens_at, closes_at,
                                  rules)
               select round_id, fund_id, budget_pence, maximum_pence, minimum_pence, opens_at, closes_at, rules
               from jsonb_to_recordset($1::jsonb) as new (
                   round_id text, fund_id text, budget_pence bigint, maximum_pence bigint, minimum_pence bigint,
                   opens_at timestamptz, closes_at timestamptz, rules jsonb)
               order by round_id
               on conflict (round_id) do update set
                   budget_pence = excluded.budget_pence, maximum_pence = excluded.maximum_pence,
                   minimum_pence = excluded.minimum_pence, opens_at = excluded.opens_at,
                   closes_at = excluded.closes_at, rules = excluded.rules""",
            json.dumps([described(each) for each in rounds], default=str),
        )

    async def top_up(self, top_ups: Sequence[TopUp], at: datetime) -> None:
        """Keeps who gave, and raises the budgets by it, in one statement."""
        await self.conn.execute(
            """with given as (
                   insert into top_up (round_id, funder_id, funder_name, pence, at)
                   select round_id, funder_id, funder_name, pence, $2 from jsonb_to_recordset($1::jsonb) as new (
                       round_id text, funder_id text, funder_name text, pence bigint)
                   returning round_id, pence
               ), total as (
                   select round_id, sum(pence)::bigint as pence from given group by round_id
               )
               update round r set budget_pence = r.budget_pence + total.pence
               from total where r.round_id = total.round_id""",
            many(top_ups),
            at,
        )

    async def move(self, round_id: str, to: Stage) -> None:
        await self.conn.execute("update round set stage = $2 where round_id = $1", round_id, to)

    async def record(self, decisions: Sequence[Decision], at: datetime) -> None:
        if decisions:
            await self.conn.execute(
                """insert into history (at, by, what, round_id, application_id, why, details)
                   select $2, by, what, round_id, application_id, why, details
                   from rows from (jsonb_to_recordset($1::jsonb) as (
                       by text, what text, round_id text, application_id uuid, why text, details jsonb))
                       with ordinality as new (by, what, round_id, application_id, why, details, nth)
                   order by nth""",
                many(decisions),
                at,
            )


def described(round_: Round) -> dict[str, Any]:
    return {
        "round_id": round_.round_id,
        "fund_id": round_.fund_id,
        "budget_pence": round_.budget_pence,
        "maximum_pence": round_.maximum_pence,
        "minimum_pence": round_.minimum_pence,
        "opens_at": round_.opens_at,
        "closes_at": round_.closes_at,
        "rules": round_.rules.model_dump(mode="json"),
    }
