"""Looks at the committed rows for what must never be. It shares no SQL and no rule with what it checks."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from chassis.envelope import headers_of
from tests.support import Stage

SUITS: Final = """
    n.kind = p.kind
    and (cardinality(p.wards) = 0 or exists (select from unnest(p.wards) w where w = n.ward))
    and (select count(*) from unnest(n.requirements) r where r not in (select unnest(p.requirements))) = 0
    and (cardinality(p.languages) = 0 or cardinality(n.languages) = 0
         or exists (select from unnest(p.languages) a join unnest(n.languages) b on a = b))
    and (cardinality(p.formats) = 0 or cardinality(n.formats) = 0
         or exists (select from unnest(p.formats) a join unnest(n.formats) b on a = b))
    and (cardinality(p.days) = 0 or cardinality(n.days) = 0
         or exists (select from unnest(p.days) a join unnest(n.days) b on a = b))
    and (cardinality(p.open_to) = 0 or exists (select from unnest(p.open_to) o where o = n.partner))
    and (p.scheme is null or exists (select from unnest(n.schemes) s where s = p.scheme))
    and not exists (select from offer o where (o.need_id, o.partner, o.place_id) = (n.need_id, p.partner, p.place_id)
                    and o.state in ('declined', 'expired', 'handed-back', 'refused'))
    and not exists (select from unnest(n.barred) b where b = p.partner)
"""
NOW: Final = """
    (p.opens_on is null or p.opens_on <= $1) and (p.closes_on is null or p.closes_on >= $1)
    and n.state <> 'paused'
"""
QUEUED: Final = "n.state not in ('offered', 'accepted', 'in-progress', 'ended', 'withdrawn')"

IDLE: Final = f"""
    select n.need_id, p.place_id from need n, place p
    where {QUEUED} and p.held + p.taken < p.capacity and {SUITS} and {NOW}
"""  # noqa: S608 - made of constants
PASSED_OVER: Final = f"""
    select n.need_id as waits, o.need_id as served, p.place_id from offer o
    join need s on s.need_id = o.need_id
    join place p on (p.partner, p.place_id) = (o.partner, o.place_id), need n
    where {QUEUED} and o.decision > coalesce(($2::jsonb ->> o.kind)::bigint, 0) and {SUITS} and {NOW}
      and (case n.lane when 'urgent' then 0 else 1 end, n.rank_key, n.need_id)
        < (case s.lane when 'urgent' then 0 else 1 end, s.rank_key, s.need_id)
"""  # noqa: S608 - made of constants
WRONG_GAPS: Final = f"""
    select n.need_id from need n
    where {QUEUED} and n.is_gap = exists (
        select from place p where p.wanted > 0 and (p.closes_on is null or p.closes_on >= $1) and {SUITS}
    )
"""  # noqa: S608 - made of constants
MISCOUNTED: Final = """
    select p.* from place p, lateral (
        select count(*) filter (where state in ('awaiting', 'open')) as held,
               count(*) filter (where state in ('accepted', 'in-progress', 'lent', 'unwiped', 'lost')
                                or state = 'ended' and o.kind in ('device', 'connectivity'))
               + (select coalesce(sum(d.count), 0) from direct_help d
                  where (d.partner, d.place_id) = (p.partner, p.place_id)
                  and d.kind in ('device', 'connectivity')) as taken
        from offer o where (o.partner, o.place_id) = (p.partner, p.place_id)
    ) o
    where (p.held, p.taken) <> (o.held, o.taken) or p.held < 0 or p.taken < 0 or p.held + p.taken > p.capacity
       or p.capacity <> greatest(p.wanted, o.held + o.taken)
"""
PROMISED_TWICE: Final = """
    select need_id from offer where state in ('awaiting', 'open', 'accepted', 'in-progress')
    group by need_id having count(*) > 1
"""
STATES_APART: Final = """
    select n.need_id, n.state, o.state as offer from need n
    left join offer o on o.need_id = n.need_id and o.state in ('awaiting', 'open', 'accepted', 'in-progress')
    where coalesce(replace(o.state, 'awaiting', 'open'), '') <>
        case n.state when 'offered' then 'open' when 'accepted' then 'accepted' when 'in-progress' then 'in-progress'
        else '' end
"""
OFFERED_AGAIN: Final = """
    select need_id from offer where state <> 'taken-back' group by need_id, partner, place_id having count(*) > 1
"""
UNITS_APART: Final = """
    select u.* from unit u left join offer o using (offer_id)
    where o.offer_id is not null and ((o.partner, o.place_id) <> (u.partner, u.place_id)
          or o.state not in ('lent', 'unwiped', 'ended'))
       or (select count(*) from unit also where (also.partner, also.place_id) = (u.partner, u.place_id) and also.is_out)
          > (select taken from place p where (p.partner, p.place_id) = (u.partner, u.place_id))
"""
HOLES: Final = "select kind from offer group by kind having count(*) <> max(decision) or min(decision) <> 1"


TWICE: Final = {
    "a place is miscounted": MISCOUNTED,
    "a need is promised two places": PROMISED_TWICE,
    "a need was offered a place again": OFFERED_AGAIN,
    "a need and its offer are in different states": STATES_APART,
    "a unit is not where it is said to be": UNITS_APART,
    "decisions have a hole": HOLES,
}
ALL: Final = {
    **TWICE,
    "a place is idle": IDLE,
    "somebody was passed over": PASSED_OVER,
    "a gap is none, or none is a gap": WRONG_GAPS,
}


def _wrong(checks: Mapping[str, str]) -> str:
    """One query for all: a history asks it after every step."""
    return " union all ".join(f"select '{name}' as wrong where exists ({sql})" for name, sql in checks.items())


async def nothing_is_promised_twice(stage: Stage) -> None:
    assert await stage.rows(_wrong(TWICE)) == []


async def all_holds(stage: Stage, today: date, since: Mapping[str, int]) -> None:
    assert await stage.rows(_wrong(ALL), today, json.dumps(since)) == []


async def nobody_has_what_is_with_another(stage: Stage, before: Mapping[str, Any]) -> dict[str, Any]:
    """A unit that was out is with whom it was with, or lost, or its loan ended. Returns where all units are now."""
    rows = await stage.rows(
        """select unit, is_out, u.offer_id, state from (select *, partner || '/' || serial as unit from unit) u
           left join offer o on o.offer_id = coalesce(u.offer_id, ($1::jsonb ->> unit)::uuid)""",
        json.dumps({unit: str(was["offer_id"]) for unit, was in before.items() if was["offer_id"]}),
    )
    now = {row["unit"]: row for row in rows}
    for unit, was in before.items():
        if was["is_out"] and unit in now:
            same = (now[unit]["is_out"], now[unit]["offer_id"]) == (True, was["offer_id"])
            ended = now[unit]["offer_id"] is None and was["offer_id"] and now[unit]["state"] in ("lost", "returned")
            assert same or ended, f"{unit} was {was} and is {now[unit]}"
    return now


async def no_place_is_idle(stage: Stage, today: date) -> None:
    assert await stage.rows(IDLE, today) == []


async def nobody_is_passed_over(stage: Stage, today: date, since: Mapping[str, int]) -> None:
    """Of the offers made after these decisions of each kind, none went past somebody who waits now."""
    assert await stage.rows(PASSED_OVER, today, json.dumps(since)) == []


async def gaps_are_those_whom_nothing_can_meet(stage: Stage, today: date) -> None:
    assert await stage.rows(WRONG_GAPS, today) == []


async def last_decisions(stage: Stage) -> dict[str, int]:
    return {row["kind"]: row["n"] for row in await stage.rows("select kind, max(decision) n from offer group by kind")}


async def what_was_said_is_what_is(stage: Stage) -> None:
    """Folds all that was ever said of needs, and compares who waits and who is a gap."""
    waiting, gaps = set[str](), set[str]()
    for row in await stage.rows("select headers, value from outbox where topic = 'matching' order by position"):
        kind = dict(headers_of(row["headers"]))["ce_type"].decode().split(".")[2]
        need = json.loads(row["value"]).get("need_id")
        _fold(kind, need, waiting, gaps)
    rows = await stage.rows(f"select need_id::text, is_gap from need n where {QUEUED}")  # noqa: S608 - a constant
    queued: dict[str, Any] = {row["need_id"]: row["is_gap"] for row in rows}
    assert gaps == {need for need, is_gap in queued.items() if is_gap}
    assert waiting >= {need for need, is_gap in queued.items() if not is_gap}


def _fold(kind: str, need: str, waiting: set[str], gaps: set[str]) -> None:
    if kind == "GapRecorded":
        assert need not in gaps, "a gap is recorded once"
        gaps.add(need)
    if kind == "GapClosed":
        assert need in gaps, "only a gap can close"
        gaps.remove(need)
    if kind == "NeedWaiting":
        assert need not in gaps, "a gap closes before the need waits"
        waiting.add(need)
    if kind in ("OfferMade", "OfferHeld", "GapRecorded"):
        assert kind == "GapRecorded" or need not in gaps, "a gap closes before an offer"
        waiting.discard(need)
