"""Who judges what, and what their scores come to."""

from collections import Counter
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.grants import Criterion, RoundRules
from services.grants.domain.assignment import Task, share_out
from services.grants.domain.conflicts import Assessor, Stakes, conflict, free_of_conflict
from services.grants.domain.scoring import feedback, needed, outcome, score_errors, weighted

NEED = Criterion(code="need", title="Meets a need", weight=3)
SENSE = Criterion(code="sense", title="Makes sense", weight=1, most=4)
RULES = RoundRules(criteria=[NEED, SENSE], spread_limit=20, one_assessor_below_pence=500_00)


@pytest.mark.parametrize(
    ("assessor", "found"),
    [
        (Assessor("a", organisations=frozenset({"GB-CHC-1110522"})), "own-organisation"),
        (Assessor("a", organisations=frozenset({"GB-COH-01234567"})), "own-organisation"),
        (Assessor("a", interests=frozenset({"GB-CHC-1110522"})), "registered-interest"),
        (Assessor("a", wards=frozenset({"E05011400"})), "ward-of-a-councillor"),
        (Assessor("a", declared=frozenset({UUID(int=1)})), "declared"),
        (Assessor("a", frozenset({"GB-CHC-2"}), frozenset({"GB-CHC-3"}), frozenset({"E05011401"})), None),
    ],
)
def test_an_interest_in_an_application_is_a_conflict(assessor: Assessor, found: str | None) -> None:
    stakes = Stakes(UUID(int=1), frozenset({"GB-CHC-1110522", "GB-COH-01234567"}), frozenset({"E05011400"}))
    assert conflict(assessor, stakes) == found


ORGANISATIONS = st.frozensets(st.sampled_from(["a", "b", "c", "d"]), max_size=3)


@pytest.mark.invariant(6)
@given(
    st.lists(st.builds(Assessor, st.just(""), ORGANISATIONS, ORGANISATIONS), max_size=6),
    st.lists(ORGANISATIONS, max_size=12),
    st.lists(st.integers(0, 5), max_size=6),
)
def test_nobody_is_given_what_they_have_an_interest_in_and_everything_gets_all_that_can_be(
    drawn: list[Assessor], owners: list[frozenset[str]], had: list[int]
) -> None:
    assessors = [Assessor(f"assessor-{n}", each.organisations, each.interests) for n, each in enumerate(drawn)]
    stakes = {UUID(int=n): Stakes(UUID(int=n), owner) for n, owner in enumerate(owners)}
    tasks = [Task(each, 2, tuple(free_of_conflict(assessors, its))) for each, its in stakes.items()]
    load = {f"assessor-{n}": number for n, number in enumerate(had[: len(assessors)])}
    shared = share_out(tasks, load)

    named = {each.assessor: each for each in assessors}
    assert all(conflict(named[assessor], stakes[application]) is None for application, assessor in shared.pairs)
    assert len(set(shared.pairs)) == len(shared.pairs)
    given_to = Counter(application for application, _ in shared.pairs)
    for task in tasks:
        assert given_to[task.application_id] == min(2, len(task.may))
        assert shared.lacking.get(task.application_id, 0) == 2 - min(2, len(task.may))


@given(st.integers(2, 6), st.integers(1, 20))
def test_without_conflicts_nobody_has_two_more_than_another(assessors: int, applications: int) -> None:
    may = tuple(f"assessor-{n}" for n in range(assessors))
    shared = share_out([Task(UUID(int=n), 2, may) for n in range(applications)], {})
    loads = Counter(assessor for _, assessor in shared.pairs)
    assert max(loads.values()) - min(loads[each] for each in may) <= 1


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=5))
def test_the_largest_load_is_as_low_as_it_can_be(may: list[set[str]]) -> None:
    tasks = [Task(UUID(int=n), 1, tuple(sorted(those))) for n, those in enumerate(may)]
    loads = Counter(assessor for _, assessor in share_out(tasks, {}).pairs)
    best = min(max(Counter(way).values()) for way in product(*(task.may for task in tasks)))
    assert max(loads.values()) == best


def test_whoever_has_much_already_is_given_less() -> None:
    shared = share_out([Task(UUID(int=n), 1, ("ann", "bea")) for n in range(4)], {"ann": 3})
    assert Counter(assessor for _, assessor in shared.pairs) == {"bea": 3, "ann": 1}


def test_scores_are_weighted_and_reach_from_nothing_to_a_hundred() -> None:
    assert weighted([NEED, SENSE], {"need": 5, "sense": 4}) == 10_000
    assert weighted([NEED, SENSE], {"need": 0, "sense": 0}) == 0
    assert weighted([NEED, SENSE], {"need": 5, "sense": 0}) == 7_500
    assert weighted([NEED, SENSE], {"need": 0, "sense": 1}) == 625


def test_every_criterion_is_scored_within_its_range_and_no_other() -> None:
    assert not score_errors([NEED, SENSE], {"need": 0, "sense": 4})
    wrong = score_errors([NEED, SENSE], {"sense": 5, "charm": 1})
    assert [(error.field, error.rule) for error in wrong] == [
        ("scores", "unknown-criterion"),
        ("scores.need", "out-of-range"),
        ("scores.sense", "out-of-range"),
    ]


def test_a_small_sum_needs_one_assessor_and_any_other_two() -> None:
    assert [needed(RULES, 499_99), needed(RULES, 500_00), needed(RoundRules(), 500_00)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("points", "verdict", "result"),
    [
        ([], "waiting", 0),
        ([7000], "waiting", 0),
        ([7000, 9000], "settled", 8000),
        ([7000, 7001], "settled", 7001),
        ([7000, 9001], "third", 0),
        ([7000, 9100, 9500], "settled", 9300),
        ([1000, 5000, 9000], "moderate", 0),
    ],
)
def test_two_that_agree_settle_it_and_a_third_or_an_approver_where_they_do_not(
    points: list[int], verdict: str, result: int
) -> None:
    came_to = outcome(RULES, 1_000_00, points)
    assert (came_to.verdict, came_to.points) == (verdict, result)


def test_one_score_settles_a_small_sum() -> None:
    assert outcome(RULES, 100_00, [6000]).points == 6000


def test_feedback_is_the_mean_of_each_criterion() -> None:
    words = feedback([NEED, SENSE], [{"need": 5, "sense": 1}, {"need": 4, "sense": 2}])
    assert [(each.criterion, each.points, each.most) for each in words] == [("need", 450, 5), ("sense", 150, 4)]
    assert feedback([NEED], []) == []
