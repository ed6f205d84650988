"""Invariant 6, on a real database: awards that race never exceed the budget of their round."""

import asyncio
import json
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.grants.conftest import City
from tests.support import NOON, usual

pytestmark = pytest.mark.servers

fresh = count()


@pytest.mark.invariant(6)
@settings(
    max_examples=usual(20),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a race does not shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(10, 1000), st.lists(st.integers(1, 500), min_size=2, max_size=8))
async def test_awards_that_race_never_exceed_the_budget_and_none_that_fits_is_refused(
    city: City, budget: int, asked: list[int]
) -> None:
    round_id = f"race-{next(fresh)}"
    city.stage.clock.at = NOON
    asked = [min(pence, budget) for pence in asked]
    await city.open_round(round_id, budget_pence=budget, maximum_pence=budget, minimum_pence=1)
    applied = [
        await city.apply(f"GB-CHC-{1_000_000 + n}", round_id=round_id, amount_pence=pence)
        for n, pence in enumerate(asked)
    ]
    await city.close(round_id)
    await with_warm_connections(city)
    decided = await asyncio.gather(
        *(
            city.decide(application.json()["application_id"], "award", {"amount_pence": pence})
            for application, pence in zip(applied, asked, strict=True)
        )
    )
    won = [pence for answer, pence in zip(decided, asked, strict=True) if answer.status_code == 200]
    lost = [pence for answer, pence in zip(decided, asked, strict=True) if answer.status_code == 409]
    shown = (await city.call("staff ann", "GET", f"/v1/rounds/{round_id}")).json()

    assert len(won) + len(lost) == len(asked)
    assert shown["awarded_pence"] == sum(won) <= budget
    assert sum(application["awarded_pence"] or 0 for application in shown["applications"]) == sum(won)
    assert sum(await said_awards(city, round_id)) == sum(won)
    assert all(pence > shown["remaining_pence"] for pence in lost)


async def with_warm_connections(city: City) -> None:
    """Opens the connections of the pool, so that what comes next truly runs side by side."""
    await asyncio.gather(*(city.stage.rows("select pg_sleep(0.02)") for _ in range(8)))


async def said_awards(city: City, round_id: str) -> list[int]:
    rows = await city.stage.rows("select value from outbox where headers like '%GrantAwarded%'")
    facts = [json.loads(row["value"]) for row in rows]
    return [fact["amount_pence"] for fact in facts if fact["round_id"] == round_id]


@pytest.mark.invariant(6)
async def test_one_application_awarded_by_many_at_once_is_awarded_once(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    await with_warm_connections(city)
    decided = await asyncio.gather(*(city.decide(application, "award", {"amount_pence": 1_000_00}) for _ in range(6)))
    assert sorted(answer.status_code for answer in decided) == [200, 409, 409, 409, 409, 409]
    shown = (await city.call("staff ann", "GET", "/v1/rounds/winter")).json()
    assert shown["awarded_pence"] == 1_000_00


@pytest.mark.invariant(6)
async def test_the_database_itself_refuses_an_award_over_the_budget(city: City) -> None:
    await city.open_round()
    with pytest.raises(asyncpg.CheckViolationError, match="round_awards_within_budget"):
        await city.stage.rows("update round set awarded_pence = budget_pence + 1 returning 1")


@pytest.mark.invariant(6)
async def test_payments_that_race_never_exceed_the_award(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    await city.decide(application, "award", {"amount_pence": 1_000_00})
    await with_warm_connections(city)
    body = {"instalment": 1, "amount_pence": 300_00}
    paid = await asyncio.gather(*(city.decide(application, "payments", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in paid) == [200, 200, 200, 422, 422, 422]
    assert await city.stage.rows("select paid_pence from application") == [{"paid_pence": 900_00}]
    assert await city.stage.rows("select sum(pence)::int as pence from payment") == [{"pence": 900_00}]


@pytest.mark.invariant(6)
async def test_the_database_itself_refuses_a_payment_over_the_award(city: City) -> None:
    await city.open_round()
    application = (await city.apply()).json()["application_id"]
    await city.close()
    await city.decide(application, "award", {"amount_pence": 1_000_00})
    with pytest.raises(asyncpg.CheckViolationError, match="application_paid_within_award"):
        await city.stage.rows("update application set paid_pence = 100001 returning 1")


@pytest.mark.invariant(6)
async def test_money_that_comes_free_twice_at_once_is_given_once(city: City) -> None:
    await city.open_round(budget_pence=10_000_00)
    ids = [(await city.apply(f"GB-CHC-{1_000_000 + n}")).json()["application_id"] for n in range(4)]
    await city.close()
    for application in ids[:2]:
        await city.decide(application, "award", {"amount_pence": 5_000_00})
    for application in ids[2:]:
        await city.decide(application, "reserve", {"amount_pence": 5_000_00})
    await with_warm_connections(city)
    gone = await asyncio.gather(*(city.decide(each, "withdrawal", {"reason": "stopped"}) for each in ids[:2] * 2))
    assert sorted(answer.status_code for answer in gone) == [200, 200, 409, 409]
    shown = (await city.call("staff ann", "GET", "/v1/rounds/winter")).json()
    assert shown["awarded_pence"] == 10_000_00
    now = {each["application_id"]: each["status"] for each in shown["applications"]}
    assert [now[each] for each in ids] == ["withdrawn", "withdrawn", "awarded", "awarded"]
