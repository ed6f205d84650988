"""Devices that are lent, and SIMs that last some months."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.due import DueWork
from contracts.matching import OfferMade, SupportEnded
from contracts.refusal import MessageRefused
from contracts.stock import LoanChanged, SupportExpiring
from services.matching.domain.calendar import months_after
from services.matching.events_out import Due
from tests.matching.builders import Matching, id_of, place, referral
from tests.matching.log import must_replay
from tests.support import said


async def lent(matching: Matching) -> SupportEnded:
    await matching.open(place(loan_days=90))
    await matching.accept(await matching.offered(referral(1)))
    (ended,) = said(await matching.support(1, "ended", outcome="helped"), SupportEnded)
    return ended


def changes(told: list[Any]) -> list[tuple[str, date]]:
    return [(changed.state, changed.until) for changed in said(told, LoanChanged)]


async def due_on(matching: Matching, day: date) -> int:
    matching.stage.clock.at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return await DueWork(matching.stage.worker, {"Due": (Due, None)}, matching.stage.clock).once()


async def overdue(matching: Matching) -> list[dict[str, Any]]:
    return await matching.stage.rows("select from outbox where headers like '%LoanChanged%'")


async def test_what_is_lent_is_taken_until_it_is_back_and_wiped(matching: Matching) -> None:
    ended = await lent(matching)
    assert (ended.until, ended.is_loan) == (date(2027, 2, 18), True)
    assert (await matching.units(), await matching.state(1)) == ((1, 0, 1), "ended")
    await matching.hear(referral(2))
    told = await matching.loan(1, "returned", wiped=True)
    assert changes(told) == [("returned", date(2027, 2, 18))]
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]
    await must_replay(matching.stage)


async def test_what_is_back_is_lent_again_only_when_it_is_wiped(matching: Matching) -> None:
    await lent(matching)
    await matching.hear(referral(2))
    (back,) = said(await matching.loan(1, "returned"), LoanChanged)
    assert (back.state, back.unwiped, await matching.units()) == ("returned", True, (1, 0, 1))
    await due_on(matching, date(2027, 2, 19))
    assert len(await overdue(matching)) == 1, "the return alone"
    told = await matching.loan(1, "returned", wiped=True)
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]
    await must_replay(matching.stage)


async def test_what_comes_back_broken_and_cannot_be_wiped_is_not_lent_again(matching: Matching) -> None:
    await lent(matching)
    assert changes(await matching.loan(1, "returned")) == [("returned", date(2027, 2, 18))]
    assert changes(await matching.loan(1, "returned", faulty=True)) == [("returned", date(2027, 2, 18))]
    assert await matching.units() == (0, 0, 0)
    await must_replay(matching.stage)


async def test_what_comes_back_faulty_is_not_lent_again(matching: Matching) -> None:
    await lent(matching)
    await matching.hear(referral(2))
    told = await matching.loan(1, "returned", wiped=True, faulty=True)
    assert not said(told, OfferMade)
    assert await matching.units() == (0, 0, 0)
    await must_replay(matching.stage)


async def test_what_is_lost_is_gone_and_nobody_is_blamed(matching: Matching) -> None:
    await lent(matching)
    assert changes(await matching.loan(1, "lost")) == [("lost", date(2027, 2, 18))]
    assert await matching.units() == (1, 0, 1)
    await must_replay(matching.stage)


async def test_a_loan_that_is_renewed_is_due_later(matching: Matching) -> None:
    await lent(matching)
    matching.stage.clock.forward(timedelta(days=80))
    assert changes(await matching.loan(1, "renewed")) == [("renewed", date(2027, 5, 9))]
    before = len(await overdue(matching))
    assert (await due_on(matching, date(2027, 2, 19)), len(await overdue(matching))) == (2, before)
    assert (await due_on(matching, date(2027, 5, 10)), len(await overdue(matching))) == (1, before + 1)


async def test_a_loan_that_is_not_back_in_time_is_told_once(matching: Matching) -> None:
    await lent(matching)
    await due_on(matching, date(2027, 2, 18))
    assert not await overdue(matching)
    assert (await due_on(matching, date(2027, 2, 19)), len(await overdue(matching))) == (1, 1)
    assert await due_on(matching, date(2027, 12, 1)) == 0


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"state": "lost", "faulty": True}, "only-returned"),
        ({"state": "renewed", "wiped": True}, "only-returned"),
        ({"state": "lost", "by": "food-bank"}, "not-found"),
    ],
)
async def test_a_report_of_a_loan_that_makes_no_sense_is_refused(
    matching: Matching, told: dict[str, Any], rule: str
) -> None:
    await lent(matching)
    (refused,) = said(await matching.loan(1, **told), MessageRefused)
    assert (refused.errors[0].rule, await matching.units()) == (rule, (1, 0, 1))


async def test_what_was_given_for_good_is_no_loan(matching: Matching) -> None:
    await matching.open(place())
    await matching.accept(await matching.offered(referral(1)))
    await matching.support(1, "ended", outcome="helped")
    (refused,) = said(await matching.loan(1, "returned", wiped=True), MessageRefused)
    assert refused.errors[0].rule == "illegal-move"


async def test_a_sim_that_lasts_some_months_says_so_before_it_ends(matching: Matching) -> None:
    await matching.open(place("sims", kind="connectivity", lasts_months=6, reopen_days=30))
    await matching.accept(await matching.offered(referral(1, kind="connectivity")))
    (ended,) = said(await matching.support(1, "ended", outcome="helped"), SupportEnded)
    assert (ended.until, ended.is_loan) == (date(2027, 5, 20), False)
    (offer,) = await matching.stage.rows("select offer_id, until from offer")
    matching.stage.clock.at = datetime(2027, 4, 20, tzinfo=UTC)
    (expiring,) = said(await matching.stage.result(Due(offer_id=offer["offer_id"])), SupportExpiring)
    assert (expiring.need_id, expiring.expires_on, expiring.provider) == (id_of(1), date(2027, 5, 20), "library")


@pytest.mark.parametrize("lending", [{"loan_days": 30}, {"lasts_months": 6}])
async def test_a_champion_is_not_lent(matching: Matching, lending: dict[str, Any]) -> None:
    (refused,) = said(await matching.open(place(kind="champion", **lending)), MessageRefused)
    assert refused.errors[0].rule == "only-stock"


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 20), 6, date(2027, 5, 20)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later
