"""What people told for counting alone decides nothing, stands apart, and is said only in counts that name nobody."""

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.disclosure import SMALL, published
from chassis.facts import Later
from contracts.people import CountOfPeople, PeopleCounted, PeopleTable
from contracts.person import Monitoring, Person
from contracts.referrals import ReferralReceived
from services.referrals.domain.people import MONITORED, closes_on
from services.referrals.domain.priority import Policy
from services.referrals.handlers.asking import weigh
from services.referrals.handlers.people import CountPeople, circumstances, monitoring
from services.referrals.handlers.persons import ErasePerson
from services.referrals.handlers.staff import MarkError
from tests.referrals.acting import TODAY, act, amend, day, refer
from tests.referrals.builders import a_person, a_referral, sealed
from tests.support import Stage, said

TOLD = {"age": "65-74", "sex": "female", "ethnicity": "mixed", "disability": "prefer-not-to-say"}
SIXTH = date(2026, 12, 6)
TABLES: tuple[PeopleTable, ...] = get_args(PeopleTable)
POLICIES = {"leeds-1": Policy()}


@given(st.builds(Monitoring))
def test_what_was_told_for_counting_gives_no_points_and_no_scheme(told: Monitoring) -> None:
    person = Person.model_validate(a_person())
    with_it = person.model_copy(update={"monitoring": told})
    assert weigh(Policy(), with_it, "W", {}, TODAY) == weigh(Policy(), person, "W", {}, TODAY)


async def test_it_stands_in_a_table_of_its_own_and_in_nothing_that_is_said(on_stage: Stage) -> None:
    received = await refer(on_stage, person_jwe=sealed(a_person(monitoring=TOLD)))
    assert await on_stage.rows("select * from monitoring") == [{"person_ref": received.person_ref, **TOLD}]
    everything = [await on_stage.rows(f"select * from {table}") for table in ("outbox", "referral", "need", "due")]  # noqa: S608 - ours
    assert not any(code in str(everything) for code in ("mixed", "female", "65-74"))
    without = await refer(on_stage, reference="GP-2")
    assert (without.priority, without.schemes) == (received.priority, received.schemes)


async def test_it_is_replaced_with_the_person_and_goes_with_them(on_stage: Stage) -> None:
    received = await refer(on_stage, person_jwe=sealed(a_person(monitoring=TOLD)))
    await amend(on_stage, received, person_jwe=sealed(a_person(monitoring={"sex": "male"})))
    nothing = dict.fromkeys(TOLD)
    assert await on_stage.rows("select * from monitoring") == [
        {"person_ref": received.person_ref, **nothing, "sex": "male"}
    ]
    await on_stage.result(ErasePerson(person_ref=received.person_ref, by="ann", reason="asked for it"))
    assert await on_stage.rows("select * from monitoring") == []


async def test_a_code_that_is_none_is_refused(on_stage: Stage) -> None:
    with pytest.raises(Exception, match=r"person.monitoring.sex: literal-error"):
        await on_stage.receive("gp-armley", a_referral(a_person(monitoring={"sex": "x"})))


def told_in(told: list[Any]) -> dict[str, dict[str, Any]]:
    return {
        fact.table: {row.code: row.hidden or row.people for row in fact.rows if row.people != 0}
        for fact in said(told, PeopleCounted)
    }


async def refer_many(stage: Stage, number: int, first: int = 0, **person: Any) -> list[ReferralReceived]:
    """People who have nothing in common that would make them look like one."""
    those = [
        a_referral(a_person(name=f"N{n}", born=None, phone=None, postcode=None, **person), reference=f"GP-{n}")
        for n in range(first, first + number)
    ]
    return said(await stage.receive("gp-armley", *those), ReferralReceived)


SAFE: dict[str, Any] = {"safe_contact": {"channels": ["via-referrer"]}}


async def test_a_month_is_counted_once_on_the_sixth_day_of_the_next(on_stage: Stage) -> None:
    women = await refer_many(on_stage, 22, **SAFE, monitoring={"sex": "female"}, circumstances={"offline": "yes"})
    await refer_many(on_stage, 24, 30, **SAFE, circumstances={"offline": "no", "no-support-network": "yes"})
    await act(on_stage, MarkError, women[0], reason="made-by-mistake")
    await on_stage.result(ErasePerson(person_ref=women[1].person_ref, by="ann", reason="asked for it"))
    days = [row["key"] for row in await on_stage.rows("select key from due where type = 'CheckDay'")]
    assert str(SIXTH) in days
    count = [later.data for later in await day(on_stage, SIXTH) if isinstance(later, Later)][-1]
    assert count == CountPeople(day=SIXTH)
    counted = await on_stage.result(count)
    assert {fact.month for fact in said(counted, PeopleCounted)} == {"2026-11"}
    assert told_in(counted)["sex"] == {"female": 20, "not-told": 25}
    assert told_in(counted)["age"] == {"not-told": 45}
    assert set(told_in(counted)["circumstance"].items()) >= {("offline", 20), ("no-support-network", 25)}
    assert not said(await on_stage.result(count), PeopleCounted)


async def test_a_month_that_is_not_over_is_not_counted(on_stage: Stage) -> None:
    await refer(on_stage)
    assert not said(await on_stage.result(CountPeople(day=TODAY)), PeopleCounted)


@pytest.mark.parametrize(("of", "on"), [(date(2026, 11, 1), SIXTH), (date(2026, 12, 31), date(2027, 1, 6))])
def test_a_month_is_counted_when_reporting_closes_it(of: date, on: date) -> None:
    assert closes_on(of) == on


COUNTS = st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 40))


@pytest.mark.invariant(7)
@given(st.lists(COUNTS, min_size=4, max_size=4))
def test_a_small_count_stays_one_of_three_for_whoever_knows_how_many_all_are(numbers: list[int]) -> None:
    counts = dict(zip(MONITORED["sex"], numbers, strict=True))
    rows = {row.code: row for row in monitoring("2026-11", "sex", counts).rows}
    everybody = sum(numbers)
    assert all(row.people == published(counts[code]) for code, row in rows.items() if not row.hidden)
    for code in (code for code, row in rows.items() if row.hidden == "small"):
        spans = [_span(row, everybody) for other, row in rows.items() if other != code]
        assert sum(_fits(spans, everybody - number) for number in SMALL) >= 3


def _fits(spans: Sequence[tuple[int, int]], number: int) -> bool:
    """Whether the others can be so many."""
    return sum(low for low, _ in spans) <= number <= sum(high for _, high in spans)


def _span(row: CountOfPeople, everybody: int) -> tuple[int, int]:
    if row.hidden == "small":
        return 1, 7
    if row.hidden:
        return 8, everybody
    those = [n for n in range(everybody + 3) if published(n) == row.people]
    return those[0], those[-1]


def test_what_would_tell_of_a_small_count_is_kept_back_and_as_little_as_it_takes() -> None:
    rows = monitoring("2026-11", "sex", dict(zip(MONITORED["sex"], (12, 30, 3, 0), strict=True))).rows
    assert [row.hidden or row.people for row in rows] == [10, 30, "small", 0]
    rows = monitoring("2026-11", "sex", dict(zip(MONITORED["sex"], (8, 1, 0, 0), strict=True))).rows
    assert [row.hidden for row in rows] == ["kept-back"] * 4


def test_of_a_group_of_circumstances_as_much_is_kept_back_as_it_takes() -> None:
    def told(**people: int) -> list[Any]:
        """Of the circumstances of housing, of so many people with these among others."""
        named = {("leeds-1", frozenset(codes.replace("_", "-").split("__"))): n for codes, n in people.items()}
        housing = ("homeless", "no-right-to-work", "domestic-abuse")
        rows = circumstances("2026-11", {**named, ("leeds-1", frozenset()): 50}, POLICIES).rows
        return [row.hidden or row.people for row in rows if row.code in housing]

    assert told(homeless=40, no_right_to_work=30, domestic_abuse=20) == [40, 30, 20]
    assert told(homeless=40, no_right_to_work=30, domestic_abuse=3) == [40, 30, "small"]
    assert told(homeless=40) == ["kept-back", 0, 0]
    assert told(homeless=3) == ["kept-back"] * 3
    assert told() == ["kept-back"] * 3
