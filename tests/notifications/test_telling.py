"""From a change of status to what was told: facts in, errands, mails, tasks and facts out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis import delivery
from chassis.due import RESULT_WITHIN
from chassis.facts import Errand
from chassis.work import Batch
from contracts.catalogue import consumed_by
from contracts.notifications import OVERTAKEN
from contracts.referrals import PartnerRegistered
from contracts.vocabulary import NeedStatus
from services.notifications.clients.mail import (
    CONNECT_WITHIN,
    ONE_MAIL_WITHIN,
    QUIT_WITHIN,
    RESET_WITHIN,
    Mail,
    MailServer,
)
from services.notifications.clients.peers import WITHIN
from services.notifications.clients.teller import SENDING_WITHIN
from services.notifications.clients.words import Text
from services.notifications.events_in import HANDLERS
from services.notifications.handlers.tasks import TellOutcome
from tests.notifications.conftest import World, a_change, settings_for
from tests.notifications.standins import ADDRESS, StandInMailServer, StandInReferrals, a_certificate, a_contact
from tests.support import NOON, fact_event

Make = Callable[..., Awaitable[World]]


def test_it_reads_what_the_catalogue_says() -> None:
    assert {model.spec.type: model for model in HANDLERS} == consumed_by("notifications")


async def test_a_person_is_mailed_that_their_need_is_accepted(world: World) -> None:
    change = a_change("accepted")
    await world.hear(change)
    assert await world.send() == 1
    (mail,) = world.mail.got
    (message,) = await world.messages()
    assert mail["To"] == ADDRESS
    assert mail["From"] == "help@example.org"
    assert mail["Subject"] == "Somebody can help you to get online"
    assert "a device for going online" in mail.get_content()
    assert mail["X-Furthest-Id"] == f"{message['id']}-1"
    assert mail["Message-ID"] == f"<{message['id']}-1@example.org>"
    assert mail.get_content_type() == "text/plain"
    assert (message["state"], message["channel"], message["kind"]) == ("sent", "email", "device")
    ((name, fact),) = await world.facts()
    assert name == "NotificationSent"
    assert (fact["referral_id"], fact["need_id"]) == (str(change.referral_id), str(change.need_id))
    assert (fact["audience"], fact["status"], fact["channel"]) == ("person", "accepted", "email")
    assert await world.waiting() == 0
    assert await world.send() == 0


async def test_neutral_contacts_get_neutral_words(world: World) -> None:
    world.referrals.usual = a_contact(neutral=True)
    await world.hear(a_change("accepted"))
    await world.send()
    (mail,) = world.mail.got
    assert mail["Subject"] == "News for you"
    assert "device" not in mail.as_string()


async def test_a_batch_is_asked_for_in_one_call_and_mailed_over_one_connection(world: World) -> None:
    changes = [a_change() for _ in range(5)]
    await world.hear(*changes)
    await world.send()
    ((*lookups,),) = world.referrals.asked
    assert {lookup["need_id"] for lookup in lookups} == {str(change.need_id) for change in changes}
    assert {(lookup["purpose"], tuple(lookup["tried"])) for lookup in lookups} == {("accepted", ())}
    assert len(world.mail.got) == 5
    assert world.mail.connections == 1


@pytest.mark.parametrize("status", ["requested", "offered", "in-progress", "entered-in-error"])
async def test_some_changes_are_told_to_nobody(world: World, status: NeedStatus) -> None:
    assert await world.hear(a_change(status)) == []
    assert await world.messages() == []


@pytest.mark.parametrize("status", ["on-hold", "accepted", "completed", "failed", "cancelled", "rejected"])
async def test_the_other_changes_are_told(world: World, status: NeedStatus) -> None:
    (errand,) = await world.hear(a_change(status))
    assert isinstance(errand, Errand)
    await world.send()
    assert await world.said() == ["NotificationSent"]


async def test_only_the_first_waiting_is_told_and_every_acceptance(world: World) -> None:
    need, referral = uuid4(), uuid4()
    again: list[NeedStatus] = ["on-hold", "offered", "accepted", "on-hold", "offered"]
    await world.hear(*[a_change(status, need, referral_id=referral) for status in again])
    await world.hear(*[a_change(status, need, referral_id=referral) for status in ("on-hold", "accepted")])
    assert [row["status"] for row in await world.messages()].count("on-hold") == 1
    assert [row["status"] for row in await world.messages()].count("accepted") == 2


async def test_whoever_was_to_be_helped_and_waits_again_is_told_each_time_and_so_is_who_referred_them(
    world: World,
) -> None:
    await world.hear(PartnerRegistered(partner="gp-armley", name="GP", mail=True))
    need, referral = uuid4(), uuid4()
    world.referrals.of_need[str(need)] = a_contact(reference="GP-1042")
    handed_back = {"referral_id": referral, "reason": "handed-back"}
    for previous in ("requested", "accepted", "offered", "in-progress"):
        await world.hear(a_change("on-hold", need, previous=previous, **handed_back))
    await world.send()
    told = [lookup["purpose"] for lookup in world.referrals.asked[0] if lookup["audience"] == "person"]
    assert sorted(told) == ["on-hold", "waiting-again", "waiting-again"]
    subjects = [mail["Subject"] for mail in world.mail.got]
    assert subjects.count("You are back on our waiting list") == 2
    assert subjects.count("GP-1042: waiting for help") == 3
    abouts = [(fact["status"], fact["about"]) for _, fact in await world.facts() if fact["audience"] == "person"]
    assert sorted(abouts, key=str) == [("on-hold", "waiting-again")] * 2 + [("on-hold", None)]


@pytest.mark.parametrize("reason", ["said-no", "not-now"])
async def test_who_called_the_help_off_is_not_told_that_it_is_off(world: World, reason: str) -> None:
    need, referral = uuid4(), uuid4()
    await world.hear(a_change("on-hold", need, referral_id=referral))
    await world.hear(a_change("on-hold", need, referral_id=referral, previous="accepted", reason=reason))
    assert [row["status"] for row in await world.messages()] == ["on-hold"]


async def test_a_task_of_somebody_who_waits_again_goes_on_with_the_same_words(world: World) -> None:
    world.referrals.usual = a_contact(channel="sms", then=[a_contact()])
    await world.hear(a_change("on-hold", previous="accepted", reason="handed-back"))
    await world.send()
    (task,) = await world.tasks()
    told = TellOutcome(task_id=task["id"], who="amina", outcome="wrong-number")
    await world.stage.database.execute("update call_task set claimed_by = 'amina', claimed_at = created_at")
    await world.stage.result(told)
    await world.send()
    assert [mail["Subject"] for mail in world.mail.got] == ["You are back on our waiting list"]


@pytest.mark.invariant(5)
async def test_a_fact_that_is_read_again_tells_nobody_again(world: World) -> None:
    change = a_change("accepted")
    event = fact_event(change, NOON, event_id=uuid4())
    for _ in range(2):
        await world.stage.worker.run(Batch("notifications", [event, event]))
        await world.send()
    assert len(world.mail.got) == 1
    assert await world.said() == ["NotificationSent"]


async def test_a_referrer_is_asked_in_the_words_that_the_person_would_hear(world: World) -> None:
    world.referrals.usual = a_contact(channel="via-referrer", address="gp-armley", neutral=True)
    await world.hear(a_change("accepted"))
    await world.send()
    ((_, fact),) = await world.facts()
    assert fact["text"].startswith("Hello,\n\nThere is good news.")
    assert fact["neutral"]
    assert fact["by"] == "2026-11-25T12:00:00Z"


@pytest.mark.parametrize("channel", ["phone", "letter", "via-referrer", "in-person", "sms"])
async def test_a_channel_without_a_sender_is_a_task_for_a_human_being(world: World, channel: str) -> None:
    world.referrals.usual = a_contact(channel=channel, address="+447700900123")
    change = a_change("accepted")
    await world.hear(change)
    await world.send()
    assert world.mail.got == []
    (task,) = await world.tasks()
    assert (task["channel"], task["about"], task["need_id"]) == (channel, "accepted", change.need_id)
    ((name, fact),) = await world.facts()
    assert (name, fact["task_id"], fact["channel"]) == ("CallRequested", str(task["id"]), channel)


async def test_a_withheld_message_is_said_with_its_reason(world: World) -> None:
    world.referrals.usual = a_contact(decision="withheld", reason="agreement-ended")
    await world.hear(a_change())
    await world.send()
    assert world.mail.got == []
    ((name, fact),) = await world.facts()
    assert (name, fact["reason"]) == ("NotificationWithheld", "agreement-ended")
    (task,) = await world.tasks()
    assert (task["channel"], task["reason"]) == ("staff", "agreement-ended")


@pytest.mark.parametrize("reason", sorted(OVERTAKEN))
async def test_what_nobody_misses_is_no_task(world: World, reason: str) -> None:
    world.referrals.usual = a_contact(decision="withheld", reason=reason)
    await world.hear(a_change())
    await world.send()
    assert await world.tasks() == []
    assert await world.said() == ["NotificationWithheld"]


async def test_one_who_may_not_be_told_yet_is_told_then(world: World) -> None:
    at_three = NOON + timedelta(hours=3)
    world.referrals.usual = a_contact(not_before=at_three.isoformat())
    await world.hear(a_change())
    await world.send()
    world.clock.at = at_three - timedelta(seconds=1)
    assert await world.send() == 0
    assert world.mail.got == []
    world.clock.at = at_three
    await world.send()
    assert len(world.mail.got) == 1
    assert len(world.referrals.asked) == 2
    assert await world.said() == ["NotificationSent"]


@pytest.mark.parametrize("status", [401, 422, 500, 503])
async def test_while_referrals_gives_no_answer_errands_wait_and_are_asked_again(world: World, status: int) -> None:
    world.referrals.status = status
    await world.hear(a_change())
    await world.send()
    assert (world.mail.got, await world.said(), await world.waiting()) == ([], [], 1)
    world.referrals.status = 200
    world.clock.forward(timedelta(seconds=5))
    await world.send()
    assert await world.said() == ["NotificationSent"]


async def test_while_referrals_is_down_errands_wait(new_world: Make) -> None:
    world = await new_world(referrals_url="http://127.0.0.1:1")
    await world.hear(a_change())
    await world.send()
    assert (world.mail.got, await world.said(), await world.waiting()) == ([], [], 1)


@pytest.mark.invariant(5)
@pytest.mark.parametrize(
    "change",
    [
        lambda contacts: contacts[::-1],
        lambda contacts: contacts[:1],
        lambda _: [],
        lambda contacts: [{**contacts[0], "decision": "maybe"}, *contacts[1:]],
        lambda contacts: [{**contacts[0], "neutral": None}, *contacts[1:]],
    ],
    ids=["other order", "too few", "none", "unknown decision", "no word on neutral"],
)
async def test_an_answer_that_is_not_as_agreed_sends_nothing(world: World, change: Any) -> None:
    world.referrals.change = change
    await world.hear(a_change(), a_change())
    await world.send()
    assert (world.mail.got, await world.said(), await world.waiting()) == ([], [], 2)


async def test_a_refused_recipient_is_rung_instead_and_others_are_mailed(world: World) -> None:
    refused, fine = a_change(), a_change()
    ring = a_contact(channel="phone", address="+447700900123")
    world.referrals.of_need[str(refused.need_id)] = a_contact(address="refused@example.org", then=[ring])
    world.mail.refuses.add("refused@example.org")
    await world.hear(refused, fine, a_change())
    await world.send()
    await world.send()
    assert len(world.mail.got) == 2
    assert sorted(await world.said()) == ["CallRequested", "NotificationFailed", "NotificationSent", "NotificationSent"]
    (failed,) = [fact for name, fact in await world.facts() if name == "NotificationFailed"]
    assert (failed["need_id"], failed["reason"], failed["rung"]) == (str(refused.need_id), "refused", 1)
    (task,) = await world.tasks()
    assert (task["need_id"], task["channel"], task["rung"]) == (refused.need_id, "phone", 2)


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "two@example.org, other@example.org", "a@b\r\nBcc: c@d", "<x@example.org>", "ü@example.org"],
)
async def test_an_address_that_is_none_is_refused_without_a_word_to_the_server(world: World, address: str) -> None:
    world.referrals.usual = a_contact(address=address)
    await world.hear(a_change())
    await world.send()
    assert world.mail.got == []
    assert await world.said() == ["NotificationFailed"]
    assert await world.waiting() == 1


async def test_refused_content_is_a_refusal(world: World) -> None:
    world.mail.refuses_content_for.add(ADDRESS)
    await world.hear(a_change())
    await world.send()
    (failed,) = await world.facts()
    assert failed[1]["reason"] == "refused"


@pytest.mark.invariant(5)
async def test_a_mail_of_unknown_result_is_never_sent_again(world: World) -> None:
    lost, other = a_change(), a_change()
    world.referrals.of_need[str(lost.need_id)] = a_contact(address="lost@example.org")
    world.mail.hangs_up_after_data.add("lost@example.org")
    await world.hear(lost, other)
    for _ in range(4):
        await world.send()
        world.clock.forward(timedelta(minutes=5))
    assert sorted(mail["To"] for mail in world.mail.got) == ["lost@example.org", ADDRESS]
    assert sorted(await world.said()) == ["NotificationFailed", "NotificationSent"]
    (task,) = await world.tasks()
    assert (task["channel"], task["reason"]) == ("staff", "unknown-result")
    (failed,) = [fact for name, fact in await world.facts() if name == "NotificationFailed"]
    assert (failed["need_id"], failed["reason"]) == (str(lost.need_id), "unknown-result")
    assert await world.waiting() == 0


@pytest.mark.invariant(5)
async def test_killed_between_attempt_and_result_is_a_call_task_and_no_second_mail(world: World) -> None:
    await world.hear(a_change())
    async with world.stage.database.acquire() as conn:
        assert len(await delivery.begin_errands(conn, world.clock(), "another", 100)) == 1
    world.clock.forward(RESULT_WITHIN)
    assert await world.send() == 0
    world.clock.forward(timedelta(seconds=1))
    await world.send()
    assert world.mail.got == []
    assert await world.said() == ["NotificationFailed"]
    (message,) = await world.messages()
    assert (message["state"], message["reason"]) == ("call-requested", "unknown-result")
    assert len(await world.tasks()) == 1
    assert await world.waiting() == 0


async def test_a_process_that_begins_again_knows_at_once_that_its_own_calls_are_lost(world: World) -> None:
    await world.hear(a_change())
    async with world.stage.database.acquire() as conn:
        await delivery.begin_errands(conn, world.clock(), "0", 100)
    assert await world.send(began=world.clock()) == 0
    await world.send(began=world.clock() + timedelta(seconds=1))
    assert world.mail.got == []
    assert await world.said() == ["NotificationFailed"]
    assert len(await world.tasks()) == 1


async def test_while_the_mail_server_is_down_mails_wait_and_the_rest_goes_on(new_world: Make) -> None:
    world = await new_world(smtp_port=1)
    mailed, rung = a_change(), a_change()
    world.referrals.of_need[str(rung.need_id)] = a_contact(channel="phone")
    await world.hear(mailed, rung)
    await world.send()
    assert await world.said() == ["CallRequested"]
    assert await world.waiting() == 1
    world.clock.forward(timedelta(days=1))
    await world.send()
    assert await world.waiting() == 1


async def test_mails_that_waited_for_the_server_are_sent_once(new_world: Make) -> None:
    standin = StandInMailServer()
    async with standin.serving():
        port = standin.port
    world = await new_world(smtp_port=port)
    await world.hear(a_change(), a_change())
    await world.send()
    assert await world.waiting() == 2
    async with standin.serving(port):
        world.clock.forward(timedelta(seconds=5))
        await world.send()
        await world.send()
    assert len(standin.got) == 2
    assert await world.said() == ["NotificationSent", "NotificationSent"]


async def test_a_server_that_refuses_us_as_sender_blames_no_recipient(world: World) -> None:
    world.mail.refuses_every_sender = True
    await world.hear(a_change(), a_change())
    await world.send()
    assert (await world.said(), await world.waiting()) == ([], 2)


@pytest.mark.parametrize("how", ["puts_off", "hangs_up_on"])
async def test_a_mail_put_off_is_tried_again_and_at_last_becomes_a_task(world: World, how: str) -> None:
    getattr(world.mail, how).add(ADDRESS)
    await world.hear(a_change())
    for _ in range(5):
        assert await world.said() == []
        await world.send()
        if not await world.said():
            assert await world.send() == 0
        world.clock.forward(timedelta(hours=2))
    assert await world.said() == ["NotificationFailed"]
    await world.send()
    assert await world.said() == ["NotificationFailed", "NotificationWithheld"]
    assert world.mail.got == []


async def test_a_mail_put_off_is_taken_the_next_time(world: World) -> None:
    world.mail.puts_off.add(ADDRESS)
    await world.hear(a_change())
    await world.send()
    world.mail.puts_off.clear()
    world.clock.forward(timedelta(minutes=5))
    await world.send()
    assert await world.said() == ["NotificationSent"]


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_mail_goes_over_tls_to_a_server_that_proves_its_name(new_world: Make, mode: str, tmp_path: Path) -> None:
    context, authority = a_certificate(tmp_path)
    standin = StandInMailServer()
    async with standin.serving(tls=mode, context=context):
        world = await new_world(smtp_port=standin.port, smtp_tls=mode, smtp_ca=authority)
        await world.hear(a_change())
        await world.send()
    assert await world.said() == ["NotificationSent"]


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_mail_does_not_go_to_a_server_that_nobody_vouches_for(new_world: Make, mode: str, tmp_path: Path) -> None:
    context, _ = a_certificate(tmp_path)
    standin = StandInMailServer()
    async with standin.serving(tls=mode, context=context):
        world = await new_world(smtp_port=standin.port, smtp_tls=mode)
        await world.hear(a_change())
        await world.send()
    assert (standin.got, await world.waiting()) == ([], 1)


async def test_mail_does_not_go_in_clear_where_tls_was_asked_for(new_world: Make) -> None:
    world = await new_world(smtp_tls="starttls")
    await world.hear(a_change())
    await world.send()
    assert (world.mail.got, await world.waiting()) == ([], 1)


def test_a_password_does_not_travel_in_clear() -> None:
    with pytest.raises(ValueError, match="does not travel in clear"):
        settings_for(1, 1, smtp_user="mailer", smtp_password="secret")


async def test_the_address_is_used_and_forgotten(
    world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    marks = {kind: f"planted-{kind}@example.org" for kind in ("sent", "refused", "dropped", "late", "hung", "rung")}
    changes = {kind: a_change() for kind in marks}
    for kind, change in changes.items():
        world.referrals.of_need[str(change.need_id)] = a_contact(address=marks[kind])
    world.referrals.of_need[str(changes["rung"].need_id)]["channel"] = "phone"
    world.mail.refuses.add(marks["refused"])
    world.mail.hangs_up_after_data.add(marks["dropped"])
    world.mail.puts_off.add(marks["late"])
    world.mail.hangs_up_on.add(marks["hung"])
    await world.hear(*changes.values())
    for _ in range(8):
        await world.send()
        world.clock.forward(timedelta(hours=2))
    out, err = capfd.readouterr()
    logged = "".join(str(record.__dict__) for record in caplog.records if record.name != "mail.log")  # the stand-in's
    kept = await _whole_database(world) + out + err + logged
    assert str(changes["sent"].need_id) in kept
    assert "mail_not_taken" in kept
    assert "planted-" not in kept


async def _whole_database(world: World) -> str:
    tables = await world.stage.rows(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migration'"
    )
    kept = ""
    for table in tables:
        rows = await world.stage.rows(f"select * from {table['tablename']}")  # noqa: S608 - names from the catalogue
        kept += "".join(str(value) for row in rows for value in row.values())
    return kept


async def test_a_mail_is_not_begun_when_its_time_is_over(mail: StandInMailServer) -> None:
    server = MailServer(settings_for(1, mail.port))
    letter = Mail("m-1", SecretStr(ADDRESS), Text("News for you", "Hello,\n"), NOON)
    now = asyncio.get_running_loop().time()
    assert await server.send([letter], now - 1) == ["not-tried"]
    assert await server.send([letter, letter], now + 60) == ["sent", "sent"]


@pytest.mark.parametrize(("how", "known"), [("hangs_up_after_data", "unknown-result"), ("hangs_up_on", "put-off")])
async def test_what_follows_a_lost_connection_was_not_tried(mail: StandInMailServer, how: str, known: str) -> None:
    getattr(mail, how).add("lost@example.org")
    words = Text("News for you", "Hello,\n")
    mails = [Mail("m-1", SecretStr(to), words, NOON) for to in (ADDRESS, "lost@example.org", ADDRESS, ADDRESS)]
    stop_at = asyncio.get_running_loop().time() + 60
    outcomes = await MailServer(settings_for(1, mail.port)).send(mails, stop_at)
    assert outcomes == ["sent", known, "not-tried", "not-tried"]


def test_a_batch_ends_well_before_its_attempt_is_taken_for_lost() -> None:
    longest = SENDING_WITHIN + ONE_MAIL_WITHIN + RESET_WITHIN + QUIT_WITHIN
    assert WITHIN + CONNECT_WITHIN < SENDING_WITHIN
    assert longest < RESULT_WITHIN.total_seconds() - 30


async def test_referrals_answers_only_a_token_of_the_key_that_both_hold(
    new_world: Make, referrals: StandInReferrals
) -> None:
    world = await new_world(token_key=SecretStr("00" * 32))
    await world.hear(a_change())
    await world.send()
    assert (referrals.asked, await world.waiting()) == ([], 1)
