"""Reporting forgets an erased referral, and what it counts and publishes stays as true as it was."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.matching import GapRecorded, NeedEscalated, NeedWaiting, OfferMade, OfferWithdrawn, SupportStarted
from contracts.message import Message
from contracts.notifications import NotificationSent
from contracts.referrals import PersonErased, ReferralClosed, ReferralWithdrawn
from contracts.reporting import ErasureConfirmed
from contracts.stock import LoanChanged
from tests.reporting.builders import a, dump, empty, moved, need_id, received, referral_id
from tests.support import Stage, said

OF_ONE = {"referral_id": referral_id(1), "need_id": need_id(1)}
OF_REFERRALS = (
    received(1),
    a(ReferralWithdrawn, referral_id=referral_id(1), need_ids=[need_id(1)], reason="moved-away"),
    moved(1, "cancelled", reason="erased"),
    a(ReferralClosed, referral_id=referral_id(1)),
    PersonErased(referral_id=referral_id(1)),
)
OF_OTHERS = (
    a(NeedWaiting, **OF_ONE),
    a(OfferMade, **OF_ONE),
    a(OfferWithdrawn, **OF_ONE),
    a(SupportStarted, **OF_ONE),
    a(GapRecorded, **OF_ONE),
    a(NeedEscalated, **OF_ONE),
    a(LoanChanged, **OF_ONE),
    a(NotificationSent, **OF_ONE),
)


async def hear(stage: Stage, facts: Sequence[Message]) -> dict[str, list[dict[str, Any]]]:
    """What the tables are after these, one at a time, with another referral that is left alone."""
    await empty(stage)
    await stage.rows("delete from forgotten")
    for fact in (received(2), *facts):
        await stage.hear(fact)
    return await dump(stage)


async def test_kind_area_status_times_and_the_band_of_the_score_stay_so_that_they_are_counted(on: Stage) -> None:
    before = await hear(on, (*OF_REFERRALS[:-1], *OF_OTHERS))
    after = await hear(on, (*OF_REFERRALS[:-1], *OF_OTHERS, OF_REFERRALS[-1]))
    assert not any(after[table] for table in ("offer", "support", "gap", "notification", "loan", "escalation"))
    (need, _), (of_before, _) = after["need"], before["need"]
    assert need == {**of_before, "reason": None, "withdrawn_for": None, "rank_key": None, "queued_at": None}
    (referral, _), (was, _) = after["referral"], before["referral"]
    assert was["score"] == 40
    assert referral == {**was, "score": 21}


@pytest.mark.invariant(1)
async def test_it_does_not_matter_what_of_other_services_was_heard_before(on: Stage) -> None:
    ends = [await hear(on, (*OF_OTHERS[:n], *OF_REFERRALS, *OF_OTHERS[n:])) for n in range(len(OF_OTHERS) + 1)]
    assert all(end == ends[0] for end in ends)
    assert await hear(on, (*OF_REFERRALS[:2], *OF_OTHERS, *OF_REFERRALS[2:])) == ends[0]


async def test_it_confirms_each(on: Stage) -> None:
    told = await on.hear(PersonErased(referral_id=referral_id(1)), PersonErased(referral_id=referral_id(2)))
    assert [fact.referral_id for fact in said(told, ErasureConfirmed)] == [referral_id(1), referral_id(2)]
