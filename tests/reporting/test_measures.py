"""What is counted, in which periods, and how facts of one key come to one row."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.matching import GapClosed, GapRecorded
from contracts.vocabulary import KINDS, NeedStatus
from services.reporting.domain import periods
from services.reporting.domain.families import family_of
from services.reporting.domain.folding import gaps, latest, moves
from services.reporting.domain.measure import PARTS, Codes
from services.reporting.domain.measures import BY_NAME, MEASURES
from services.reporting.domain.tables import Geography, table
from services.reporting.domain.waits import within
from services.reporting.domain.words import WORDS
from services.reporting.store.measures import SOURCES, THINGS
from tests.reporting.builders import a, moved
from tests.support import NOON

CITY = Geography(["W1", "W2"], {"W1": "1", "W2": "10"}, {"W1": "Inner", "W2": "Outer"})


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


def test_the_last_fact_of_a_key_wins_and_keys_come_in_order() -> None:
    assert latest(["b1", "a1", "b2"], lambda fact: fact[0]) == ["a1", "b2"]


@pytest.mark.parametrize(
    ("statuses", "accepted", "waiting_until", "ended"),
    [
        (["on-hold"], None, None, None),
        (["on-hold", "offered", "accepted"], 2, 2, None),
        (["accepted", "on-hold"], 0, None, None),
        (["accepted", "in-progress", "completed"], 0, 0, 2),
        (["accepted", "on-hold", "offered", "accepted", "in-progress"], 0, 3, None),
        (["cancelled"], None, 0, 0),
    ],
)
def test_what_the_moves_of_a_need_come_to(
    statuses: list[NeedStatus], accepted: int | None, waiting_until: int | None, ended: int | None
) -> None:
    (found,) = moves(moved(1, status, at=at(hour)) for hour, status in enumerate(statuses))
    hours = [accepted, waiting_until, ended]
    assert [found.accepted_at, found.waiting_until, found.ended_at] == [h if h is None else at(h) for h in hours]
    assert found.last.status == statuses[-1]


def test_a_gap_is_open_since_it_was_last_opened() -> None:
    recorded, closed = a(GapRecorded), a(GapClosed)
    (found,) = gaps([(recorded, at(0)), (recorded, at(1)), (closed, at(2))])
    assert (found.opened_at, found.closed_at) == (at(0), at(2))
    (found,) = gaps([(recorded, at(0)), (closed, at(1)), (recorded, at(2))])
    assert (found.opened_at, found.closed_at) == (at(2), None)


def test_every_measure_has_a_statement_and_every_word_an_explanation() -> None:
    assert {m.name for m in MEASURES if m.within is None} == SOURCES.keys() | THINGS.keys()
    assert {word for m in MEASURES for by in (*m.tables, *m.in_year) for word in by} <= WORDS.keys()
    assert not WORDS.keys() & BY_NAME.keys()
    assert all(m.title and m.explanation.endswith(".") for m in MEASURES)


def test_what_is_within_another_measure_counts_by_what_that_counts_by_but_for_the_kind() -> None:
    for inner in (measure for measure in MEASURES if measure.within):
        assert set(inner.grain) - {"kind"} <= set(BY_NAME[inner.within or ""].grain)


def test_a_sort_of_people_has_a_place_for_all_that_tables_count_by() -> None:
    assert family_of(BY_NAME["referrals"]) == [
        "month", "band", "partner", "ward", *(f"needs:{kind}" for kind in KINDS)
    ]  # fmt: skip
    assert family_of(BY_NAME["waiting"]) == ["kind", "band", "ward", "passed-over", "gaps"]


def test_only_the_last_word_of_a_table_adds_up_to_a_whole() -> None:
    for measure in MEASURES:
        for by in (*measure.tables, *measure.in_year):
            assert not set(by[:-1]) & set(PARTS), f"{measure.name} by {by}"


def test_a_table_lists_every_code_and_counts_wards_by_what_they_lie_in() -> None:
    rows: dict[tuple[str, ...], int] = {("device", "W1"): 9, ("device", "protected"): 2}
    by_decile = table(rows, ("kind", "ward"), ("kind", "decile"), CITY)
    assert by_decile["device", "1"] == 9
    assert by_decile["device", "not-known"] == 2
    assert by_decile["champion", "10"] == 0
    assert table(rows, ("kind", "ward"), ("kind",), CITY)["device",] == 11


def test_a_month_is_one_of_london() -> None:
    """The clocks go forward on the last Sunday of March: April begins at 23:00 of the day before, in UTC."""
    april = periods.month_of(date(2026, 4, 17))
    assert (april.name, april.starts_on, april.ends_on) == ("2026-04", date(2026, 4, 1), date(2026, 4, 30))
    assert april.begins == datetime(2026, 3, 31, 23, tzinfo=UTC)
    assert april.ends == datetime(2026, 4, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "year", "months"),
    [
        ("2026-04", "2026-27-to-2026-04", ["2026-04"]),
        ("2026-06", "2026-27-to-2026-06", ["2026-04", "2026-05", "2026-06"]),
        ("2027-01", "2026-27-to-2027-01", [*(f"2026-{n:02}" for n in range(4, 13)), "2027-01"]),
    ],
)
def test_a_financial_year_begins_in_april(month: str, year: str, months: list[str]) -> None:
    one = periods.month_of(date.fromisoformat(f"{month}-01"))
    assert periods.year_to(one).name == year
    assert [each.name for each in periods.year_so_far(one)] == months
    assert [each.name for each in periods.year_of(one)] == [
        *(f"2026-{n:02}" for n in range(4, 13)),
        *(f"2027-0{n}" for n in (1, 2, 3)),
    ]


def test_a_month_is_closed_five_days_after_its_end() -> None:
    first, fifth = datetime(2026, 12, 5, 23, 59, tzinfo=UTC), datetime(2026, 12, 6, 0, 0, tzinfo=UTC)
    assert periods.closed(date(2026, 11, 3), first) == []
    assert [month.name for month in periods.closed(date(2026, 11, 3), fifth)] == ["2026-11"]
    assert periods.next_to_close(first).name == "2026-11"
    assert periods.next_to_close(fifth).name == "2026-12"
    assert [periods.last_closed(moment).name for moment in (first, fifth)] == ["2026-10", "2026-11"]


@given(st.integers(0, 2_000_000_000))
def test_the_next_month_to_close_closes_later_and_is_the_first(seconds: int) -> None:
    moment = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    next_ = periods.next_to_close(moment)
    assert periods.closes_at(next_) > moment
    before = periods.month_of(next_.starts_on - periods.DAY)
    assert periods.closes_at(before) <= moment


WEST = Geography(["W1"], {"W1": "1"}, {"W1": "Inner"})
WAITED_IN_MAY: dict[Codes, int] = {
    ("2026-05", "device", "0-20", "W1", "1"): 3,
    ("2026-05", "device", "0-20", "W1", "9"): 2,
    ("2026-05", "skills", "0-20", "W1", "30"): 4,
    ("2026-06", "device", "0-20", "W1", "100"): 9,
}


def test_days_are_those_within_which_a_share_had_what_they_waited_for() -> None:
    by_kind = within(WAITED_IN_MAY, {"2026-05"}, ("kind",), 0.5, WEST)
    assert {codes: days for codes, (days, _) in by_kind.items()} == {("device",): 1, ("skills",): 30}
    assert within(WAITED_IN_MAY, {"2026-05"}, ("decile",), 0.5, WEST)["1",][0] == 9
    assert within(WAITED_IN_MAY, {"2026-05", "2026-06"}, (), 0.9, WEST)[()][0] == 100


def test_of_people_who_waited_for_several_kinds_no_more_are_sure_than_waited_for_one() -> None:
    assert within(WAITED_IN_MAY, {"2026-05"}, (), 0.5, WEST)[()] == (9, 5)
    assert within(WAITED_IN_MAY, {"2026-05"}, ("kind",), 0.5, WEST)["skills",] == (30, 4)


def test_where_nobody_waited_there_are_no_days() -> None:
    assert within(WAITED_IN_MAY, {"2026-04"}, (), 0.5, WEST) == {}
