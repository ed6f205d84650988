"""The referrals service on a real database: doors, progress, withdrawal."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.door import ReferralAcknowledged, ReferralProgressed, ReferralWithdrawalRequested
from contracts.matching import NeedWaiting, OfferAccepted, OfferMade, SupportEnded
from contracts.referrals import NeedStatusChanged, ReferralClosed, ReferralReceived, ReferralWithdrawn
from contracts.refusal import MessageRefused
from tests.referrals.builders import a_person, a_referral
from tests.support import NOON, Stage, said


async def test_a_referral_is_scored_kept_sealed_and_acknowledged(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral())
    (received,), (acknowledged,) = said(told, ReferralReceived), said(told, ReferralAcknowledged)
    assert received.priority.model_dump() == {"score": 40, "groups": 2, "area_step": 10, "policy": "leeds-1"}
    assert received.schemes == ["scheme:databank"]
    assert [need.kind for need in acknowledged.needs] == ["device", "champion"]
    (person,) = await on_stage.rows("select * from person")
    assert b"Example" not in person["sealed"]


async def test_the_same_submission_is_done_once_and_answered_alike(on_stage: Stage) -> None:
    first = said(await on_stage.receive("gp-armley", a_referral(), submission_id="a1"), ReferralAcknowledged)
    again = await on_stage.receive("gp-armley", a_referral(), submission_id="a1")
    assert said(again, ReferralAcknowledged) == first
    assert not said(again, ReferralReceived)
    other = await on_stage.receive("gp-armley", a_referral(reference="GP-2"), submission_id="a1")
    assert said(other, MessageRefused)[0].errors[0].rule == "same-id-other-body"
    neighbour = await on_stage.receive("food-bank", a_referral(reference="FB-2"), submission_id="a1")
    assert said(neighbour, ReferralReceived)
    assert len(await on_stage.rows("select 1 from referral")) == 2


async def test_a_refused_submission_does_not_use_up_its_id(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral(ward="E05000001"), submission_id="a1")
    (refused,) = said(told, MessageRefused)
    assert (refused.submission_id, refused.reference, refused.errors[0].rule) == ("a1", "GP-1042", "unknown-ward")
    mended = await on_stage.receive("gp-armley", a_referral(), submission_id="a1")
    assert said(mended, ReferralAcknowledged)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"agreement": {"by": "person", "given_on": "2026-11-22"}}, "in-future"),
        ({"agreement": {"by": "person", "given_on": "2026-01-01", "until": "2026-11-01"}}, "lapsed"),
        ({"needs": [{"kind": "device"}, {"kind": "device"}]}, "kind-twice"),
        ({"serve_ward": "E05000001"}, "unknown-ward"),
    ],
)
async def test_a_rule_that_is_broken_is_named(on_stage: Stage, changes: dict[str, Any], rule: str) -> None:
    told = await on_stage.receive("gp-armley", a_referral(**changes))
    assert [error.rule for error in said(told, MessageRefused)[0].errors] == [rule]
    assert not await on_stage.rows("select 1 from referral")


async def _referred(stage: Stage) -> tuple[UUID, list[UUID]]:
    (received,) = said(await stage.receive("gp-armley", a_referral()), ReferralReceived)
    return received.referral_id, [need.need_id for need in received.needs]


def _offer(referral: UUID, need: UUID) -> OfferMade:
    return OfferMade(
        referral_id=referral,
        need_id=need,
        offer_id=uuid4(),
        place_id="p",
        provider="library",
        kind="device",
        rank_key=NOON,
        expires_at=NOON,
        decision=1,
    )


async def test_a_need_follows_the_facts_of_matching_until_the_referral_closes(on_stage: Stage) -> None:
    referral, (device, champion) = await _referred(on_stage)
    accepted = OfferAccepted(referral_id=referral, need_id=device, offer_id=uuid4(), place_id="p", provider="library")
    helped = SupportEnded(referral_id=referral, need_id=device, provider="library", at=NOON, outcome="helped")
    moved = await on_stage.hear(_offer(referral, device), accepted, helped)
    assert [change.status for change in said(moved, NeedStatusChanged)] == ["offered", "accepted", "completed"]
    assert [told.status for told in said(moved, ReferralProgressed)] == ["offered", "accepted", "completed"]
    assert not said(moved, ReferralClosed)
    gone = await on_stage.receive(
        "gp-armley", ReferralWithdrawalRequested(referral_id=referral, need_id=champion, reason="no-longer-needed")
    )
    assert said(gone, ReferralWithdrawn)[0].need_ids == [champion]
    assert said(gone, ReferralClosed)


@pytest.mark.invariant(4)
async def test_an_open_need_has_an_owner_and_a_dated_next_action(on_stage: Stage) -> None:
    referral, (device, champion) = await _referred(on_stage)
    waiting = NeedWaiting(referral_id=referral, need_id=champion, kind="champion", rank_key=NOON)
    await on_stage.hear(_offer(referral, device), waiting)
    rows = await on_stage.rows("select next_by, next_on, next_what from need")
    assert all(row["next_by"] and row["next_on"] and row["next_what"] for row in rows)


async def test_a_fact_that_comes_late_is_recorded_as_superseded(on_stage: Stage) -> None:
    referral, (device, _) = await _referred(on_stage)
    await on_stage.receive("gp-armley", ReferralWithdrawalRequested(referral_id=referral, reason="died"))
    assert not said(await on_stage.hear(_offer(referral, device)), NeedStatusChanged)
    rows = await on_stage.rows("select fact, superseded from need_history where need_id = $1 order by id", device)
    assert rows == [
        {"fact": "ReferralWithdrawalRequested", "superseded": False},
        {"fact": "OfferMade", "superseded": True},
    ]


async def test_another_partners_referral_looks_like_one_that_is_not_there(on_stage: Stage) -> None:
    referral, _ = await _referred(on_stage)
    for partner, asked in (("food-bank", referral), ("gp-armley", uuid4())):
        told = await on_stage.receive(partner, ReferralWithdrawalRequested(referral_id=asked, reason="other"))
        assert [error.rule for error in said(told, MessageRefused)[0].errors] == ["not-found"]
    assert not await on_stage.rows("select 1 from need where status <> 'requested'")


async def test_a_person_without_ward_is_helped_city_wide_at_the_published_default(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral(a_person(circumstances={}), ward="protected"))
    (received,) = said(told, ReferralReceived)
    assert (received.ward, received.area, received.priority.area_step) == (None, "protected", 5)


async def test_a_submission_that_stands_twice_in_one_poll_is_done_once_and_answered_twice(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral(), a_referral(), submission_id="a1")
    assert len(said(told, ReferralReceived)) == 1
    first, second = said(told, ReferralAcknowledged)
    assert first == second


async def test_a_mended_submission_in_the_same_poll_is_accepted(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral(ward="E05000001"), a_referral(), submission_id="a1")
    assert len(said(told, MessageRefused)) == len(said(told, ReferralAcknowledged)) == 1


async def test_an_agreement_given_just_after_midnight_in_summer_is_of_today(on_stage: Stage) -> None:
    on_stage.clock.at = datetime(2027, 7, 1, 23, 30, tzinfo=UTC)
    agreement = {"by": "person", "given_on": "2027-07-02"}
    assert said(await on_stage.receive("gp-armley", a_referral(agreement=agreement)), ReferralAcknowledged)
