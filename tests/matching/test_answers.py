"""What follows an offer: answers, expiry, help given, withdrawal, and what of it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.due import DueWork
from chassis.facts import Fact
from contracts.matching import (
    GapClosed,
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    SupportEnded,
    SupportStarted,
)
from contracts.offers import OfferAnswered, OfferClosed, SupportReported
from contracts.refusal import MessageRefused
from services.matching.events_out import Due
from tests.matching.builders import Matching, id_of, place, referral, withdrawal
from tests.support import said


def rules(told: list[Any]) -> list[tuple[str, str]]:
    return [(refused.errors[0].field, refused.errors[0].rule) for refused in said(told, MessageRefused)]


def closed(told: list[Any]) -> list[tuple[str | None, str]]:
    """To whom an offer was closed, and why."""
    return [(s.to, s.data.reason) for s in told if isinstance(s, Fact) and isinstance(s.data, OfferClosed)]


async def test_an_accepted_place_is_taken(matching: Matching) -> None:
    await matching.open(place())
    told = await matching.accept(await matching.offered(referral(1)))
    assert [(fact.need_id, fact.place_id) for fact in said(told, OfferAccepted)] == [(id_of(1), "tablets")]
    assert closed(told) == [("library", "accepted")]
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 1), "accepted")


async def test_a_declined_place_goes_to_the_next_and_the_need_to_the_next_place(matching: Matching) -> None:
    await matching.open(place())
    first = await matching.offered(referral(1, score=10))
    await matching.hear(referral(2))
    told = await matching.decline(first)
    assert [(fact.need_id, fact.reason) for fact in said(told, OfferDeclined)] == [(id_of(1), "no-capacity")]
    assert closed(told) == [("library", "declined")]
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]
    assert [gap.reasons for gap in said(told, GapRecorded)] == [["no-place-of-kind"]]
    assert [made.need_id for made in said(await matching.open(place("phones")), OfferMade)] == [id_of(1)]


async def test_a_declined_need_waits_where_another_place_suits_it_but_is_full(matching: Matching) -> None:
    await matching.open(place(), place("phones"))
    first, _ = said(await matching.hear(referral(1), referral(2)), OfferMade)
    assert [waiting.need_id for waiting in said(await matching.decline(first), NeedWaiting)] == [first.need_id]


async def test_a_need_is_never_offered_a_place_again_that_declined_it(matching: Matching) -> None:
    await matching.open(place())
    await matching.decline(await matching.offered(referral(1)))
    assert not said(await matching.open(place(capacity=5)), OfferMade)


async def test_an_offer_that_nobody_answers_expires_and_goes_to_the_next(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    await matching.hear(referral(2))
    matching.stage.clock.at = made.expires_at
    told = await matching.stage.result(Due(offer_id=made.offer_id))
    assert [fact.need_id for fact in said(told, OfferExpired)] == [id_of(1)]
    assert closed(told) == [("library", "expired")]
    assert [again.need_id for again in said(told, OfferMade)] == [id_of(2)]
    assert rules(await matching.accept(made)) == [("answer", "illegal-move")]


async def test_the_expiry_is_found_by_the_clock_and_the_table_of_due_work(matching: Matching) -> None:
    await matching.open(place())
    await matching.offered(referral(1))
    due = DueWork(matching.stage.worker, {"Due": (Due, None)}, matching.stage.clock)
    matching.stage.clock.forward(timedelta(days=5))
    assert await due.once() == 1
    matching.stage.clock.forward(timedelta(days=2) - timedelta(seconds=1))
    assert (await due.once(), await matching.state(1)) == (0, "offered")
    matching.stage.clock.forward(timedelta(seconds=1))
    assert (await due.once(), await matching.state(1)) == (1, "waiting")


async def test_the_expiry_of_an_answered_offer_does_nothing(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    await matching.accept(made)
    assert not await matching.stage.result(Due(offer_id=made.offer_id))
    assert await matching.units() == (1, 0, 1)


@pytest.mark.parametrize(("kind", "left"), [("device", 1), ("connectivity", 1), ("skills", 0), ("champion", 0)])
async def test_help_that_ended_frees_the_unit_unless_it_was_given_away(
    matching: Matching, kind: Any, left: int
) -> None:
    await matching.open(place(kind=kind))
    await matching.accept(await matching.offered(referral(1, kind=kind)))
    await matching.hear(referral(2, kind=kind))
    assert [fact.need_id for fact in said(await matching.support(1, "started"), SupportStarted)] == [id_of(1)]
    told = await matching.support(1, "ended", outcome="helped")
    assert [(fact.outcome, fact.handed_back) for fact in said(told, SupportEnded)] == [("helped", False)]
    assert len(said(told, OfferMade)) == 1 - left
    assert await matching.units() == (1, 1 - left, left)
    assert await matching.state(1) == "ended"


async def test_a_device_that_could_not_be_given_stays_in_stock(matching: Matching) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    await matching.hear(referral(2))
    told = await matching.support(1, "ended", reason="could-not-contact")
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]
    assert (await matching.units(), await matching.state(1)) == ((1, 1, 0), "ended")


async def test_help_may_end_without_having_started(matching: Matching) -> None:
    await matching.open(place(kind="champion"))
    await matching.accept(await matching.offered(referral(1, kind="champion")))
    (ended,) = said(await matching.support(1, "ended", reason="could-not-contact"), SupportEnded)
    assert (ended.outcome, ended.reason) == (None, "could-not-contact")


async def test_a_need_handed_back_is_queued_again_with_its_old_rank(matching: Matching) -> None:
    await matching.open(place(), place("phones"))
    first, second = said(await matching.hear(referral(1, score=20), referral(2)), OfferMade)
    await matching.accept(first)
    await matching.hear(referral(3))
    told = await matching.support(1, "handed-back", reason="could-not-help")
    assert [fact.handed_back for fact in said(told, SupportEnded)] == [True]
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(3)]
    assert [made.need_id for made in said(await matching.decline(second), OfferMade)] == [id_of(1)]


@pytest.mark.parametrize(
    ("report", "wrong"),
    [
        ({"state": "ended"}, ("outcome", "outcome-or-reason")),
        ({"state": "ended", "outcome": "helped", "reason": "could-not-help"}, ("outcome", "outcome-or-reason")),
        ({"state": "started", "outcome": "helped"}, ("outcome", "only-when-ended")),
        ({"state": "handed-back", "outcome": "helped"}, ("outcome", "only-when-ended")),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused(
    matching: Matching, report: dict[str, Any], wrong: tuple[str, str]
) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    assert rules(await matching.support(1, **report)) == [wrong]
    assert await matching.state(1) == "accepted"


async def test_a_move_that_cannot_follow_is_refused_and_changes_nothing(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    assert rules(await matching.support(1, "started")) == [("state", "illegal-move")]
    await matching.accept(made)
    assert rules(await matching.accept(made)) == [("answer", "illegal-move")]
    assert rules(await matching.decline(made)) == [("answer", "illegal-move")]
    await matching.support(1, "started")
    assert rules(await matching.support(1, "started")) == [("state", "illegal-move")]
    await matching.support(1, "ended", outcome="not-helped")
    assert rules(await matching.support(1, "handed-back")) == [("state", "illegal-move")]
    assert await matching.units() == (1, 0, 1)


async def test_a_decline_needs_a_reason(matching: Matching) -> None:
    await matching.open(place())
    assert rules(await matching.answer(await matching.offered(referral(1)), "decline")) == [("reason", "missing")]
    assert await matching.state(1) == "offered"


async def test_what_is_anothers_looks_like_what_is_not_there(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    theirs = await matching.answer(made, "accept", by="food-bank")
    unknown = await matching.stage.receive("food-bank", OfferAnswered(offer_id=id_of(77), answer="accept"))
    assert said(theirs, MessageRefused)[0].errors == said(unknown, MessageRefused)[0].errors
    assert rules(theirs) == [("offer_id", "not-found")]
    await matching.accept(made)
    assert rules(await matching.support(1, "started", by="food-bank")) == [("need_id", "not-found")]
    assert rules(await matching.support(77, "started")) == [("need_id", "not-found")]


async def test_answers_of_one_poll_are_folded_in_their_order(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    told = await matching.stage.receive(
        "library",
        OfferAnswered(offer_id=made.offer_id, answer="accept"),
        OfferAnswered(offer_id=made.offer_id, answer="decline", reason="other"),
        SupportReported(need_id=id_of(1), state="started"),
        SupportReported(need_id=id_of(1), state="started"),
        SupportReported(need_id=id_of(1), state="ended", outcome="helped"),
    )
    assert [type(s.data) for s in told if isinstance(s, Fact)] == [
        OfferAccepted,
        OfferClosed,
        MessageRefused,
        SupportStarted,
        MessageRefused,
        SupportEnded,
    ]
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 1), "ended")


async def test_a_withdrawn_need_leaves_the_queue(matching: Matching) -> None:
    await matching.hear(referral(1))
    assert [gap.need_id for gap in said(await matching.hear(withdrawal(1)), GapClosed)] == [id_of(1)]
    assert not said(await matching.open(place()), OfferMade)


async def test_a_withdrawal_ends_an_offer_and_frees_the_place(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    await matching.hear(referral(2))
    told = await matching.hear(withdrawal(1))
    assert [fact.offer_id for fact in said(told, OfferWithdrawn)] == [made.offer_id]
    assert closed(told) == [("library", "withdrawn")]
    assert [again.need_id for again in said(told, OfferMade)] == [id_of(2)]
    assert rules(await matching.accept(made)) == [("answer", "illegal-move")]


@pytest.mark.parametrize("has_started", [False, True])
async def test_a_withdrawal_wins_over_the_answer_that_crossed_it(matching: Matching, *, has_started: bool) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    if has_started:
        await matching.support(1, "started")
    told = await matching.hear(withdrawal(1))
    assert said(told, OfferWithdrawn)
    assert closed(told) == [("library", "withdrawn")]
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 0), "withdrawn")


async def test_a_need_withdrawn_before_it_was_heard_of_is_never_queued(matching: Matching) -> None:
    await matching.open(place())
    assert not await matching.hear(withdrawal(1))
    assert not await matching.hear(referral(1))
    assert await matching.state(1) == "withdrawn"
    assert not await matching.hear(withdrawal(1))


async def test_a_withdrawal_after_the_end_is_recorded_as_superseded(matching: Matching) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    await matching.support(1, "ended", outcome="helped")
    assert not await matching.hear(withdrawal(1))
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 1), "ended")
    assert await matching.stage.rows("select is_superseded from withdrawal") == [{"is_superseded": True}]


async def test_the_same_message_again_is_done_once(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    accept = OfferAnswered(offer_id=made.offer_id, answer="accept")
    assert said(await matching.stage.receive("library", accept, submission_id="a1"), OfferAccepted)
    assert not await matching.stage.receive("library", accept, submission_id="a1")
