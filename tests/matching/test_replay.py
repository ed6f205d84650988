"""The log of decisions: from what matching said alone, anyone can tell who was next and why."""

from datetime import UTC, date, datetime

import pytest

from contracts.matching import (
    GapRecorded,
    NeedWaiting,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    QueueChanged,
)
from contracts.referrals import NeedAnswered
from services.matching.domain.replay import Fact, replay
from services.matching.events_out import Due
from tests.matching.builders import ARMLEY, HAREHILLS, Matching, amended, id_of, place, referral, withdrawal
from tests.matching.log import facts_said, must_replay
from tests.support import NOON, said


def changed(fact: Fact, **of: object) -> Fact:
    return fact.model_copy(update=of)


@pytest.mark.invariant(8)
async def test_what_was_decided_follows_from_the_facts_alone(matching: Matching) -> None:
    await matching.hear(referral(1, score=10), referral(2), referral(3, ward=HAREHILLS, score=90))
    first, second = said(await matching.open(place(capacity=2, wards=[ARMLEY])), OfferMade)
    await matching.accept(first)
    await matching.decline(second)
    await matching.hear(referral(4), withdrawal(4))
    replays = await must_replay(matching.stage)
    assert [(each.waited, each.before) for each in replays["device"].decisions] == [(3, 1), (3, 1), (3, 2)]


@pytest.mark.invariant(8)
async def test_a_need_that_pauses_is_not_in_the_queue_until_it_is_said_to_wait(matching: Matching) -> None:
    first = referral(1, score=50, not_before=date(2026, 12, 1))
    told = await matching.hear(first, referral(2))
    assert [(fact.need_id, fact.state) for fact in said(told, QueueChanged)] == [(id_of(1), "paused")]
    await matching.open(place(capacity=1))
    assert [fact.need_id for fact in said(await matching.hear(amended(first)), NeedWaiting)] == [id_of(1)]
    await matching.open(place(capacity=2))
    await must_replay(matching.stage)


@pytest.mark.invariant(8)
async def test_whom_a_need_must_not_meet_is_part_of_what_it_asks(matching: Matching) -> None:
    told = await matching.hear(referral(1), amended(referral(1), barred=["library"]))
    assert [gap.asks and gap.asks.barred for gap in said(told, GapRecorded)] == [[], ["library"]]
    await matching.open(place())
    await must_replay(matching.stage)


@pytest.mark.invariant(8)
async def test_who_said_no_to_a_place_is_not_given_it_again(matching: Matching) -> None:
    await matching.open(place())
    await matching.offered(referral(1))
    answer = NeedAnswered(referral_id=id_of(1001), need_id=id_of(1), answer="no", at=NOON)
    (ended,) = said(await matching.hear(answer), OfferWithdrawn)
    assert ended.bars
    await matching.open(place(capacity=3))
    await matching.hear(referral(2))
    await must_replay(matching.stage)


async def test_a_need_that_leaves_without_help_is_told(matching: Matching) -> None:
    await matching.hear(referral(1), referral(2))
    (left,) = said(await matching.hear(withdrawal(1)), QueueChanged)
    assert (left.need_id, left.state, left.after) == (id_of(1), "left", 0)


@pytest.mark.invariant(8)
async def test_a_place_that_opens_on_its_day_is_told(matching: Matching) -> None:
    await matching.hear(referral(1))
    await matching.open(place(opens_on=date(2026, 12, 1), closes_on=date(2026, 12, 1)))
    for day in (1, 2):
        matching.stage.clock.at = datetime(2026, 12, day, tzinfo=UTC)
        (turned,) = said(await matching.stage.result(Due(place=("library", "tablets"))), PlaceChanged)
        assert turned.state == ("open", "closed")[day - 1]
    await must_replay(matching.stage)


async def test_a_match_that_the_rules_do_not_make_is_found(matching: Matching) -> None:
    """Each fact that a decision rests on, changed or taken away, changes what follows from the log."""
    await matching.hear(referral(1, score=50), referral(2))
    await matching.open(place(wards=[ARMLEY]))
    facts = await facts_said(matching.stage)
    assert not replay(facts)["device"].unlike

    def unlike(*those: Fact) -> bool:
        return bool(replay(those)["device"].unlike)

    (made,) = [fact for fact in facts if isinstance(fact, OfferMade)]
    others = [fact for fact in facts if fact is not made]
    assert unlike(*others, changed(made, need_id=id_of(2)))
    assert unlike(*others, changed(made, rank_key=datetime(2027, 1, 1, tzinfo=UTC)))
    assert unlike(made, *(fact for fact in others if not isinstance(fact, PlaceOpened)))
    assert replay([changed(fact, decision=2) if fact is made else fact for fact in facts])["device"].holes == [1]


async def test_facts_that_do_not_tell_what_they_rest_on_are_counted(matching: Matching) -> None:
    await matching.hear(referral(1))
    facts = [changed(fact, after=None) for fact in await facts_said(matching.stage)]
    assert replay(facts)["device"].untold == 1


async def test_matches_made_together_have_the_same_past(matching: Matching) -> None:
    await matching.hear(referral(1), referral(2))
    both = said(await matching.open(place(capacity=2)), OfferMade)
    assert [(made.after, made.decision) for made in both] == [(0, 1), (0, 2)]
    (waits,) = said(await matching.hear(referral(3)), NeedWaiting)
    assert (waits.after, waits.asks and waits.asks.ward) == (2, ARMLEY)
