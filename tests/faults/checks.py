"""Invariants 2, 3 and 8 over matching's committed rows, its decisions in their order, supply, and dead letters."""

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from contracts.calendar import day_of
from contracts.message import SERVICES
from deploy.demo.owed import Owed, compare
from deploy.demo.witness import Evidence
from services.matching.domain.replay import replay
from tests.faults.poison import letters_owed
from tests.matching import checks as matching
from tests.matching.log import facts_in

DECISIONS: Final = r"""
    select substring(headers from 'furthest\.matching\.(OfferMade|NeedWaiting|QueueChanged)\.') as fact,
        convert_from(value, 'UTF8')::jsonb as data
    from said where topic = 'matching' and headers ~ '\.(OfferMade|NeedWaiting|QueueChanged)\.' order by position
"""


async def invariants(seen: Evidence, wants: dict[str, int]) -> list[Owed]:
    today = day_of(datetime.now(UTC))
    return [
        await _none(
            seen, "doubled", "matching: held and taken are what offers say, within capacity", matching.MISCOUNTED
        ),
        await _none(seen, "doubled", "matching: nobody is promised two places", matching.PROMISED_TWICE),
        await _none(seen, "doubled", "matching: nobody is offered a place twice", matching.OFFERED_AGAIN),
        await _none(seen, "lost", "matching: needs and offers agree", matching.STATES_APART),
        await _none(seen, "lost", "matching: decisions are counted without a hole", matching.HOLES),
        await _none(
            seen, "lost", "matching: no place is idle while somebody waits whom it suits", matching.IDLE, today
        ),
        await _none(seen, "lost", "matching: gaps are those whom nothing can meet", matching.WRONG_GAPS, today),
        await _none(seen, "lost", "matching: what nobody answered in time has expired", LYING),
        await _nobody_is_passed_over(seen),
        await _decisions_replay(seen),
        await _supply(seen, wants),
        await _letters(seen),
    ]


async def _none(seen: Evidence, kind: str, effect: str, sql: str, *args: Any) -> Owed:
    rows = await seen.rows("matching", sql, *args)
    return compare(effect, rows, ()) if kind == "lost" else compare(effect, (), rows)


@dataclass(slots=True)
class Queue:
    """Who waits, as matching said it, in the order of its decisions. Needs that ask the same stand together by rank."""

    asks: dict[str, tuple[Any, ...]]
    ranks: dict[str, tuple[Any, ...]]
    waiting: dict[tuple[Any, ...], list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def join(self, need: str) -> None:
        if need in self.ranks:
            insort(self.waiting[self.asks[need]], self.ranks[need])

    def leave(self, need: str) -> None:
        if need in self.ranks:
            line = self.waiting[self.asks[need]]
            nth = bisect_left(line, self.ranks[need])
            del line[nth : nth + (line[nth : nth + 1] == [self.ranks[need]])]

    def before(self, need: str, asks: tuple[Any, ...]) -> list[str]:
        line = self.waiting[asks]
        return [rank[-1] for rank in line[: bisect_left(line, self.ranks[need])]] if need in self.ranks else []


async def _nobody_is_passed_over(seen: Evidence) -> Owed:
    """Replays what was decided: no offer may go past somebody who waited, and whom the place suits."""
    needs = await seen.rows(
        "matching", "select need_id, kind, ward, partner, requirements, languages, formats, schemes, days from need"
    )
    ranks = await seen.rows("matching", "select need_id, lane, to_char(rank_key, 'YYYYMMDDHH24MISSUS') from need")
    suited = {(row[0], *row[1:]) for row in await seen.rows("matching", SUITED)}
    refused = set(await seen.rows("matching", REFUSED))
    stay = {row[0] or "": (row[1] != "urgent", row[2], row[0]) for row in ranks}
    queue = Queue({row[0] or "": row[1:] for row in needs}, stay)
    places: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for partner, place, *asks in suited:
        places[partner, place].append(tuple(asks))
    passed: list[str] = []
    async with seen.connected("matching") as conn, conn.transaction():
        async for row in conn.cursor(DECISIONS):
            data = json.loads(row["data"])
            need = data["need_id"]
            if row["fact"] == "NeedWaiting":
                queue.join(need)
                continue
            queue.leave(need)
            if row["fact"] == "QueueChanged":
                continue
            place = (data["provider"], data["place_id"])
            passed += [
                f"{other} by {need} at {place[1]}"
                for asks in places[place]
                for other in queue.before(need, asks)
                if (other, *place) not in refused
            ]
    return Owed("matching: nobody who waited was passed over", disordered=len(passed), examples=tuple(passed[:3]))


async def _decisions_replay(seen: Evidence) -> Owed:
    """Each decision, made again from what matching said, of each key in its order."""
    async with seen.connected("matching") as conn:
        rows = await conn.fetch("select headers, value from said where topic = 'matching' order by key, position")
    replays = replay(facts_in(rows))
    holes = [f"{kind} {number}" for kind, made in replays.items() for number in made.holes]
    unlike = [f"{kind} {each.number}" for kind, made in replays.items() for each in made.unlike]
    effect = "matching: every decision follows from the log alone"
    return Owed(effect, lost=len(holes), disordered=len(unlike), examples=tuple([*holes, *unlike][:3]))


SUITED: Final = f"""
    select distinct p.partner, p.place_id, n.kind, n.ward, n.partner, n.requirements, n.languages, n.formats, n.schemes,
        n.days
    from place p, (
        select distinct on (kind, ward, partner, requirements, languages, formats, schemes, days) * from need
    ) n
    where {matching.SUITS.split("and not exists", 1)[0]}
"""  # noqa: S608 - made of constants
LYING: Final = "select offer_id from offer where state in ('awaiting', 'open') and expires_at < now()"
REFUSED: Final = """
    select need_id, partner, place_id from offer where state in ('declined', 'expired', 'handed-back', 'refused')
"""


async def _supply(seen: Evidence, wants: dict[str, int]) -> Owed:
    return compare(
        "matching: every place wants what its provider said last",
        ((place, str(capacity)) for place, capacity in wants.items()),
        await seen.rows("matching", "select place_id, wanted from place"),
    )


async def _letters(seen: Evidence) -> Owed:
    """Each service keeps one dead letter of what it cannot read, and none of anything else."""
    found: list[tuple[Any, ...]] = []
    for service in SERVICES:
        rows = await seen.rows(service, "select topic, partition, record_offset from dead_letter")
        found += [(service, *row) for row in rows]
    owed = (letter for record in seen.said.foreign for letter in letters_owed(record))
    return compare("dead letters: one for each record that cannot be read", owed, found)


def rebuilt(tables: Mapping[str, Mapping[str, Any]]) -> Owed:
    """What a projection made anew from the log has beside the live one, by table."""
    sums = {what: sum(int(table[what]) for table in tables.values()) for what in ("missing", "extra", "changed")}
    wrong = tuple(name for name, table in tables.items() if not table["same"])
    effect = "reporting: every table is what the log makes of it"
    return Owed(effect, sums["missing"], sums["extra"], sums["changed"], wrong[:3])
