from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.grants import Question, RoundRules
from contracts.refusal import FieldError
from services.grants.domain.rounds import Round, amount_errors, pounds, round_errors, stage_errors, time_errors

OPENS = datetime(2026, 11, 1, 9, tzinfo=UTC)
CLOSES = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
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
    assert rules(time_errors(ROUND, received_at)) == refused


def test_who_is_late_is_told_both_times_in_london() -> None:
    summer = Round("summer", "fund", 100, 100, 1, OPENS, datetime(2027, 6, 30, 11, tzinfo=UTC))
    (error,) = time_errors(summer, datetime(2027, 6, 30, 11, 0, 1, tzinfo=UTC))
    assert error.message == (
        "The round closed at 12:00:00 on 30 June 2027 (Europe/London). "
        "Your application came at 12:00:01 on 30 June 2027 (Europe/London)."
    )


@pytest.mark.parametrize(
    ("pence", "refused"),
    [(1_000_00, []), (1_000_01, ["over-maximum"]), (100_00, []), (99_99, ["under-minimum"])],
)
def test_an_application_stays_between_minimum_and_maximum(pence: int, refused: list[str]) -> None:
    assert rules(amount_errors(ROUND, pence)) == refused


def test_an_unknown_round_takes_nothing() -> None:
    assert rules(time_errors(None, OPENS)) == ["unknown-round"]


def test_every_thing_wrong_with_a_round_is_said_at_once() -> None:
    wanted = Round("winter", "other", 100, 200, 300, CLOSES, OPENS)
    before = Round("winter", "fund", 1000, 200, 1, OPENS, CLOSES)
    assert rules(round_errors(wanted, before, OPENS - DAY, fund_is_open=False)) == [
        "unknown-fund",
        "closes-before-it-opens",
        "minimum-above-maximum",
        "maximum-above-budget",
        "illegal-move",
    ]


@pytest.mark.parametrize(("pence", "text"), [(0, "£0"), (150, "£1.50"), (1_000_000_00, "£1,000,000"), (5, "£0.05")])
def test_money_is_written_in_pounds(pence: int, text: str) -> None:
    assert pounds(pence) == text


GRACE = replace(ROUND, rules=RoundRules(grace_minutes=10))


@pytest.mark.parametrize(
    ("drafted_at", "received_at", "refused"),
    [
        (CLOSES - DAY, CLOSES, []),
        (CLOSES - DAY, CLOSES + timedelta(minutes=10) - timedelta(microseconds=1), []),
        (CLOSES - DAY, CLOSES + timedelta(minutes=10), ["closed"]),
        (CLOSES, CLOSES + timedelta(minutes=5), ["closed"]),
        (None, CLOSES, ["closed"]),
    ],
)
def test_a_draft_begun_before_the_close_may_be_submitted_within_the_grace(
    drafted_at: datetime | None, received_at: datetime, refused: list[str]
) -> None:
    assert rules(time_errors(GRACE, received_at, drafted_at)) == refused


def test_changes_that_staff_asked_for_have_a_deadline_of_their_own() -> None:
    until = CLOSES + 3 * DAY
    assert not time_errors(ROUND, until - timedelta(seconds=1), CLOSES - DAY, until)
    assert rules(time_errors(ROUND, until, CLOSES - DAY, until)) == ["closed"]
    assessed = replace(ROUND, stage="assessing")
    assert rules(time_errors(assessed, until - timedelta(seconds=1), CLOSES - DAY, until)) == ["closed"]


def test_a_round_that_has_opened_is_amended_with_a_reason() -> None:
    longer = replace(ROUND, closes_at=CLOSES + DAY)
    assert rules(round_errors(longer, ROUND, OPENS, fund_is_open=True)) == ["missing"]
    assert not round_errors(longer, ROUND, OPENS, fund_is_open=True, why="the site was down")
    assert not round_errors(longer, ROUND, OPENS - DAY, fund_is_open=True)
    assert not round_errors(ROUND, ROUND, OPENS, fund_is_open=True)


def test_a_round_is_not_amended_once_it_is_assessed() -> None:
    assessed = replace(ROUND, stage="assessing")
    assert rules(round_errors(ROUND, assessed, CLOSES, fund_is_open=True, why="x")) == ["illegal-move"]


def test_two_questions_of_one_code_are_refused() -> None:
    twice = RoundRules(questions=[Question(code="uk", text="In Leeds?"), Question(code="uk", text="Really?")])
    assert rules(round_errors(replace(ROUND, rules=twice), None, OPENS, fund_is_open=True)) == ["twice"]


NOTHING = {"awaited": 0, "unassessed": 0, "undecided": 0}


@pytest.mark.parametrize(
    ("stage", "to", "at", "held", "refused"),
    [
        ("applications", "assessing", CLOSES, {}, []),
        ("applications", "assessing", CLOSES - timedelta(seconds=1), {}, ["illegal-move"]),
        ("applications", "assessing", CLOSES, {"awaited": 1}, ["changes-awaited"]),
        ("applications", "deciding", CLOSES, {}, ["illegal-move"]),
        ("assessing", "deciding", CLOSES, {}, []),
        ("assessing", "deciding", CLOSES, {"unassessed": 2}, ["not-assessed"]),
        ("deciding", "finished", CLOSES, {}, []),
        ("deciding", "finished", CLOSES, {"undecided": 2}, ["not-decided"]),
        ("deciding", "cancelled", CLOSES, {}, ["illegal-move"]),
        ("applications", "cancelled", OPENS, {"undecided": 2, "awaited": 1}, []),
        ("finished", "assessing", CLOSES, {}, ["illegal-move"]),
    ],
)
def test_a_round_moves_on_only_when_its_stage_is_done(
    stage: Any, to: Any, at: datetime, held: dict[str, int], refused: list[str]
) -> None:
    assert rules(stage_errors(replace(ROUND, stage=stage), to, at, **{**NOTHING, **held})) == refused


def test_the_clock_says_whether_a_round_is_open() -> None:
    moments = (OPENS - timedelta(seconds=1), OPENS, CLOSES - timedelta(seconds=1), CLOSES)
    assert [ROUND.phase(at) for at in moments] == ["planned", "open", "open", "closed"]
    assert replace(ROUND, stage="deciding").phase(OPENS) == "deciding"
