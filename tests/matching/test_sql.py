"""The SQL of matching: it agrees with the rules, and it does not read the whole queue."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.matching.domain.fit import Asks, Place, Terms, misses
from services.matching.store.next_up import CANDIDATES
from services.matching.store.queue import Arrival, Queue
from services.matching.store.supply import Supply
from tests.matching.builders import ARMLEY, HAREHILLS, Matching, a_need, a_place, id_of, place, referral
from tests.matching.strategies import ASKS, TERMS
from tests.support import NOON, usual


@settings(
    max_examples=usual(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(asks=st.lists(ASKS, min_size=10, max_size=30), terms=st.lists(TERMS, min_size=10, max_size=30))
async def test_the_database_and_the_rules_agree_on_whom_a_place_suits(
    matching: Matching, asks: list[Asks], terms: list[Terms]
) -> None:
    needs = {id_of(n): replace(a_need(n), asks=one) for n, one in enumerate(asks)}
    places = {f"p{n}": replace(a_place(f"p{n}"), terms=one) for n, one in enumerate(terms)}
    async with matching.stage.database.acquire() as conn:
        await conn.execute("delete from need")
        await conn.execute("delete from place")
        await Queue(conn).add([Arrival(need, False, None, 0, 0, 0, "leeds-1") for need in needs.values()])
        await Supply(conn).save_places(places.values())
        rows = await conn.fetch("select need_id, place_id from need n, place p where suits(n, p)")
    assert {(row["need_id"], row["place_id"]) for row in rows} == {
        (need_id, name)
        for need_id, need in needs.items()
        for name, it in places.items()
        if not [*misses(need.asks, it.terms)]
    }


async def test_a_place_is_saved_and_loaded_unchanged(matching: Matching) -> None:
    full: Place = replace(
        a_place(
            "full",
            free=3,
            wards=frozenset({ARMLEY, HAREHILLS}),
            languages=frozenset({"ur"}),
            formats=frozenset({"video"}),
            requirements=frozenset({"large-screen"}),
            open_to=frozenset({"gp-armley"}),
            scheme="scheme:databank",
            days=frozenset({"mon"}),
        ),
        opens_on=NOON.date(),
        closes_on=NOON.date(),
        funded_by="winter-2026",
    )
    async with matching.stage.database.acquire() as conn:
        await Supply(conn).save_places([full, a_place("bare")])
        assert await Supply(conn).places([full.key]) == {full.key: full}


@pytest.mark.invariant(2)
@pytest.mark.parametrize("change", ["held = 2", "taken = 2", "held = -1", "capacity = 0", "held = 1, taken = 1"])
async def test_the_database_itself_refuses_to_promise_a_unit_twice(matching: Matching, change: str) -> None:
    await matching.open(place())
    with pytest.raises(asyncpg.CheckViolationError):
        await matching.stage.database.execute(f"update place set {change}")  # noqa: S608 - a parameter of the test


@pytest.mark.invariant(2)
async def test_the_database_itself_refuses_a_second_offer_of_a_need(matching: Matching) -> None:
    await matching.open(place())
    await matching.offered(referral(1))
    with pytest.raises(asyncpg.UniqueViolationError):
        await matching.stage.database.execute(
            """insert into offer select gen_random_uuid(), need_id, referral_id, kind, partner, place_id, state,
                   decision + 1, made_at, expires_at, moved_at, reason from offer"""
        )


@pytest.mark.parametrize(
    ("limits", "index"),
    [
        ({}, "need_queue"),
        ({"wards": [HAREHILLS]}, "need_queue_of_ward"),
        ({"open_to": ["food-bank"]}, "need_queue_of_partner"),
        ({"scheme": "scheme:databank"}, "need_queue_of_schemes"),
    ],
)
async def test_the_next_for_a_freed_place_is_read_from_an_index_of_the_queue(
    matching: Matching, limits: dict[str, Any], index: str
) -> None:
    """With 20,000 waiting, the plan reads them in order until enough fit: it neither sorts nor scans them all."""
    await matching.open(place("elsewhere", **limits))
    async with matching.stage.database.acquire() as conn:
        arrivals = [Arrival(a_need(n, waited=n % 90), False, None, 0, 0, 0, "leeds-1") for n in range(20_000)]
        await Queue(conn).add(arrivals)
        await conn.execute("analyze need")
        plan = await conn.fetchval("explain (verbose, format json) " + CANDIDATES, [], ["library"], ["elsewhere"])
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    (queue,) = [node for node in nodes if node.get("Index Name") == index]
    assert "kind" in queue["Index Cond"]
    assert "&&" in queue["Filter"], "the rule is part of the plan, not a function called for each need"
    assert "suits" not in plan
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node.get("Relation Name") == "need"]


@pytest.mark.parametrize(
    "limit", [{"wards": [HAREHILLS]}, {"open_to": ["food-bank"]}, {"scheme": "scheme:databank"}], ids=str
)
async def test_a_place_that_nobody_suits_does_not_read_the_whole_queue(
    matching: Matching, limit: dict[str, Any]
) -> None:
    """Of 5,000 who wait, none is in its ward, referred by its partner or has a scheme: none is looked at."""
    await matching.open(place("elsewhere", **limit))
    async with matching.stage.database.acquire() as conn:
        arrivals = [Arrival(a_need(n), False, None, 0, 0, 0, "leeds-1") for n in range(5_000)]
        await Queue(conn).add(arrivals)
        await conn.execute("analyze need")
        ran = await conn.fetchval("explain (analyze, format json) " + CANDIDATES, [], ["library"], ["elsewhere"])
    looked_at = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in _nodes(json.loads(ran)[0]["Plan"])
        if node.get("Relation Name") == "need" and node["Actual Loops"]
    ]
    assert sum(looked_at) == 0


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
