"""What happens to an offer before its provider answers: confirmed by staff, reminded of; and after many declines."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.due import DueWork
from contracts.matching import NeedEscalated, OfferDeclined, OfferHeld, OfferMade, OfferWithdrawn
from contracts.offers import OfferClosed, OfferProposed, OfferReminded
from contracts.refusal import MessageRefused
from services.matching.events_out import Due
from tests.matching.builders import Matching, id_of, place, referral, withdrawal
from tests.matching.log import must_replay
from tests.support import NOON, said


async def test_a_provider_that_does_not_answer_is_reminded_once(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    due = DueWork(matching.stage.worker, {"Due": (Due, None)}, matching.stage.clock)
    matching.stage.clock.forward(timedelta(days=5) - timedelta(seconds=1))
    assert await due.once() == 0
    matching.stage.clock.forward(timedelta(seconds=1))
    (reminded,) = said(await matching.stage.result(Due(offer_id=made.offer_id)), OfferReminded)
    assert (reminded.offer_id, reminded.expires_at) == (made.offer_id, made.expires_at)
    assert (await due.once(), await due.once()) == (1, 0)
    assert await matching.state(1) == "offered"


async def test_who_has_answered_is_not_reminded(matching: Matching) -> None:
    await matching.open(place())
    made = await matching.offered(referral(1))
    await matching.accept(made)
    matching.stage.clock.forward(timedelta(days=5))
    assert not await matching.stage.result(Due(offer_id=made.offer_id))


async def test_a_need_that_three_providers_declined_is_raised_to_staff_once(matching: Matching) -> None:
    await matching.open(*(place(f"p{number}") for number in range(4)))
    (made,) = said(await matching.hear(referral(1)), OfferMade)
    raised: list[list[NeedEscalated]] = []
    for _ in range(4):
        told = await matching.decline(made)
        raised.append(said(told, NeedEscalated))
        made = (said(told, OfferMade) or [made])[0]
    assert [len(each) for each in raised] == [0, 0, 1, 0]
    assert (raised[2][0].need_id, raised[2][0].declines) == (id_of(1), 3)


async def test_an_offer_that_staff_confirm_is_held_and_proposed_only_then(confirming: Matching) -> None:
    await confirming.open(place(kind="champion"))
    told = await confirming.hear(referral(1, kind="champion"))
    (held,) = said(told, OfferHeld)
    assert not said(told, OfferProposed) + said(told, OfferMade)
    assert (await confirming.units(), await confirming.state(1)) == ((1, 1, 0), "offered")
    confirming.stage.clock.forward(timedelta(days=3))
    told = await confirming.confirm(held.offer_id)
    (made,), (proposed,) = said(told, OfferMade), said(told, OfferProposed)
    assert (made.offer_id, made.decision) == (held.offer_id, held.decision)
    assert made.expires_at == proposed.expires_at == confirming.stage.clock() + timedelta(days=7)
    await confirming.accept(proposed)
    assert await confirming.units() == (1, 0, 1)
    await must_replay(confirming.stage)


async def due(matching: Matching) -> list[Any]:
    """What offers ended with, when all that is due is done, and how often the provider was reminded."""
    await DueWork(matching.stage.worker, {"Due": (Due, None)}, matching.stage.clock).once()
    reminded = await matching.stage.rows("select from outbox where headers like '%OfferReminded%'")
    return [row["ends"] for row in await matching.stage.rows(ENDS)] + [len(reminded)]


ENDS = "select concat_ws(' ', state, reason) as ends from offer order by decision"


@pytest.mark.invariant(3)
async def test_what_nobody_confirms_is_held_until_its_day_and_goes_to_whoever_is_first_then(
    confirming: Matching,
) -> None:
    await confirming.open(place(kind="champion"))
    (held,) = said(await confirming.hear(referral(1, kind="champion")), OfferHeld)
    await confirming.hear(referral(2, kind="champion", score=20))
    confirming.stage.clock.at = held.expires_at - timedelta(seconds=1)
    assert await due(confirming) == ["awaiting", 0]
    confirming.stage.clock.at = held.expires_at
    assert await due(confirming) == ["taken-back not-confirmed-in-time", "awaiting", 0]
    assert (await confirming.state(1), await confirming.state(2)) == ("waiting", "offered")
    assert await confirming.stage.rows("select rank_key from need where need_id = $1", id_of(1)) == [{"rank_key": NOON}]
    await must_replay(confirming.stage)


async def test_what_nobody_confirms_is_given_to_the_same_person_again_while_they_are_first(
    confirming: Matching,
) -> None:
    await confirming.open(place(kind="champion"))
    assert said(await confirming.hear(referral(1, kind="champion")), OfferHeld)
    for lapsed in (1, 2):
        confirming.stage.clock.forward(timedelta(days=7))
        assert await due(confirming) == [*["taken-back not-confirmed-in-time"] * lapsed, "awaiting", 0]
    await must_replay(confirming.stage)


async def test_the_day_by_which_staff_confirm_is_no_day_of_the_provider(confirming: Matching) -> None:
    """It was confirmed two days later: at the end of the first seven it is neither taken back nor reminded of twice."""
    await confirming.open(place(kind="champion"))
    (held,) = said(await confirming.hear(referral(1, kind="champion")), OfferHeld)
    confirming.stage.clock.forward(timedelta(days=1))
    await confirming.confirm(held.offer_id)
    confirming.stage.clock.at = held.expires_at
    assert await due(confirming) == ["open", 1]
    confirming.stage.clock.forward(timedelta(days=1))
    assert await due(confirming) == ["expired", 1]


async def test_an_offer_that_staff_keep_back_goes_to_the_next(confirming: Matching) -> None:
    await confirming.open(place(kind="champion"))
    (held,) = said(await confirming.hear(referral(1, kind="champion", score=9)), OfferHeld)
    await confirming.hear(referral(2, kind="champion"))
    told = await confirming.confirm(held.offer_id, "keep-back")
    assert [(fact.need_id, fact.reason) for fact in said(told, OfferDeclined)] == [(id_of(1), "not-confirmed")]
    assert [next_.need_id for next_ in said(told, OfferHeld)] == [id_of(2)]
    assert not said(told, OfferClosed), "its provider never knew of it"
    await must_replay(confirming.stage)


async def test_a_provider_cannot_answer_what_is_not_confirmed(confirming: Matching) -> None:
    await confirming.open(place(kind="champion"))
    (held,) = said(await confirming.hear(referral(1, kind="champion")), OfferHeld)
    (refused,) = said(await confirming.accept(OfferMade(**held.model_dump())), MessageRefused)
    assert refused.errors[0].rule == "not-found"


async def test_what_is_withdrawn_or_confirmed_already_cannot_be_confirmed(confirming: Matching) -> None:
    await confirming.open(place(kind="champion", capacity=2))
    first, second = said(await confirming.hear(referral(1, kind="champion"), referral(2, kind="champion")), OfferHeld)
    told = await confirming.hear(withdrawal(1))
    assert said(told, OfferWithdrawn)
    assert not said(told, OfferClosed)
    await confirming.confirm(second.offer_id)
    for offer_id, rule in (
        (first.offer_id, "illegal-move"),
        (second.offer_id, "illegal-move"),
        (id_of(9), "not-found"),
    ):
        (refused,) = said(await confirming.confirm(offer_id), MessageRefused)
        assert refused.errors[0].rule == rule


async def test_other_kinds_are_proposed_at_once(confirming: Matching) -> None:
    await confirming.open(place())
    assert said(await confirming.hear(referral(1)), OfferProposed)
