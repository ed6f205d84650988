"""Ids sort by time, and the same cause gives the same id."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import uuid7
from tests.support import NOON

times = st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
seeds = st.lists(st.text(max_size=8), max_size=4)


@given(times, seeds)
def test_it_is_a_version_7_uuid_of_its_millisecond(at: datetime, seed: list[str]) -> None:
    made = uuid7(at, *seed)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(at.timestamp() * 1000)


@given(times, times, seeds)
def test_later_sorts_later(one: datetime, other: datetime, seed: list[str]) -> None:
    early, late = sorted((one, other))
    if late - early >= timedelta(milliseconds=1):
        assert str(uuid7(early, *seed)) < str(uuid7(late, "x"))


@given(times, seeds.filter(bool))
def test_the_same_cause_gives_the_same_id_and_another_cause_another(at: datetime, seed: list[str]) -> None:
    assert uuid7(at, *seed) == uuid7(at, *seed)
    assert uuid7(at, *seed, "more") != uuid7(at, *seed)


def test_parts_of_a_seed_do_not_run_into_each_other() -> None:
    assert len({uuid7(NOON, "ab", "c"), uuid7(NOON, "a", "bc"), uuid7(NOON, "abc")}) == 3


def test_without_a_seed_no_two_are_alike() -> None:
    assert len({uuid7(NOON) for _ in range(1000)}) == 1000


def test_many_causes_of_one_millisecond_give_as_many_ids() -> None:
    assert len({uuid7(NOON, str(number)) for number in range(10_000)}) == 10_000
