"""Referrals change on a real database: amended, answered by the person, held and released by days."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from chassis.facts import Later
from contracts.changes import PersonAnswered, ReferralAmendmentRequested
from contracts.door import ReferralAcknowledged, ReferralProgressed, ReferralWithdrawalRequested
from contracts.matching import OfferAccepted, OfferHeld, OfferMade, OfferWithdrawn, SupportEnded, SupportStarted
from contracts.notifications import AnswerTaken
from contracts.referrals import (
    NeedAnswered,
    ReferralAmended,
    ReferralClosed,
    ReferralReceived,
    ReferralStalled,
)
from contracts.stock import SupportExpiring
from services.referrals.handlers.moves import CheckDay
from tests.referrals.acting import (
    OTHER_WARD,
    TODAY,
    amend,
    day,
    ids,
    next_of,
    offer,
    offered,
    refer,
    rules,
    statuses,
    told_matching,
)
from tests.referrals.builders import a_person, a_referral, sealed
from tests.support import NOON, Stage, said

# The referrer hears


async def test_the_referrer_is_told_every_change_in_order_and_reads_the_same_over_http(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    received = await refer(on_stage)
    help_ = {**ids(received), "provider": "library"}
    told: list[ReferralProgressed] = []
    for fact, changes in (
        (OfferMade, {}),
        (OfferAccepted, {}),
        (SupportEnded, {"handed_back": True}),
        (SupportStarted, {}),
        (OfferMade, {"offer_id": uuid4()}),
        (OfferAccepted, {"offer_id": uuid4()}),
        (SupportStarted, {}),
        (SupportEnded, {"outcome": "partly-helped"}),
    ):
        on_stage.clock.forward(timedelta(hours=1))
        heard = await on_stage.hear(fact.model_validate({**fact.example, **help_, **changes}))
        told += said(heard, ReferralProgressed)
    assert [(each.status, each.reason) for each in told] == [
        ("offered", None),
        ("accepted", None),
        ("on-hold", "handed-back"),
        ("offered", None),
        ("accepted", None),
        ("in-progress", None),
        ("completed", None),
    ]
    assert all(each.next and each.next.what and each.next.on > TODAY for each in told[:-1])
    assert (told[-1].next, told[-1].outcome) == (None, "partly-helped")
    view = (
        await doors.get(f"/v1/referrals/{received.referral_id}", headers={"Authorization": "Bearer gp-armley"})
    ).json()
    (need,) = view["needs"]
    assert need["history"] == [each.model_dump(mode="json", include={"status", "reason", "at"}) for each in told]
    assert (need["next"], need["outcome"]) == (None, "partly-helped")
    other = await doors.get(f"/v1/referrals/{received.referral_id}", headers={"Authorization": "Bearer library"})
    assert other.status_code == 404


# The person answers


async def test_no_goes_on_looking_and_not_now_waits_until_the_day(on_stage: Stage) -> None:
    received = await offered(on_stage)
    need = received.needs[0].need_id
    told = await on_stage.receive("gp-armley", PersonAnswered(need_id=need, answer="no"))
    assert [(fact.answer, fact.need_id) for fact in said(told, NeedAnswered)] == [("no", need)]
    assert statuses(told) == [("on-hold", "said-no")]
    assert not said(told, ReferralAmended)
    await on_stage.hear(offer(received))
    until = TODAY + timedelta(days=30)
    later = await on_stage.receive("gp-armley", PersonAnswered(need_id=need, answer="not-now", until=until))
    assert statuses(later) == [("on-hold", "not-now")]
    assert told_matching(later) == [(True, until)]
    assert await next_of(on_stage, received) == ("programme", until)


async def test_who_helps_may_answer_for_the_person_and_nobody_else(on_stage: Stage) -> None:
    received = await offered(on_stage)
    answer = PersonAnswered(need_id=received.needs[0].need_id, answer="yes")
    assert rules(await on_stage.receive("library", answer)) == ["not-found"]
    await on_stage.hear(OfferAccepted(**ids(received), offer_id=uuid4(), place_id="p", provider="library"))
    assert said(await on_stage.receive("library", answer), NeedAnswered)
    assert rules(await on_stage.receive("food-bank", answer)) == ["not-found"]


@pytest.mark.parametrize(
    ("answer", "until", "rule"),
    [
        ("no", None, "illegal-move"),
        ("yes", TODAY + timedelta(1), "only-with-not-now"),
        ("not-now", None, "only-with-not-now"),
        ("not-now", TODAY, "not-in-the-coming-year"),
        ("not-now", TODAY + timedelta(400), "not-in-the-coming-year"),
    ],
)
async def test_an_answer_that_cannot_be_is_refused(on_stage: Stage, answer: Any, until: Any, rule: str) -> None:
    received = await refer(on_stage)
    told = await on_stage.receive(
        "gp-armley", PersonAnswered(need_id=received.needs[0].need_id, answer=answer, until=until)
    )
    assert rules(told) == [rule]
    assert not said(told, NeedAnswered)


def taken(received: ReferralReceived, answer: Any, until: Any = None) -> AnswerTaken:
    return AnswerTaken(**ids(received), task_id=uuid4(), answer=answer, until=until, at=NOON)


async def test_what_was_said_on_the_phone_counts_as_if_it_had_been_written(on_stage: Stage) -> None:
    received = await offered(on_stage)
    told = await on_stage.hear(taken(received, "no"))
    assert [(fact.answer, fact.need_id) for fact in said(told, NeedAnswered)] == [("no", received.needs[0].need_id)]
    assert statuses(told) == [("on-hold", "said-no")]
    await on_stage.hear(offer(received))
    until = TODAY + timedelta(days=30)
    later = await on_stage.hear(taken(received, "not-now", until))
    assert statuses(later) == [("on-hold", "not-now")]
    assert told_matching(later) == [(True, until)]


async def test_what_was_said_on_the_phone_and_comes_too_late_is_kept_and_changes_nothing(on_stage: Stage) -> None:
    received = await offered(on_stage)
    gone = ReferralWithdrawalRequested(referral_id=received.referral_id, reason="no-longer-needed")
    await on_stage.receive("gp-armley", gone)
    assert await on_stage.hear(taken(received, "no")) == []
    lines = await on_stage.rows("select fact, status, reason, superseded from need_history order by id")
    assert lines[-1] == {"fact": "AnswerTaken", "status": "cancelled", "reason": "no", "superseded": True}
    erased = taken(received, "no").model_copy(update={"referral_id": uuid4(), "need_id": uuid4()})
    assert await on_stage.hear(erased) == []


# Days

REFERRER = {"channels": ["via-referrer"]}


async def test_a_need_is_looked_for_again_when_the_day_has_come(on_stage: Stage) -> None:
    received = await offered(on_stage)
    until = TODAY + timedelta(days=30)
    message = PersonAnswered(need_id=received.needs[0].need_id, answer="not-now", until=until)
    planned = [s.data for s in await on_stage.receive("gp-armley", message) if isinstance(s, Later)]
    assert CheckDay(day=until) in planned
    assert not await day(on_stage, until - timedelta(days=1))
    told = await day(on_stage, until)
    assert statuses(told) == [("on-hold", "waiting-for-place")]
    assert told_matching(told) == [(False, None)]


async def test_a_referral_with_a_first_day_is_held_until_then(on_stage: Stage) -> None:
    first = TODAY + timedelta(days=3)
    received = await refer(on_stage, not_before=str(first))
    (row,) = await on_stage.rows("select status, hold, hold_until from need")
    assert row == {"status": "on-hold", "hold": "not-before", "hold_until": first}
    assert received.not_before == first
    assert told_matching(await day(on_stage, first)) == [(False, None)]


@pytest.mark.invariant(4)
async def test_a_day_that_goes_by_is_told_to_the_referrer_and_taken_on_by_the_programme(on_stage: Stage) -> None:
    received = await offered(on_stage)
    by, due_on = await next_of(on_stage, received)
    assert by == "provider"
    assert not said(await day(on_stage, due_on), ReferralStalled)
    told = await day(on_stage, due_on + timedelta(days=1))
    assert [(fact.by, fact.due_on, fact.status) for fact in said(told, ReferralStalled)] == [
        ("provider", due_on, "offered")
    ]
    (progressed,) = said(told, ReferralProgressed)
    assert progressed.next
    assert progressed.next.by == "programme"
    assert progressed.status == "offered"
    assert await next_of(on_stage, received) == ("programme", due_on + timedelta(days=8))
    assert not said(await day(on_stage, due_on + timedelta(days=1)), ReferralStalled)


@pytest.mark.invariant(4)
async def test_what_was_found_is_for_staff_to_confirm_and_stalls_when_they_do_not(on_stage: Stage) -> None:
    received = await refer(on_stage)
    held = OfferHeld.model_validate(offer(received).model_dump())
    assert statuses(await on_stage.hear(held)) == [("on-hold", "awaits-confirmation")]
    by, due_on = await next_of(on_stage, received)
    assert (by, due_on) == ("programme", TODAY + timedelta(days=7))
    told = await day(on_stage, due_on + timedelta(days=1))
    assert [(fact.by, fact.due_on) for fact in said(told, ReferralStalled)] == [("programme", due_on)]
    assert statuses(await on_stage.hear(offer(received))) == [("offered", None)]


async def test_what_was_found_and_is_gone_before_it_is_confirmed_waits_again(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.hear(OfferHeld.model_validate(offer(received).model_dump()))
    gone = OfferWithdrawn(**ids(received), offer_id=uuid4(), place_id="p", provider="library")
    assert statuses(await on_stage.hear(gone)) == [("on-hold", "waiting-for-place")]


async def test_each_day_is_planned_once(on_stage: Stage) -> None:
    one, two, three = (
        a_person(name=name, phone=None, safe_contact=REFERRER) for name in ("Ann Lee", "Bo Kay", "Cy Day")
    )
    first = await on_stage.receive("gp-armley", a_referral(one), a_referral(two, reference="GP-2"))
    again = await on_stage.receive("gp-armley", a_referral(three, reference="GP-3"))
    assert len([s for s in first if isinstance(s, Later)]) == 2  # the next action, and the count of the month
    assert not [s for s in again if isinstance(s, Later)]


async def test_an_agreement_that_lapses_stops_offers_until_the_person_is_asked_again(on_stage: Stage) -> None:
    until = TODAY + timedelta(days=10)
    agreed = {"by": "person", "given_on": str(TODAY)}
    received = await offered(on_stage, agreement={**agreed, "until": str(until)})
    assert not statuses(await day(on_stage, until))
    told = await day(on_stage, until + timedelta(days=1))
    assert statuses(told) == [("on-hold", "agreement-lapsed")]
    assert told_matching(told) == [(True, None)]
    assert (await next_of(on_stage, received))[0] == "referrer"
    crossing = await on_stage.hear(
        offer(received), OfferWithdrawn(**ids(received), offer_id=uuid4(), place_id="p", provider="library")
    )
    assert not statuses(crossing)
    renewed = await on_stage.receive(
        "gp-armley",
        ReferralAmendmentRequested.model_validate({"referral_id": received.referral_id, "agreement": agreed}),
    )
    assert statuses(renewed) == [("on-hold", "waiting-for-place")]
    assert told_matching(renewed) == [(False, None)]


async def test_before_an_agreement_ends_the_referrer_is_told_to_ask_again_until_it_has(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    async def ending() -> list[str]:
        told = await doors.get("/v1/staff/agreements", headers={"Authorization": "Bearer ann"})
        return [need["need_id"] for need in told.json()["agreements"]]

    until, agreed = TODAY + timedelta(days=60), {"by": "person", "given_on": str(TODAY)}
    received = await refer(on_stage, agreement={**agreed, "until": str(until)})
    planned = {row["key"] for row in await on_stage.rows("select key from due where type = 'CheckDay'")}
    assert {str(until - timedelta(days=28)), str(until + timedelta(days=1))} <= planned
    assert await ending() == []
    told = await day(on_stage, until - timedelta(days=28))
    late, warned = (fact.next for fact in said(told, ReferralProgressed))
    assert late
    assert warned
    assert (late.by, warned.by, warned.on) == ("programme", "referrer", until)
    assert (statuses(told), await ending()) == ([], [str(received.needs[0].need_id)])
    assert not said(await day(on_stage, until - timedelta(days=27)), ReferralProgressed)
    renewed = await amend(on_stage, received, agreement={**agreed, "until": str(until + timedelta(days=90))})
    assert [told.next and told.next.by for told in said(renewed, ReferralProgressed)] == ["programme"]
    assert await ending() == []


async def test_a_new_agreement_ends_on_its_own_day(on_stage: Stage) -> None:
    received, until = await refer(on_stage), TODAY + timedelta(days=3)
    agreed = {"by": "person", "given_on": str(TODAY), "until": str(until)}
    await amend(on_stage, received, agreement=agreed)
    planned = {row["key"] for row in await on_stage.rows("select key from due where type = 'CheckDay'")}
    assert str(until + timedelta(days=1)) in planned
    assert await next_of(on_stage, received) == ("referrer", until)
    assert statuses(await day(on_stage, until + timedelta(days=1))) == [("on-hold", "agreement-lapsed")]


# Amendments


async def test_a_move_keeps_the_time_waited_and_weighs_the_area_anew(on_stage: Stage) -> None:
    received = await refer(on_stage)
    (amended,) = said(await amend(on_stage, received, ward=OTHER_WARD), ReferralAmended)
    assert (amended.ward, amended.area, amended.received_at) == (OTHER_WARD, OTHER_WARD, received.received_at)
    assert (received.priority.area_step, amended.priority.area_step) == (10, 0)
    assert amended.priority.groups == received.priority.groups


async def test_a_need_is_added_or_changed_and_the_rest_stays(on_stage: Stage) -> None:
    received = await refer(on_stage)
    wanted = [{"kind": "device", "requirements": ["large-screen"]}, {"kind": "connectivity"}]
    told = await amend(on_stage, received, needs=wanted)
    (acknowledged,), (amended,) = said(told, ReferralAcknowledged), said(told, ReferralAmended)
    assert [(need.kind, need.status) for need in acknowledged.needs] == [
        ("device", "requested"),
        ("connectivity", "requested"),
    ]
    device, sim = sorted(amended.needs, key=lambda need: need.kind, reverse=True)
    assert (device.need_id, device.requirements) == (received.needs[0].need_id, ["large-screen"])
    assert (sim.kind, amended.languages) == ("connectivity", ["ur", "en"])


async def test_what_is_told_anew_of_the_person_is_sealed_anew_and_weighed(on_stage: Stage) -> None:
    received = await refer(on_stage)
    (before,) = await on_stage.rows("select * from person")
    person = a_person(circumstances={"offline": "yes", "low-income": "yes", "homeless": "yes"})
    (amended,) = said(await amend(on_stage, received, person_jwe=sealed(person)), ReferralAmended)
    assert amended.priority.groups == received.priority.groups + 1
    (after,) = await on_stage.rows("select * from person")
    assert after["wrapped_key"] != before["wrapped_key"]
    assert after["sealed"] != before["sealed"]


@pytest.mark.parametrize(
    ("changes", "partner", "rule"),
    [
        ({"ward": "E05000001"}, "gp-armley", "unknown-ward"),
        ({"needs": [{"kind": "device"}, {"kind": "device"}]}, "gp-armley", "kind-twice"),
        ({"agreement": {"by": "person", "given_on": "2027-01-01"}}, "gp-armley", "in-future"),
        ({}, "food-bank", "not-found"),
    ],
)
async def test_an_amendment_that_breaks_a_rule_changes_nothing(
    on_stage: Stage, changes: dict[str, Any], partner: str, rule: str
) -> None:
    received = await refer(on_stage)
    before = await on_stage.rows("select * from referral")
    told = await amend(on_stage, received, partner, **changes)
    assert rules(told) == [rule]
    assert not said(told, ReferralAmended)
    assert await on_stage.rows("select * from referral") == before


async def test_a_referral_that_has_ended_is_not_amended(on_stage: Stage) -> None:
    received = await refer(on_stage)
    gone = ReferralWithdrawalRequested(referral_id=received.referral_id, reason="died")
    await on_stage.receive("gp-armley", gone)
    assert rules(await amend(on_stage, received, ward=OTHER_WARD)) == ["illegal-move"]


# What ends soon


async def test_who_was_given_what_ends_soon_is_looked_after_again_and_keeps_the_time_waited(on_stage: Stage) -> None:
    received = await refer(on_stage, needs=[{"kind": "connectivity", "languages": ["ur"]}])
    offer_of = {**ids(received), "offer_id": uuid4(), "place_id": "p", "provider": "library"}
    helped = SupportEnded(**ids(received), provider="library", at=NOON, outcome="helped")
    closed = await on_stage.hear(OfferAccepted(**offer_of), helped)
    assert said(closed, ReferralClosed)
    ends = SupportExpiring(**ids(received), kind="connectivity", provider="library", at=NOON, expires_on=TODAY)
    told = await on_stage.hear(ends)
    (amended,) = said(told, ReferralAmended)
    (again,) = amended.needs
    assert again.need_id != received.needs[0].need_id
    assert (again.kind, again.languages, amended.received_at) == ("connectivity", ["ur"], received.received_at)
    assert [progress.need_id for progress in said(told, ReferralProgressed)] == [again.need_id]
    assert await on_stage.rows("select closed_at from referral") == [{"closed_at": None}]
    assert not said(await on_stage.hear(ends), ReferralAmended)
