"""A match as staff see it: the rank of the need, and why others who waited were not given the place."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from services.matching.domain.fit import Terms, misses, received_at
from services.matching.store import views
from services.matching.store.queue import need_of
from services.matching.store.supply import terms_of


def days_waited(row: asyncpg.Record, at: datetime) -> int:
    """Since the referral, whole days."""
    return (at - received_at(row["rank_key"], row["score"])).days


def waiting(row: asyncpg.Record, at: datetime) -> dict[str, Any]:
    """Somebody in the queue, and what keeps them there."""
    gap = {name: row[f"gap_{name}"] for name in ("since", "reasons", "lacks")} if row["is_gap"] else None
    return {**row, "days_waited": days_waited(row, at), "gap": gap}


async def decision(conn: Conn, offer_id: UUID, limit: int) -> dict[str, Any] | None:
    """None where there is no such offer."""
    row = await views.decision(conn, offer_id)
    if row is None:
        return None
    terms = terms_of(json.loads(row["terms"]))
    before, after = await views.waited_with(conn, offer_id, limit)
    return {
        **row,
        "provider": row["partner"],
        "days_waited": days_waited(row, row["made_at"]),
        "before_in_all": _in_all(before),
        "before": [_other(other, terms, came_before=True) for other in before],
        "after_in_all": _in_all(after),
        "after": [_other(other, terms, came_before=False) for other in after],
    }


def _in_all(side: Sequence[asyncpg.Record]) -> int:
    return side[0]["in_all"] if side else 0


def _other(row: Any, terms: Terms, *, came_before: bool) -> dict[str, Any]:
    need = need_of(row)
    barred = ["barred"] if row["of_partner"] in need.shuns else []
    reasons: list[str] = [*barred, *misses(need.asks, terms), *([row["had"]] if row["had"] else [])]
    return {
        "need_id": need.need_id,
        "lane": need.lane,
        "rank_key": need.rank_key,
        "reasons": reasons or (["not-then"] if came_before else []),
    }
