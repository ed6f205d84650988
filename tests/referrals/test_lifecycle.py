"""The life of a need: the table of what may be asked of it, and that it never stands without a next step."""

from datetime import timedelta
from itertools import product
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import TERMINAL, NeedStatus
from services.referrals.domain.lifecycle import (
    AWAITS,
    HOLDS,
    OPEN,
    STEPS,
    STEPS_BY_REASON,
    TABLE,
    Asked,
    Need,
    Request,
    apply,
    keeps_back,
    next_step,
    stalled,
)
from tests.support import NOON

ID = UUID(int=1)
TODAY = NOON.date()
STATUSES: tuple[NeedStatus, ...] = get_args(NeedStatus)
REQUESTS: tuple[Request, ...] = get_args(Request)

ENDS = {"cancelled", "entered-in-error"}
MAY_BECOME: dict[NeedStatus, set[str]] = {
    "requested": {"on-hold", "offered", "accepted", "rejected", *ENDS},
    "on-hold": {"on-hold", "offered", "accepted", "rejected", *ENDS},
    "offered": {"on-hold", "offered", "accepted", "rejected", *ENDS},
    "accepted": {"on-hold", "in-progress", "completed", "failed", *ENDS},
    "in-progress": {"on-hold", "completed", "failed", *ENDS},
    **{end: {"entered-in-error"} for end in TERMINAL},
    "entered-in-error": set(),
}
"""The table of moves, as people are told it; staying with another reason is a move too."""


def a_need(status: NeedStatus = "requested", reason: str | None = "another", hold: str | None = None) -> Need:
    return Need(ID, ID, "device", status, reason, next=next_step(status, NOON, hold), hold=hold)


def asked_rightly(request: Request) -> list[Asked]:
    rule = TABLE[request]
    return [Asked(request, reason, "helped" if rule.outcome else None) for reason in sorted(rule.reasons, key=str)]


ALL_ASKED = [asked for request in REQUESTS for asked in asked_rightly(request)]


@pytest.mark.parametrize("before", STATUSES)
def test_a_need_moves_as_the_table_says_and_in_no_other_way(before: NeedStatus) -> None:
    held = [None, "paused-by-staff"] if before == "on-hold" else [None]
    moved = [apply(a_need(before, hold=hold), asked, NOON) for hold, asked in product(held, ALL_ASKED)]
    assert {need.status for need in moved if need} == MAY_BECOME[before]


def test_every_request_is_in_the_table() -> None:
    assert set(TABLE) == set(REQUESTS)
    assert set(STEPS_BY_REASON) == HOLDS | {"agreement-lapsed", AWAITS}
    assert set(STEPS) == OPEN == set(STATUSES) - TERMINAL


@pytest.mark.parametrize("asked", ALL_ASKED, ids=lambda asked: f"{asked.request} {asked.reason}")
def test_what_is_asked_again_changes_nothing(asked: Asked) -> None:
    for status in STATUSES:
        moved = apply(a_need(status, hold="paused-by-staff" if asked.request == "resume" else None), asked, NOON)
        assert moved is None or apply(moved, asked, NOON) is None


@pytest.mark.parametrize("what", REQUESTS)
def test_a_reason_that_is_no_code_of_the_table_is_refused(what: Request) -> None:
    outcome = "helped" if TABLE[what].outcome else None
    assert not any(apply(a_need(status), Asked(what, "because", outcome), NOON) for status in STATUSES)


@pytest.mark.parametrize("status", ["accepted", "in-progress"])
def test_help_is_not_completed_without_an_outcome(status: NeedStatus) -> None:
    assert apply(a_need(status), Asked("complete"), NOON) is None
    assert apply(a_need(status), Asked("complete", outcome="helped"), NOON)


@pytest.mark.parametrize("what", [request for request, rule in TABLE.items() if rule.unless_held])
def test_what_matching_says_of_a_need_that_is_held_comes_too_late(what: Request) -> None:
    (asked,) = asked_rightly(what)
    assert apply(a_need("on-hold", "not-now", "not-now"), asked, NOON) is None


@pytest.mark.parametrize(
    ("until", "before", "visit", "request_", "reason"),
    [
        (None, None, False, "resume", "waiting-for-place"),
        (TODAY, TODAY, False, "resume", "waiting-for-place"),
        (TODAY - timedelta(1), TODAY + timedelta(1), True, "lapse", "agreement-lapsed"),
        (TODAY, TODAY + timedelta(1), True, "hold", "not-before"),
        (None, None, True, "hold", "risk-check"),
    ],
)
def test_what_holds_a_need_back(until: object, before: object, visit: bool, request_: str, reason: str) -> None:
    asked = keeps_back(until, before, TODAY, unchecked_visit=visit)  # type: ignore[arg-type]  # parameters of the test
    assert (asked.request, asked.reason) == (request_, reason)


histories = st.lists(
    st.builds(
        Asked,
        st.sampled_from(REQUESTS),
        st.sampled_from(sorted({reason or "" for rule in TABLE.values() for reason in rule.reasons})).map(
            lambda reason: reason or None
        ),
        st.sampled_from([None, "helped"]),
    ),
    max_size=20,
)


@pytest.mark.invariant(4)
@given(histories | st.lists(st.sampled_from(ALL_ASKED), max_size=20))
def test_whatever_is_asked_a_need_has_ended_or_has_an_owner_and_a_dated_next_action(history: list[Asked]) -> None:
    need = a_need()
    for days, asked in enumerate(history):
        at = NOON + timedelta(days=days)
        moved = apply(need, asked, at)
        assert moved is None or need.status not in TERMINAL or moved.status == "entered-in-error"
        need = moved or need
        assert (need.next is None) == (need.status in TERMINAL)
        assert moved is None or moved.next is None or moved.next.on > at.date()
        assert not need.hold or need.status == "on-hold"


def test_a_need_whose_day_went_by_is_taken_on_by_the_programme() -> None:
    late = stalled(a_need("offered"), NOON + timedelta(days=8))
    assert late.next
    assert (late.next.by, late.next.on) == ("programme", TODAY + timedelta(days=15))
    assert late.status == "offered"
