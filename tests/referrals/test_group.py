"""A group of referrals: each is one of its own."""

from typing import Any

from chassis.decode import partner_event
from chassis.facts import Fact
from chassis.work import Batch
from contracts.changes import GroupReferralAcknowledged, GroupReferralSubmitted
from contracts.door import ReferralAcknowledged
from contracts.referrals import ReferralReceived
from contracts.refusal import MessageRefused
from tests.referrals.builders import a_referral
from tests.support import Stage, said


def a_group(*changes: dict[str, Any]) -> GroupReferralSubmitted:
    referrals = [a_referral(reference=f"CARE-{nth}", **changed) for nth, changed in enumerate(changes)]
    each = [referral.model_dump(mode="json") for referral in referrals]
    return GroupReferralSubmitted.model_validate({"group": "CARE-7", "referrals": each})


async def test_each_of_a_group_is_a_referral_of_its_own_and_answered_for_itself(on_stage: Stage) -> None:
    group = a_group({}, {"ward": "E05000001"}, {"person_jwe": "a.b.c.d.e"}, {})
    told = await on_stage.receive("care-home", group, submission_id="g1")
    assert [(answer.submission_id, answer.reference) for answer in said(told, ReferralAcknowledged)] == [
        ("g1/0", "CARE-0"),
        ("g1/3", "CARE-3"),
    ]
    assert {refused.submission_id: refused.errors[0].rule for refused in said(told, MessageRefused)} == {
        "g1/1": "unknown-ward",
        "g1/2": "no-jwe",
    }
    (together,) = said(told, GroupReferralAcknowledged)
    assert [bool(answer.referral_id) for answer in together.answers] == [True, False, False, True]
    assert len({received.person_ref for received in said(told, ReferralReceived)}) == 2


async def test_the_same_group_again_is_done_once_and_answered_alike(on_stage: Stage) -> None:
    group = a_group({}, {})
    first = said(await on_stage.receive("care-home", group, submission_id="g1"), GroupReferralAcknowledged)
    again = await on_stage.receive("care-home", group, submission_id="g1")
    assert said(again, GroupReferralAcknowledged) == first
    assert len(await on_stage.rows("select 1 from referral")) == 2


async def test_one_of_a_group_that_was_refused_is_sent_again_on_its_own(on_stage: Stage) -> None:
    await on_stage.receive("care-home", a_group({}, {"ward": "E05000001"}), submission_id="g1")
    mended = await on_stage.receive("care-home", a_referral(reference="CARE-1"), submission_id="g2")
    assert said(mended, ReferralAcknowledged)


async def test_two_partners_that_call_their_groups_alike_hear_each_of_their_own(on_stage: Stage) -> None:
    prepare = on_stage.service.prepare[GroupReferralSubmitted]
    kind, at = GroupReferralSubmitted.spec.type, on_stage.clock()
    events = [partner_event(name, "g1", prepare(a_group({})), kind, at) for name in ("care-home", "hotel-leeds")]
    outcome = await on_stage.worker.run(Batch("referrals.inbox", events))
    made = {received.partner: received.referral_id for received in said(outcome.said, ReferralReceived)}
    told = {
        fact.to: fact.data.answers[0].referral_id
        for fact in outcome.said
        if isinstance(fact, Fact) and isinstance(fact.data, GroupReferralAcknowledged)
    }
    assert told == made
