"""The SQL of matching: it agrees with the rules, and it does not read the whole queue."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Conn, connected
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, Terms, misses
from services.matching.store.next_up import BY_WHAT_IS_ASKED, FIRST, NEXT
from services.matching.store.queue import Arrival, Queue
from services.matching.store.supply import Supply
from tests.matching.builders import ARMLEY, HAREHILLS, Matching, a_need, a_place, id_of, place, referral
from tests.matching.strategies import ASKS, TERMS
from tests.support import NOON, Servers, usual

ELSEWHERE = ["library"], ["elsewhere"]


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
    ],
)
async def test_the_next_for_a_freed_place_is_read_from_an_index_of_the_queue(
    matching: Matching, servers: Servers, limits: dict[str, Any], index: str
) -> None:
    """With 20,000 waiting, the plan reads them in order until enough fit: it neither sorts nor scans them all."""
    await matching.open(place("elsewhere", **limits))
    async with matching.stage.database.acquire() as conn:
        arrivals = [Arrival(_somebody(n), False, None, 0, 0, 0, "leeds-1") for n in range(20_000)]
        await Queue(conn).add(arrivals)
        await _analyze(servers, conn)
        plan = await conn.fetchval("explain (verbose, format json) " + NEXT, [], *ELSEWHERE, FIRST)
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    queues = [node for node in nodes if node.get("Index Name") == index]
    assert all("kind" in queue["Index Cond"] for queue in queues)
    assert queues
    assert [node for node in nodes if "&&" in node.get("Filter", "")], "the rule is part of the plan, no function"
    assert "suits" not in plan
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node.get("Relation Name") == "need"]


@pytest.mark.parametrize("limit", [{"wards": [HAREHILLS]}, {"open_to": ["food-bank"]}], ids=str)
async def test_a_place_that_nobody_suits_does_not_read_the_whole_queue(
    matching: Matching, servers: Servers, limit: dict[str, Any]
) -> None:
    """Of 5,000 who wait, none is in its ward or referred by its partner: none is looked at."""
    await matching.open(place("elsewhere", **limit))
    async with matching.stage.database.acquire() as conn:
        arrivals = [Arrival(_somebody(n), False, None, 0, 0, 0, "leeds-1") for n in range(5_000)]
        await Queue(conn).add(arrivals)
        await _analyze(servers, conn)
        assert await _looked_at(conn) == 0


@pytest.mark.parametrize(
    "lacks", [{"languages": ["so"]}, {"formats": ["video"]}, {"scheme": "scheme:other"}, {}], ids=str
)
async def test_whom_a_place_for_the_whole_city_suits_is_found_though_few_are(
    matching: Matching, servers: Servers, lacks: dict[str, Any]
) -> None:
    """Of 5,000 who wait, asking for eight different things, it suits nobody; then somebody who came last."""
    screens: list[Any] = ["large-screen"] if lacks else []
    await matching.open(place("elsewhere", requirements=screens, **lacks))
    screen, ur, so = frozenset({"large-screen"}), frozenset({"ur"}), frozenset({"so"})
    phone, databank = frozenset({"phone"}), frozenset({"scheme:databank"})
    asked: list[dict[str, Any]] = [
        {"languages": languages, "formats": formats, "schemes": schemes, "requirements": screen}
        for languages, formats, schemes in product(
            (ur, ur | {"pl"}), (phone, phone | {"group"}), (databank, frozenset())
        )
    ]
    last: dict[str, Any] = {"languages": so, "formats": frozenset({"video"}), "schemes": frozenset({"scheme:other"})}
    async with matching.stage.database.acquire() as conn:
        needs = [a_need(n, waited=90 - n % 90, **asked[n % 8]) for n in range(5_000)]
        await Queue(conn).add([Arrival(need, False, None, 0, 0, 0, "leeds-1") for need in needs])
        await _analyze(servers, conn)
        assert await Queue(conn).candidates([], [PlaceKey("library", "elsewhere")]) == []
        assert await _looked_at(conn) < 2 * FIRST + 50
        await Queue(conn).add([Arrival(a_need(9_999, **last), False, None, 0, 0, 0, "leeds-1")])
        (found,) = await Queue(conn).candidates([], [PlaceKey("library", "elsewhere")])
        assert found.need_id == id_of(9_999)


@settings(max_examples=usual(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asks=st.lists(ASKS, min_size=5, max_size=25),
    terms=TERMS,
    units=st.integers(1, 3),
    first=st.sampled_from([0, 2, 300]),
)
async def test_the_next_for_a_place_are_the_first_whom_it_suits(
    matching: Matching, asks: list[Asks], terms: Terms, units: int, first: int
) -> None:
    needs = [replace(a_need(n, waited=n * 7 % 5), asks=one) for n, one in enumerate(asks)]
    async with matching.stage.database.acquire() as conn:
        await conn.execute("delete from need; delete from place")
        await Queue(conn).add([Arrival(need, False, None, 0, 0, 0, "leeds-1") for need in needs])
        await Supply(conn).save_places([replace(a_place("elsewhere", free=units), terms=terms)])
        rows = await conn.fetch(NEXT, [], *ELSEWHERE, first)
        if not rows or rows[0]["lacking"]:
            rows += await conn.fetch(BY_WHAT_IS_ASKED, [], *ELSEWHERE)
    suited = sorted((need for need in needs if not [*misses(need.asks, terms)]), key=lambda need: need.rank)
    assert {row["need_id"] for row in rows} == {need.need_id for need in suited[:units]}


def _somebody(number: int) -> Need:
    """Of a city, but not of Harehills, nor referred by the food bank."""
    return a_need(number, waited=number % 90, ward=f"E050000{number % 33:02}", partner=f"gp-{number % 50}")


async def _analyze(servers: Servers, conn: Conn) -> None:
    """As the owner: the application may not."""
    name = await conn.fetchval("select current_database()")
    async with connected(servers.postgres.model_copy(update={"name": name})) as owner:
        await owner.execute("analyze need")


async def _looked_at(conn: Conn) -> int:
    """How many needs are read to find who is next."""
    ran = [
        await conn.fetchval("explain (analyze, format json) " + query, [], *ELSEWHERE, *more)
        for query, more in ((NEXT, [FIRST]), (BY_WHAT_IS_ASKED, []))
    ]
    return sum(
        node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        for plan in ran
        for node in _nodes(json.loads(plan)[0]["Plan"])
        if node.get("Relation Name") == "need" and node["Actual Loops"]
    )


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
