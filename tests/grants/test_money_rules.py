"""Invariant 6, in the pure rules: awards within the budget, payments within the award."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.refusal import FieldError
from services.grants.domain.awards import Application, Book
from services.grants.domain.ranking import ranking
from services.grants.domain.rounds import Round
from services.grants.domain.states import ACTS, Stage, Status

OPENS = datetime(2026, 11, 1, 9, tzinfo=UTC)
CLOSES = datetime(2026, 12, 1, 12, tzinfo=UTC)


def book(budget: int, asked: list[int], status: Status = "assessed", stage: Stage = "deciding") -> Book:
    """Applications 0, 1, 2 ... in the order of their points."""
    applications = {
        UUID(int=n): Application(UUID(int=n), "winter", f"GB-CHC-{n}", pence, status, points=9000 - n)
        for n, pence in enumerate(asked)
    }
    return Book(applications, {"winter": Round("winter", "fund", budget, budget, 1, OPENS, CLOSES, stage=stage)})


def rule(refused: object) -> str:
    assert isinstance(refused, FieldError), refused
    return refused.rule


def test_an_application_is_decided_once() -> None:
    decided = book(1000, [100, 100])
    assert isinstance(decided.award(UUID(int=0), 100, "ann"), Application)
    decided.decline(UUID(int=1), "ann")
    again = [
        decided.award(UUID(int=0), 100, "ann"),
        decided.decline(UUID(int=0), "ann"),
        decided.award(UUID(int=1), 100, "ann"),
        decided.decline(UUID(int=1), "ann"),
    ]
    assert [rule(refused) for refused in again] == ["illegal-move"] * 4


def test_an_award_is_at_most_what_was_asked_and_may_be_a_part_of_it() -> None:
    decided = book(1000, [100])
    assert rule(decided.award(UUID(int=0), 101, "ann")) == "over-asked"
    award = decided.award(UUID(int=0), 60, "ann")
    assert isinstance(award, Application)
    assert award.awarded_pence == 60


def test_an_unknown_application_is_not_found() -> None:
    assert rule(book(1000, []).award(UUID(int=7), 1, "ann")) == "not-found"


@pytest.mark.parametrize("stage", ["applications", "assessing", "finished", "cancelled"])
def test_nothing_is_awarded_before_the_round_is_assessed_or_after_it_is_finished(stage: Stage) -> None:
    assert rule(book(1000, [100], stage=stage).award(UUID(int=0), 100, "ann")) == "illegal-move"


def test_what_has_no_result_is_not_awarded() -> None:
    assert rule(book(1000, [100], "submitted").award(UUID(int=0), 100, "ann")) == "illegal-move"


def test_whoever_scored_it_does_not_decide_about_it() -> None:
    decided = book(1000, [100])
    decided.applications[UUID(int=0)] = Application(
        UUID(int=0), "winter", "GB-CHC-1", 100, "assessed", scored_by=("ann",)
    )
    assert rule(decided.award(UUID(int=0), 100, "ann")) == "own-score"
    assert isinstance(decided.award(UUID(int=0), 100, "bea"), Application)


def test_the_reserve_list_moves_up_by_rank_and_nobody_is_passed_over() -> None:
    decided = book(100, [100, 60, 70, 30])
    decided.award(UUID(int=0), 100, "ann")
    for n, pence in ((3, 30), (2, 70), (1, 60)):
        decided.reserve(UUID(int=n), pence, "ann")
    assert not decided.move_up(["winter"])
    decided.withdraw(UUID(int=0))
    assert [each.application_id.int for each in decided.move_up(["winter"])] == [1]
    decided.top_up("winter", 60)
    assert [each.application_id.int for each in decided.move_up(["winter"])] == [2, 3]
    assert decided.rounds["winter"].remaining_pence == 0


def test_payments_never_exceed_the_award_and_what_comes_back_lowers_it() -> None:
    decided = book(100, [100])
    decided.award(UUID(int=0), 80, "ann")
    assert isinstance(decided.pay(UUID(int=0), 50), Application)
    assert rule(decided.pay(UUID(int=0), 31)) == "over-award"
    assert rule(decided.withdraw(UUID(int=0))) == "illegal-move"
    assert rule(decided.give_back(UUID(int=0), 51)) == "over-paid"
    after = decided.give_back(UUID(int=0), 20)
    assert isinstance(after, Application)
    assert (after.awarded_pence, after.paid_pence, decided.rounds["winter"].remaining_pence) == (60, 30, 40)


def test_an_award_of_which_all_comes_back_is_given_up() -> None:
    decided = book(100, [100])
    decided.award(UUID(int=0), 80, "ann")
    decided.pay(UUID(int=0), 80)
    after = decided.give_back(UUID(int=0), 80)
    assert isinstance(after, Application)
    assert (after.status, after.awarded_pence, after.paid_pence) == ("withdrawn", None, 0)
    assert decided.rounds["winter"].remaining_pence == 100


ACT = st.tuples(
    st.sampled_from(["award", "reserve", "decline", "withdraw", "pay", "give_back", "top_up", "move_up"]),
    st.integers(0, 5),
    st.integers(1, 400),
)


def do(decided: Book, act: str, n: int, pence: int) -> Any:
    application = UUID(int=n)
    ways: dict[str, Callable[[], Any]] = {
        "award": lambda: decided.award(application, pence, "ann"),
        "reserve": lambda: decided.reserve(application, pence, "ann"),
        "decline": lambda: decided.decline(application, "ann"),
        "withdraw": lambda: decided.withdraw(application),
        "pay": lambda: decided.pay(application, pence),
        "give_back": lambda: decided.give_back(application, pence),
        "top_up": lambda: decided.top_up("winter", pence),
        "move_up": lambda: decided.move_up(["winter"]),
    }
    return ways[act]()


@pytest.mark.invariant(6)
@given(st.integers(1, 1000), st.lists(st.integers(1, 400), min_size=1, max_size=6), st.lists(ACT, max_size=40))
def test_whatever_is_decided_awards_stay_within_the_budget_and_payments_within_awards(
    budget: int, asked: list[int], acts: list[tuple[str, int, int]]
) -> None:
    decided = book(budget, asked)
    for act, n, pence in acts:
        before = dict(decided.applications), dict(decided.rounds)
        done = do(decided, act, n, pence)
        if isinstance(done, FieldError):
            assert (decided.applications, decided.rounds) == before
        round_, applications = decided.rounds["winter"], decided.applications.values()
        assert round_.awarded_pence == sum(each.awarded_pence or 0 for each in applications) <= round_.budget_pence
        for each in applications:
            assert 0 <= each.paid_pence <= (each.awarded_pence or 0) <= each.amount_pence
            assert (each.status == "awarded") == (each.awarded_pence is not None)
            assert (each.status == "reserve") == (each.reserved_pence is not None)


@pytest.mark.invariant(6)
@given(st.integers(1, 1000), st.lists(st.integers(1, 600), max_size=12))
def test_no_award_that_fits_is_refused(budget: int, asked: list[int]) -> None:
    decided, left = book(budget, asked), budget
    for n, pence in enumerate(asked):
        award = decided.award(UUID(int=n), pence, "ann")
        assert isinstance(award, Application) == (pence <= left)
        left -= pence if isinstance(award, Application) else 0
    assert decided.rounds["winter"].remaining_pence == left >= 0


def test_the_line_is_drawn_where_the_budget_ends() -> None:
    ranked = ranking(book(100, [60, 50, 10]).applications.values(), 100)
    assert [(each.rank, each.running_pence, each.is_funded) for each in ranked] == [
        (1, 60, True),
        (2, 110, False),
        (3, 120, False),
    ]


def test_gap_points_count_as_much_as_others_in_the_ranking() -> None:
    applications = [
        Application(UUID(int=1), "winter", "a", 10, "assessed", points=7000),
        Application(UUID(int=2), "winter", "b", 10, "assessed", points=6000, gap_points=20),
        Application(UUID(int=3), "winter", "c", 10, "declined", points=9900),
        Application(UUID(int=4), "winter", "d", 10, "assessed", points=8000),
    ]
    assert [each.application.organisation_id for each in ranking(applications, 30)] == ["b", "d", "a"]


def test_every_act_names_only_states_there_are() -> None:
    assert all(guard.statuses and guard.stages for guard in ACTS.values())
