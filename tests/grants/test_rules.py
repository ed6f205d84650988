from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.refusal import FieldError
from services.grants.domain.awards import Application, Award, Book
from services.grants.domain.rounds import Round, application_errors, pounds, round_errors

OPENS = datetime(2026, 11, 1, 9, tzinfo=UTC)
CLOSES = datetime(2026, 12, 1, 12, tzinfo=UTC)
ROUND = Round("winter", "fund", 10_000_00, 1_000_00, 100_00, OPENS, CLOSES)


def rules(errors: Sequence[FieldError]) -> list[str]:
    return [error.rule for error in errors]


@pytest.mark.parametrize(
    ("received_at", "refused"),
    [
        (OPENS - timedelta(microseconds=1), ["not-open-yet"]),
        (OPENS, []),
        (CLOSES - timedelta(microseconds=1), []),
        (CLOSES, ["closed"]),
        (CLOSES + timedelta(days=1), ["closed"]),
    ],
)
def test_a_round_takes_applications_from_its_opening_until_before_its_close(
    received_at: datetime, refused: list[str]
) -> None:
    assert rules(application_errors(ROUND, 500_00, received_at)) == refused


def test_who_is_late_is_told_both_times_in_london() -> None:
    summer = Round("summer", "fund", 100, 100, 1, OPENS, datetime(2027, 6, 30, 11, tzinfo=UTC))
    (error,) = application_errors(summer, 50, datetime(2027, 6, 30, 11, 0, 1, tzinfo=UTC))
    assert error.message == (
        "The round closed at 12:00:00 on 30 June 2027 (Europe/London). "
        "Your application came at 12:00:01 on 30 June 2027 (Europe/London)."
    )


@pytest.mark.parametrize(
    ("pence", "refused"),
    [(1_000_00, []), (1_000_01, ["over-maximum"]), (100_00, []), (99_99, ["under-minimum"])],
)
def test_an_application_stays_between_minimum_and_maximum(pence: int, refused: list[str]) -> None:
    assert rules(application_errors(ROUND, pence, OPENS)) == refused


def test_an_unknown_round_takes_nothing() -> None:
    assert rules(application_errors(None, 1, OPENS)) == ["unknown-round"]


def test_every_thing_wrong_with_a_round_is_said_at_once() -> None:
    wanted = Round("winter", "other", 100, 200, 300, CLOSES, OPENS)
    before = Round("winter", "fund", 1000, 200, 1, OPENS, CLOSES, awarded_pence=500)
    assert rules(round_errors(wanted, before, fund_is_open=False)) == [
        "unknown-fund",
        "closes-before-it-opens",
        "minimum-above-maximum",
        "maximum-above-budget",
        "over-budget",
        "illegal-move",
    ]


def test_a_budget_may_be_lowered_to_what_is_awarded() -> None:
    before = Round("winter", "fund", 1000, 200, 1, OPENS, CLOSES, awarded_pence=500)
    assert not round_errors(Round("winter", "fund", 500, 200, 1, OPENS, CLOSES), before, fund_is_open=True)


@pytest.mark.parametrize(("pence", "text"), [(0, "£0"), (150, "£1.50"), (1_000_000_00, "£1,000,000"), (5, "£0.05")])
def test_money_is_written_in_pounds(pence: int, text: str) -> None:
    assert pounds(pence) == text


def book(budget: int, asked: Sequence[int]) -> Book:
    ids = [UUID(int=n) for n in range(len(asked))]
    applications = {
        each: Application(each, "winter", "GB-CHC-1110522", pence, "submitted")
        for each, pence in zip(ids, asked, strict=True)
    }
    return Book(applications, {"winter": Round("winter", "fund", budget, budget, 1, OPENS, CLOSES)})


def test_an_application_is_decided_once() -> None:
    decided = book(1000, [100, 100])
    assert isinstance(decided.award(UUID(int=0), 100, "ann"), Award)
    decided.decline(UUID(int=1), "outside-budget", "ann")
    again = [
        decided.award(UUID(int=0), 100, "ann"),
        decided.decline(UUID(int=0), "outside-budget", "ann"),
        decided.award(UUID(int=1), 100, "ann"),
        decided.decline(UUID(int=1), "outside-budget", "ann"),
    ]
    assert [refused.rule for refused in again if isinstance(refused, FieldError)] == ["illegal-move"] * 4


def test_an_award_is_at_most_what_was_asked() -> None:
    refused = book(1000, [100]).award(UUID(int=0), 101, "ann")
    assert isinstance(refused, FieldError)
    assert refused.rule == "over-asked"


def test_an_unknown_application_is_not_found() -> None:
    refused = book(1000, []).award(UUID(int=7), 1, "ann")
    assert isinstance(refused, FieldError)
    assert refused.rule == "not-found"


@pytest.mark.invariant(6)
@given(st.integers(1, 1000), st.lists(st.integers(1, 600), max_size=12))
def test_awards_of_one_book_never_exceed_the_budget_and_none_that_fits_is_refused(
    budget: int, asked: list[int]
) -> None:
    decided, left = book(budget, asked), budget
    for n, pence in enumerate(asked):
        award = decided.award(UUID(int=n), pence, "ann")
        assert isinstance(award, Award) == (pence <= left)
        left -= pence if isinstance(award, Award) else 0
    assert decided.rounds["winter"].remaining_pence == left >= 0
