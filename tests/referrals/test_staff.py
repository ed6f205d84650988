"""What staff do to referrals and to the priority policy, on a real database."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.door import ReferralProgressed
from contracts.referrals import (
    NeedAmended,
    ReferralAmended,
    ReferralClosed,
    ReferralWithdrawn,
)
from services.referrals.handlers.policies import AdoptPolicy
from services.referrals.handlers.staff import (
    AnswerForPerson,
    BarProvider,
    ClearHomeVisit,
    MarkError,
    PauseNeed,
    RejectNeed,
    ResumeNeed,
    SetLane,
)
from tests.referrals.acting import (
    BY_STAFF,
    OTHER_WARD,
    TODAY,
    act,
    amend,
    day,
    offered,
    refer,
    rules,
    statuses,
    told_matching,
)
from tests.support import Stage, said


async def test_staff_pause_and_resume_a_need(on_stage: Stage) -> None:
    received = await offered(on_stage)
    paused = await act(on_stage, PauseNeed, received)
    assert statuses(paused) == [("on-hold", "paused-by-staff")]
    assert told_matching(paused) == [(True, None)]
    resumed = await act(on_stage, ResumeNeed, received)
    assert told_matching(resumed) == [(False, None)]
    assert rules(await act(on_stage, ResumeNeed, received)) == ["illegal-move"]
    acts = await on_stage.rows("select act, who, why, need_id from staff_act order by id")
    need = received.needs[0].need_id
    assert acts == [
        {"act": name, "who": "ann", "why": "a reason", "need_id": need} for name in ("PauseNeed", "ResumeNeed")
    ]


async def test_a_provider_is_barred_for_a_person(on_stage: Stage) -> None:
    received = await offered(on_stage)
    told = await act(on_stage, BarProvider, received, provider="library")
    (need,) = said(told, ReferralAmended)[0].needs
    assert need.barred == ["library"]


async def test_a_home_visit_waits_for_the_recorded_check(on_stage: Stage) -> None:
    received = await refer(on_stage, needs=[{"kind": "champion", "requirements": ["home-visit"]}])
    assert await on_stage.rows("select status, reason from need") == [{"status": "on-hold", "reason": "risk-check"}]
    assert rules(await act(on_stage, ResumeNeed, received)) == ["illegal-move"]
    told = await act(on_stage, ClearHomeVisit, received)
    needs: list[NeedAmended] = said(told, ReferralAmended)[0].needs
    assert [(need.paused, need.home_visit_cleared) for need in needs] == [(False, True)]


async def test_urgent_has_an_end(on_stage: Stage) -> None:
    received = await refer(on_stage)
    assert rules(await act(on_stage, SetLane, received, lane="urgent")) == ["missing"]
    until = TODAY + timedelta(days=5)
    (amended,) = said(await act(on_stage, SetLane, received, lane="urgent", until=until), ReferralAmended)
    assert (amended.lane, amended.lane_until) == ("urgent", until)
    (back,) = said(await day(on_stage, until + timedelta(days=1)), ReferralAmended)
    assert (back.lane, back.lane_until) == ("routine", None)


async def test_a_referral_made_in_error_is_undone_and_told_to_all(on_stage: Stage) -> None:
    received = await offered(on_stage)
    told = await act(on_stage, MarkError, received, reason="wrong-person")
    assert statuses(told) == [("entered-in-error", "wrong-person")]
    assert said(told, ReferralWithdrawn)
    assert said(told, ReferralClosed)
    assert said(told, ReferralProgressed)
    assert rules(await act(on_stage, MarkError, received, reason="wrong-person")) == ["not-found"]


async def test_a_need_is_rejected_with_a_reason(on_stage: Stage) -> None:
    received = await refer(on_stage)
    told = await act(on_stage, RejectNeed, received, reason="not-eligible")
    assert statuses(told) == [("rejected", "not-eligible")]
    assert said(told, ReferralWithdrawn)
    assert rules(await act(on_stage, RejectNeed, received, reason="not-eligible")) == ["illegal-move"]
    assert rules(await act(on_stage, PauseNeed, received)) == ["illegal-move"]


async def test_staff_write_down_what_the_person_said(on_stage: Stage) -> None:
    received = await offered(on_stage)
    assert statuses(await act(on_stage, AnswerForPerson, received, answer="no")) == [("on-hold", "said-no")]
    assert rules(await act(on_stage, AnswerForPerson, received, answer="no")) == ["illegal-move"]


POLICY: dict[str, Any] = {
    **BY_STAFF,
    "version": "leeds-2",
    "points_a_group": 20,
    "area_steps": [{"decile_up_to": d, "points": p} for d, p in ((1, 10), (4, 5), (10, 0))],
    "default_decile": 5,
    "groups": [
        {"name": "money", "codes": ["low-income", "urgent-money-need"]},
        {
            "name": "health-or-disability",
            "codes": ["long-term-condition", "disability", "learning-disability", "mental-health", "drug-or-alcohol"],
        },
        {"name": "communication", "codes": ["needs-english", "needs-interpreter", "needs-reading-support"]},
        {"name": "housing-or-safety", "codes": ["homeless", "no-right-to-work", "domestic-abuse"]},
        {"name": "isolation", "codes": ["offline", "no-support-network"]},
    ],
    "approved_by": "Digital Inclusion Board",
    "approved_on": "2026-11-19",
    "equality_note": "No group with a protected characteristic is placed further back by this.",
    "words": "Each of the five groups of barriers gives twenty points.",
}


async def test_a_new_policy_scores_what_comes_and_leaves_what_was_scored(on_stage: Stage) -> None:
    before = await refer(on_stage)
    assert not rules(await on_stage.result(AdoptPolicy.model_validate(POLICY)))
    after = await refer(on_stage, reference="GP-2")
    assert (before.priority.policy, before.priority.score) == ("leeds-1", 40)
    assert (after.priority.policy, after.priority.score) == ("leeds-2", 50)
    (amended,) = said(await amend(on_stage, before, ward=OTHER_WARD), ReferralAmended)
    assert (amended.priority.policy, amended.priority.score) == ("leeds-1", 30)


def _without_a_second_code() -> list[dict[str, Any]]:
    _, health, *others = POLICY["groups"]
    return [
        {"name": "money", "codes": ["low-income"]},
        {**health, "codes": [*health["codes"], "urgent-money-need"]},
        *others,
    ]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"version": "leeds-2"}, "adopted-before"),
        ({"groups": _without_a_second_code()}, "reveals-a-circumstance"),
        ({"groups": POLICY["groups"][:-1]}, "not-every-one-once"),
        ({"groups": [*POLICY["groups"][:-1], POLICY["groups"][0]]}, "not-every-one-once"),
        ({"area_steps": POLICY["area_steps"][::-1]}, "not-in-order"),
    ],
    ids=["twice", "one code", "a group missing", "a group twice", "steps"],
)
async def test_a_policy_that_would_not_do_is_refused(on_stage: Stage, changes: dict[str, Any], rule: str) -> None:
    await on_stage.result(AdoptPolicy.model_validate(POLICY))
    told = await on_stage.result(AdoptPolicy.model_validate({**POLICY, "version": "leeds-3", **changes}))
    assert rules(told) == [rule]
    (row,) = await on_stage.rows("select count(*) as policies from policy")
    assert row["policies"] == 1
