"""From rung to rung: each way of reaching a person ends in a proof, in the next way, or with staff."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.contacting import ReferrerReported
from contracts.referrals import PartnerRegistered, PersonErased, ReferralClosed, ReferralReceived
from services.notifications.handlers.results import LOOK_UP_AFTER
from services.notifications.handlers.telling import ASKED_AFTER
from tests.notifications.conftest import World, a_change
from tests.notifications.standins import ADDRESS, a_contact
from tests.support import NOON

VIA = a_contact(channel="via-referrer", address="gp-armley")
RING = a_contact(channel="phone", address="+447700900123")


async def asked_the_referrer(world: World, *then: dict[str, Any]) -> dict[str, Any]:
    world.referrals.usual = {**VIA, "then": then}
    await world.hear(a_change())
    await world.send()
    (task,) = await world.tasks()
    return task


def reported(task: dict[str, Any], outcome: Any) -> ReferrerReported:
    ids = {name: task[name] for name in ("referral_id", "need_id")}
    return ReferrerReported(**ids, task_id=task["id"], outcome=outcome, at=NOON)


async def test_what_the_referrer_told_is_told(world: World) -> None:
    task = await asked_the_referrer(world, RING)
    await world.hear(reported(task, "told"))
    assert await world.rungs() == [(1, "via-referrer", "reached", "reached")]
    assert [message["state"] for message in await world.messages()] == ["reached"]
    assert await world.said() == ["CallRequested", "CallCompleted"]
    assert await world.waiting() == 0


async def test_when_the_referrer_cannot_reach_them_the_next_way_is_tried(world: World) -> None:
    task = await asked_the_referrer(world, RING)
    await world.hear(reported(task, "could-not-reach"))
    await world.send()
    assert await world.rungs() == [(1, "via-referrer", "failed", "no-answer"), (2, "phone", "open", None)]
    assert [lookup["tried"] for (lookup,) in world.referrals.asked] == [[], ["via-referrer"]]


async def test_a_referrer_that_never_reports_is_not_waited_for_for_ever(world: World) -> None:
    await asked_the_referrer(world, RING)
    world.clock.forward(timedelta(days=5) - timedelta(seconds=1))
    assert await world.due() == 0
    world.clock.forward(timedelta(seconds=1))
    assert await world.due() == 1
    await world.send()
    assert await world.rungs() == [(1, "via-referrer", "failed", "no-report"), (2, "phone", "open", None)]


@pytest.mark.invariant(5)
async def test_a_late_report_takes_away_the_call_that_is_not_needed_any_more(world: World) -> None:
    task = await asked_the_referrer(world, RING)
    world.clock.forward(timedelta(days=5))
    await world.due()
    await world.send()
    await world.hear(reported(task, "told"))
    first, second = sorted(await world.tasks(), key=lambda each: each["rung"])
    assert (first["outcome"], second["outcome"]) == ("no-report", "superseded")
    assert [message["state"] for message in await world.messages()] == ["reached"]


@pytest.mark.invariant(5)
async def test_a_late_report_ends_a_message_that_waits_for_its_next_way(world: World) -> None:
    task = await asked_the_referrer(world, RING)
    world.clock.forward(timedelta(days=5))
    await world.due()
    await world.hear(reported(task, "told"))
    await world.send()
    assert [message["state"] for message in await world.messages()] == ["reached"]
    assert [each["channel"] for each in await world.tasks()] == ["via-referrer"]
    assert await world.waiting() == 0


async def test_a_report_of_what_is_forgotten_changes_nothing(world: World) -> None:
    task = await asked_the_referrer(world)
    await world.hear(PersonErased(referral_id=task["referral_id"]))
    await world.hear(reported(task, "told"))
    assert (await world.tasks(), await world.messages(), await world.rungs()) == ([], [], [])


async def test_when_all_ways_are_used_up_it_is_a_task_for_staff(world: World) -> None:
    task = await asked_the_referrer(world)
    await world.hear(reported(task, "could-not-reach"))
    await world.send()
    (staff,) = [each for each in await world.tasks() if each["rung"] == 2]
    assert (staff["channel"], staff["reason"]) == ("staff", "no-channel-left")
    assert await world.said() == ["CallRequested", "CallCompleted", "NotificationWithheld"]


async def test_who_died_is_not_written_to(world: World) -> None:
    assert await world.hear(a_change("cancelled", reason="died")) == []


def a_referral(partner: str = "gp-armley", **changes: Any) -> ReferralReceived:
    return ReferralReceived.model_validate(
        {**ReferralReceived.example, "referral_id": uuid4(), "partner": partner, **changes}
    )


async def test_somebody_is_written_to_in_a_language_they_understand(world: World) -> None:
    referral = a_referral(languages=["ur"])
    await world.hear(referral)
    await world.hear(a_change(referral_id=referral.referral_id))
    await world.send()
    (mail,) = world.mail.got
    assert "cannot write in your language yet" in mail.get_content()


async def test_who_needs_easy_read_gets_it(world: World) -> None:
    world.referrals.usual = a_contact(formats=["easy-read"])
    await world.hear(a_change())
    await world.send()
    assert world.mail.got[0]["Subject"] == "Good news: we can help you"


async def test_a_referrer_that_wants_mail_hears_of_its_referrals_and_no_other(world: World) -> None:
    await world.hear(PartnerRegistered(partner="foodbank", name="Food bank", mail=True))
    referral, other = a_referral("foodbank"), a_referral("gp-armley")
    code = a_contact(address="office@example.org", reference="FB-7", code="ABCDE-FGHJK")
    for need in (referral, other):
        world.referrals.of_need[str(need.needs[0].need_id)] = code
    await world.hear(referral, other)
    await world.send()
    (mail,) = world.mail.got
    assert (mail["To"], mail["Subject"]) == ("office@example.org", "FB-7: we have your referral")
    assert "ABCDE-FGHJK" in mail.get_content()
    ((lookup,),) = world.referrals.asked
    assert (lookup["audience"], lookup["purpose"]) == ("referrer", "requested")
    await world.hear(PartnerRegistered(partner="foodbank", name="Food bank"))
    assert await world.hear(a_referral("foodbank")) == []


async def closed(world: World, **changes: Any) -> UUID:
    change = a_change("completed", outcome="helped", **changes)
    await world.hear(change)
    await world.send()
    world.mail.got.clear()
    await world.hear(ReferralClosed(referral_id=change.referral_id, at=world.clock()))
    return change.referral_id


async def test_who_was_helped_is_asked_three_times_how_it_went_and_never_twice_the_same(world: World) -> None:
    referral = await closed(world)
    link = a_contact(link="https://referrals.example.org/l/AAAAAAAAAAAAAAAAAAAAAA")
    world.referrals.usual = link
    await world.hear(ReferralClosed(referral_id=referral, at=NOON))
    for wait in ASKED_AFTER.values():
        world.clock.at = NOON + wait
        await world.due()
        await world.send()
    assert [mail["Subject"] for mail in world.mail.got] == [
        "How did it go?",
        "Are you still online?",
        "Are you still online?",
    ]
    assert all("/l/AAAA" in mail.get_content() for mail in world.mail.got)
    purposes = [lookup["purpose"] for (lookup,) in world.referrals.asked[1:]]
    assert purposes == ["feedback-closing", "feedback-3-months", "feedback-6-months"]
    told = [fact["about"] for name, fact in await world.facts() if name == "NotificationSent"]
    assert told == [None, *purposes]


async def test_whoever_was_not_helped_is_not_asked(world: World) -> None:
    change = a_change("cancelled")
    await world.hear(change)
    assert await world.hear(ReferralClosed(referral_id=change.referral_id, at=NOON)) == []


async def test_nobody_is_pestered_with_a_question(world: World) -> None:
    await closed(world)
    world.referrals.usual = a_contact(decision="withheld", reason="no-channel-left", channel=None)
    world.clock.at = NOON + ASKED_AFTER["closing"]
    await world.due()
    await world.send()
    assert await world.tasks() == []


async def test_a_person_who_is_erased_meanwhile_is_not_asked(world: World) -> None:
    referral = await closed(world)
    await world.hear(PersonErased(referral_id=referral))
    world.clock.at = NOON + ASKED_AFTER["closing"]
    assert await world.due() == 0
    assert timedelta(hours=1) > LOOK_UP_AFTER
    assert ADDRESS not in str(await world.messages())
