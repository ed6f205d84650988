from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.catalogue import consumed_by
from contracts.matching import GapClosed, GapRecorded
from contracts.vocabulary import Kind
from services.grants.events_in import FACTS
from tests.grants.conftest import City

pytestmark = pytest.mark.servers

SOON = timedelta(minutes=1)


def recorded(n: int, kind: Kind = "device", area: str = "E05011400") -> GapRecorded:
    return GapRecorded(
        referral_id=UUID(int=n), need_id=UUID(int=n), kind=kind, area=area, reasons=["ward-not-served", "language"]
    )


def closed(n: int, kind: Kind = "device", area: str = "E05011400") -> GapClosed:
    return GapClosed(referral_id=UUID(int=n), need_id=UUID(int=n), kind=kind, area=area)


async def gaps(city: City) -> list[dict[str, Any]]:
    await city.open_round()
    shown: list[dict[str, Any]] = (await city.call("staff ann", "GET", "/v1/rounds/winter")).json()["gaps"]
    return shown


async def are_open(city: City) -> list[int]:
    rows = await city.stage.rows("select need_id from open_gap where is_open order by need_id")
    return [row["need_id"].int for row in rows]


def test_grants_handles_what_the_catalogue_sends_it() -> None:
    assert set(FACTS) == set(consumed_by("grants").values())


@pytest.mark.invariant(7)
async def test_gaps_stand_beside_the_round_and_small_counts_are_hidden(city: City) -> None:
    await city.stage.hear(
        *(recorded(n) for n in range(13)),
        *(recorded(n, "champion") for n in range(20, 27)),
        *(recorded(n, "champion", "E05011401") for n in range(30, 38)),
        *(recorded(n, "skills", "no-fixed-address") for n in range(40, 41)),
    )
    assert await gaps(city) == [
        {"kind": "champion", "area": "E05011400", "people": None},
        {"kind": "champion", "area": "E05011401", "people": 10},
        {"kind": "device", "area": "E05011400", "people": 15},
        {"kind": "skills", "area": "no-fixed-address", "people": None},
    ]


async def test_a_closed_gap_is_not_shown(city: City) -> None:
    await city.stage.hear(*(recorded(n) for n in range(9)))
    city.stage.clock.forward(SOON)
    await city.stage.hear(*(closed(n) for n in range(9)))
    assert await gaps(city) == []


async def test_a_gap_that_closes_in_the_same_poll_is_closed(city: City) -> None:
    await city.stage.hear(recorded(1), recorded(2), closed(1))
    assert await are_open(city) == [2]


async def test_a_gap_closed_before_it_was_recorded_stays_closed(city: City) -> None:
    await city.stage.hear(closed(1))
    await city.stage.hear(recorded(1))
    assert await are_open(city) == []


async def test_an_old_record_that_comes_late_does_not_open_a_closed_gap(city: City) -> None:
    city.stage.clock.forward(SOON)
    await city.stage.hear(closed(1))
    city.stage.clock.forward(-SOON)
    await city.stage.hear(recorded(1))
    assert await are_open(city) == []


async def test_a_gap_that_is_recorded_anew_after_it_closed_is_open(city: City) -> None:
    for fact in (recorded(1), closed(1), recorded(1, area="E05011401")):
        await city.stage.hear(fact)
        city.stage.clock.forward(SOON)
    assert await are_open(city) == [1]
    assert await city.stage.rows("select area, reasons from open_gap") == [
        {"area": "E05011401", "reasons": ["ward-not-served", "language"]}
    ]


async def test_an_older_record_does_not_replace_a_newer_one(city: City) -> None:
    city.stage.clock.forward(SOON)
    await city.stage.hear(recorded(1, area="E05011401"))
    city.stage.clock.forward(-SOON)
    await city.stage.hear(recorded(1))
    assert await city.stage.rows("select area from open_gap") == [{"area": "E05011401"}]


async def test_a_gap_recorded_twice_in_one_poll_counts_once(city: City) -> None:
    await city.stage.hear(recorded(1), recorded(1), recorded(1, area="E05011401"))
    assert await city.stage.rows("select need_id, area from open_gap") == [
        {"need_id": UUID(int=1), "area": "E05011401"}
    ]


@pytest.mark.invariant(7)
async def test_who_asks_again_and_again_sees_no_gap_come_or_go_before_the_next_day(city: City) -> None:
    await city.stage.hear(*(recorded(n) for n in range(8)))
    assert [each["people"] for each in await gaps(city)] == [10]
    city.stage.clock.forward(SOON)
    await city.stage.hear(closed(1))
    assert [each["people"] for each in await gaps(city)] == [10]
    city.stage.clock.forward(timedelta(days=1))
    assert [each["people"] for each in await gaps(city)] == [None]
