"""What becomes of an application is told to the organisation: by mail where it said where, else by staff."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from chassis.work import Batch
from contracts.applicants import ApplicantContact, Instalment, Standing
from contracts.grants import (
    ApplicationDeclined,
    ApplicationSubmitted,
    GrantAwarded,
    GrantReportDue,
    PaymentMade,
)
from services.notifications.clients.grants import Applicant
from services.notifications.clients.words import Words
from services.notifications.domain.telling import CarrierSaid, TellApplicant
from tests.notifications.conftest import AMINA, World, as_, by_notify
from tests.notifications.standins import MAIL_OF_APPLICANT
from tests.support import fact_event

pytestmark = pytest.mark.servers

NAMED: dict[str, Any] = {"round_id": "winter", "organisation_id": "GB-CHC-1110522"}
NewWorld = Callable[..., Awaitable[World]]


def an_award(application: UUID, pence: int = 4_000_00) -> GrantAwarded:
    return GrantAwarded(**NAMED, application_id=application, amount_pence=pence, at=datetime(2026, 12, 10, tzinfo=UTC))


def a_decline(application: UUID) -> ApplicationDeclined:
    return ApplicationDeclined(application_id=application, round_id="winter", reason="outside-budget")


async def test_a_decision_is_told_by_mail_with_its_feedback(world: World) -> None:
    application = uuid4()
    world.grants.standings[str(application)] = {
        "decline_reason": "outside-budget",
        "advice": "Say how you reach people who do not come to you.",
        "marks": [{"criterion": "Meets a need", "points": 450, "most": 5}],
    }
    await world.hear(a_decline(application))
    await world.send()
    (mail,) = world.mail.got
    assert mail["To"] == MAIL_OF_APPLICANT
    assert mail["Subject"] == "Your application is not funded: Tablets for Armley"
    words = mail.get_content()
    assert "there was not enough money for every good project" in words
    assert "- Meets a need: 4.5 of 5" in words.splitlines()
    assert "Say how you reach people who do not come to you." in words
    assert world.grants.asked == [[{"application_id": str(application), "about": "declined", "day": None}]]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85"])
async def test_a_title_with_an_odd_line_end_stops_no_mail(world: World, end: str) -> None:
    application = uuid4()
    world.grants.standings[str(application)] = {"title": f"Tablets{end}for Armley"}
    await world.hear(an_award(application), an_award(uuid4()))
    await world.send()
    assert {mail["Subject"] for mail in world.mail.got} == {"You are awarded £4,000: Tablets for Armley"}
    assert await world.waiting() == 0


async def test_everything_that_happens_is_told_once_also_when_it_is_heard_again(world: World) -> None:
    application = uuid4()
    submitted = ApplicationSubmitted(**NAMED, application_id=application, amount_pence=1, kinds=["device"], wards=[])
    paid = PaymentMade(
        application_id=application, round_id="winter", amount_pence=100_00, paid_pence=100_00, at=world.clock()
    )
    due = GrantReportDue(application_id=application, round_id="winter", due_on=date(2027, 3, 31), is_overdue=True)
    events = [fact_event(fact, world.clock()) for fact in (submitted, an_award(application), paid, due)]
    for _ in range(2):
        await world.stage.worker.run(Batch("notifications", events))
    await world.send()
    await world.send()
    assert sorted(mail["Subject"] for mail in world.mail.got) == [
        "We have your application: Tablets for Armley",
        "You are awarded £4,000: Tablets for Armley",
        "Your report was due on 31 March 2027: Tablets for Armley",
        "£100 is paid: Tablets for Armley",
    ]
    assert await world.said() == []


@pytest.mark.parametrize("refuses", [False, True])
async def test_who_has_no_mail_that_is_read_is_told_by_staff(
    world: World, http: httpx2.AsyncClient, refuses: bool
) -> None:
    application = uuid4()
    world.grants.changes[str(application)] = {} if refuses else {"email": None}
    world.mail.refuses = {MAIL_OF_APPLICANT}
    await world.hear(an_award(application))
    await world.send()
    await world.send()
    assert world.mail.got == []
    (task,) = (await http.get("/v1/call-tasks", headers=as_(AMINA))).json()["tasks"]
    assert (task["audience"], task["application_id"], task["referral_id"]) == ("applicant", str(application), None)
    assert (task["channel"], task["about"]) == ("staff", "awarded")
    assert task["reason"] == ("no-channel-left" if refuses else "no-address")
    taken = (await http.post(f"/v1/call-tasks/{task['id']}/claim", headers=as_(AMINA))).json()
    assert taken["tell"]["name"] == "Armley Helping Hands"
    assert "is awarded £4,000 by Digital fund" in taken["tell"]["words"]
    told = await http.post(f"/v1/call-tasks/{task['id']}/outcome", json={"outcome": "reached"}, headers=as_(AMINA))
    assert told.status_code == 200, told.text
    assert [message["state"] for message in await world.messages()] == ["reached"]
    assert await world.said() == []


async def test_what_an_organisation_knows_anyway_is_no_task(world: World) -> None:
    application = uuid4()
    world.grants.changes[str(application)] = {"email": None}
    paid = PaymentMade(application_id=application, round_id="winter", amount_pence=1, paid_pence=1, at=world.clock())
    submitted = ApplicationSubmitted(**NAMED, application_id=application, amount_pence=1, kinds=["device"], wards=[])
    await world.hear(submitted, paid)
    await world.send()
    assert await world.tasks() == []


async def test_what_was_overtaken_is_told_to_nobody_and_is_no_task(world: World) -> None:
    application = uuid4()
    world.grants.changes[str(application)] = {"withheld": "overtaken", "email": None, "standing": None}
    await world.hear(a_decline(application))
    await world.send()
    assert (world.mail.got, await world.tasks()) == ([], [])
    assert [message["state"] for message in await world.messages()] == ["withheld"]


async def test_a_mail_of_unknown_fate_is_never_sent_again_but_asked_of_staff(world: World) -> None:
    world.mail.hangs_up_after_data = {MAIL_OF_APPLICANT}
    await world.hear(an_award(uuid4()))
    for _ in range(3):
        await world.send()
    assert len(world.mail.got) == 1
    assert [task["reason"] for task in await world.tasks()] == ["unknown-result"]


async def test_while_grants_is_down_letters_wait(world: World) -> None:
    world.grants.status = 503
    await world.hear(an_award(uuid4()))
    await world.send()
    assert (world.mail.got, await world.waiting()) == ([], 1)
    world.grants.status = 200
    world.clock.forward(timedelta(seconds=5))
    await world.send()
    assert (len(world.mail.got), await world.waiting()) == (1, 0)


async def test_a_mail_that_the_carrier_could_not_deliver_is_told_by_staff(new_world: NewWorld) -> None:
    world = await new_world()
    world = await new_world(**by_notify(world.notify, "email"))
    await world.hear(an_award(uuid4()))
    await world.send()
    (message,) = await world.messages()
    await world.stage.result(CarrierSaid(message_id=message["id"], rung=1, status="permanent-failure"))
    await world.send()
    assert [(task["channel"], task["reason"]) for task in await world.tasks()] == [("staff", "no-channel-left")]


async def test_an_address_is_stored_nowhere(world: World) -> None:
    await world.hear(an_award(uuid4()), a_decline(uuid4()))
    await world.send()
    assert len(world.mail.got) == 2
    for table in ("message", "rung", "errand", "outbox", "call_task"):
        rows = await world.stage.rows(f"select t::text as row from {table} t")  # noqa: S608 - names of ours
        assert not [row for row in rows if "mark" in row["row"]], table


def test_an_award_is_told_with_what_is_paid_when_and_which_reports_are_due() -> None:
    tell = TellApplicant(message_id=uuid4(), application_id=uuid4(), about="awarded", pence=4_000_00)
    standing = Standing(
        organisation="Armley Helping Hands",
        title="Tablets for Armley",
        fund="Digital fund",
        asked_pence=5_000_00,
        awarded_pence=4_000_00,
        decided_under="Delegated decision 14",
        schedule=(
            Instalment(due_on=date(2026, 12, 10), pence=3_000_00),
            Instalment(due_on=date(2027, 3, 1), pence=1_000_50, evidence="Receipts"),
        ),
        reports_due=(date(2027, 3, 31),),
    )
    contact = ApplicantContact(application_id=tell.application_id, about="awarded", standing=standing)
    first, *rest = Words().to_applicant(tell, Applicant(contact, ())).body.removeprefix("Hello,\n\n").split("\n\n")
    assert first == (
        "Good news: Armley Helping Hands is awarded £4,000 by Digital fund for Tablets for Armley. "
        "You asked for £5,000. This was decided under Delegated decision 14."
    )
    assert rest[0].splitlines() == [
        "It is paid like this:",
        "- £3,000, by 10 December 2026",
        "- £1,000.50, by 1 March 2027, when we have seen: Receipts",
    ]
    assert rest[1:] == ["Please report what you did with it by:\n- 31 March 2027\n"]
