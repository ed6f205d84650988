"""What is counted, and what of it may be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import KINDS
from services.reporting.domain.folding import latest
from services.reporting.domain.measures import MEASURES, STATUSES, Count, Measure, complete, measure_of, name_of
from services.reporting.events_out import metric
from tests.support import NOON

counted = st.integers(0, 60).flatmap(lambda people: st.tuples(st.just(people), st.integers(people, people * 4)))


def test_the_last_fact_of_a_key_wins_and_keys_come_in_order() -> None:
    assert latest(["b1", "a1", "b2"], lambda fact: fact[0]) == ["a1", "b2"]


def test_every_listed_code_is_there_even_where_nobody_has_it() -> None:
    assert [count.code for count in complete("needs-by-kind", [], [])] == list(KINDS)
    assert [count.code for count in complete("needs-by-status", [], [])] == list(STATUSES)


def test_an_area_that_no_list_has_follows_the_wards() -> None:
    counts = complete("needs-by-ward", [Count("protected", 9, 9)], ["E05011400"])
    assert [(count.code, count.needs) for count in counts] == [("E05011400", 0), ("protected", 9)]


def test_nothing_is_said_of_needs_entered_in_error() -> None:
    assert "entered-in-error" not in STATUSES


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_is_known_again_by_its_name(measure: Measure) -> None:
    assert measure_of(name_of(measure)) == measure


def test_eight_needs_of_two_people_are_hidden() -> None:
    (cell,) = metric("needs-by-ward", [Count("E05011400", 8, 2)], [], NOON).cells
    assert cell.count is None


@pytest.mark.invariant(7)
@given(st.dictionaries(st.sampled_from(KINDS), counted))
def test_a_count_is_hidden_exactly_where_1_to_7_people_stand_behind_it(found: dict[str, tuple[int, int]]) -> None:
    counts = [Count(code, needs, people) for code, (people, needs) in found.items()]
    for cell in metric("needs-by-kind", counts, [], NOON).cells:
        people, needs = found.get(cell.kind or "", (0, 0))
        assert (cell.count is None) == (1 <= people <= 7)
        assert cell.count is None or (cell.count % 5 == 0 and abs(cell.count - needs) <= 2)


@pytest.mark.invariant(7)
@given(st.dictionaries(st.sampled_from(STATUSES), counted))
def test_no_total_leaves_from_which_a_hidden_count_could_be_had(found: dict[str, tuple[int, int]]) -> None:
    counts = [Count(code, needs, people) for code, (people, needs) in found.items()]
    cells = metric("needs-by-status", counts, [], NOON).cells
    assert sorted(cell.status or "(total)" for cell in cells) == sorted(STATUSES)
