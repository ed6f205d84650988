"""Help given directly: counted, and taken from stock before anybody who has no answer yet."""

from datetime import date
from typing import Any

import pytest

from contracts.matching import NeedWaiting, OfferMade, OfferWithdrawn
from contracts.offers import OfferClosed
from contracts.refusal import MessageRefused
from contracts.stock import DirectHelpGiven, DirectHelpReported
from tests.matching.builders import ARMLEY, Matching, direct_help, id_of, place, referral
from tests.matching.log import must_replay
from tests.support import NOON, said


async def give(matching: Matching, *told: DirectHelpReported, by: str = "library") -> list[Any]:
    return await matching.stage.receive(by, *told)


async def test_what_was_given_directly_is_counted_and_taken_from_stock(matching: Matching) -> None:
    await matching.open(place(capacity=5))
    (given,) = said(await give(matching, direct_help(count=3)), DirectHelpGiven)
    assert (given.provider_id, given.kind, given.count, given.ward) == ("armley", "device", 3, ARMLEY)
    assert await matching.units() == (5, 0, 3)
    assert await matching.stage.rows("select count from direct_help") == [{"count": 3}]


@pytest.mark.invariant(2)
async def test_with_nothing_free_the_last_in_the_queue_loses_its_unanswered_offer(matching: Matching) -> None:
    await matching.open(place(capacity=2))
    first, last = said(await matching.hear(referral(1, score=20), referral(2)), OfferMade)
    told = await give(matching, direct_help())
    assert [(fact.offer_id, fact.reason) for fact in said(told, OfferWithdrawn)] == [(last.offer_id, "given-directly")]
    assert [closed.reason for closed in said(told, OfferClosed)] == ["withdrawn"]
    assert [waiting.need_id for waiting in said(told, NeedWaiting)] == [last.need_id]
    assert (await matching.units(), await matching.state(2)) == ((2, 1, 1), "waiting")
    assert said(await matching.open(place(capacity=3)), OfferMade)[0].need_id == id_of(2)
    assert said(await matching.decline(first), OfferMade) == []
    await must_replay(matching.stage)


async def test_a_need_that_lost_its_offer_may_have_another_place_at_once(matching: Matching) -> None:
    await matching.open(place(), place("wide", capacity=1, wards=[]))
    (made,) = said(await matching.hear(referral(1)), OfferMade)
    told = await give(matching, direct_help(made.place_id))
    (again,) = said(told, OfferMade)
    assert (again.need_id, again.place_id) == (id_of(1), "wide" if made.place_id == "tablets" else "tablets")


@pytest.mark.invariant(2)
async def test_what_was_accepted_is_never_taken_away(matching: Matching) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    (refused,) = said(await give(matching, direct_help()), MessageRefused)
    assert (refused.errors[0].field, refused.errors[0].rule) == ("count", "nothing-free")
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 1), "accepted")


@pytest.mark.invariant(2)
async def test_reports_of_one_poll_are_counted_one_after_the_other(matching: Matching) -> None:
    await matching.open(place(capacity=3))
    await matching.hear(referral(1))
    told = await give(matching, direct_help(count=2), direct_help(count=2), direct_help())
    assert [len(said(told, kind)) for kind in (DirectHelpGiven, MessageRefused, OfferWithdrawn)] == [2, 1, 1]
    assert await matching.units() == (3, 0, 3)


async def test_a_champion_that_helped_somebody_else_too_is_as_free_as_before(matching: Matching) -> None:
    await matching.open(place(kind="champion"))
    assert said(await give(matching, direct_help(kind="champion", count=4)), DirectHelpGiven)
    assert await matching.units() == (1, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "by", "rule"),
    [
        ({}, "food-bank", "not-found"),
        ({"place_id": "phones"}, "library", "not-found"),
        ({"kind": "connectivity"}, "library", "kind-of-place"),
        ({"given_on": date(2026, 11, 21)}, "library", "in-future"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    matching: Matching, wrong: dict[str, Any], by: str, rule: str
) -> None:
    await matching.open(place(capacity=5))
    told = await give(matching, direct_help().model_copy(update=wrong), by=by)
    assert [refused.errors[0].rule for refused in said(told, MessageRefused)] == [rule]
    assert (NOON.date(), await matching.units()) == (date(2026, 11, 20), (5, 0, 0))
