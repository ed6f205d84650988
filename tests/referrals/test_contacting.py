"""Referrers tell people for us and report; people say how it went; nothing that was withheld is silent."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app, build_internal_app
from chassis.service import Running, Service
from chassis.tokens import Tokens
from contracts.access import KeyAdded
from contracts.changes import ReferralAmendmentRequested
from contracts.contacting import ContactReported, ContactRequested, ContactWithheld, FeedbackGiven, ReferrerReported
from contracts.matching import OfferAccepted, SupportEnded, SupportStarted
from contracts.notifications import OVERTAKEN, CallRequested, NotificationWithheld
from contracts.referrals import PartnerRegistered, ReferralReceived
from contracts.refusal import MessageRefused
from contracts.vocabulary import Role
from services.referrals.domain.areas import Area
from services.referrals.domain.codes import is_code, plain
from services.referrals.handlers.gate import LINK_LASTS
from services.referrals.handlers.partners import LoadAreas, RemovePartner
from services.referrals.handlers.persons import ErasePerson
from services.referrals.service import build
from services.referrals.store.contacting import GUESSES
from tests.referrals.builders import WARD, a_person, a_referral, sealed, settings
from tests.support import NOON, TOKEN_KEY, Stage, said

PARTNER, OTHER, STAFF = "gp-armley", "foodbank", "ann"
PUBLIC = "https://referrals.example.org"


class Told:
    """Referrals with its doors, in process, on a real database, and one referral of gp-armley."""

    def __init__(self, stage: Stage, door: httpx2.AsyncClient, internal: httpx2.AsyncClient) -> None:
        self.stage, self.door, self.internal = stage, door, internal
        self.referral = UUID(int=0)
        self.needs: list[UUID] = []
        self.person_ref = UUID(int=0)

    async def refer(self, **changes: Any) -> "Told":
        safe = {"channels": ["email", "phone"], "neutral": False}
        heard = await self.stage.receive(PARTNER, a_referral(a_person(safe_contact=safe, **changes)))
        (received,) = said(heard, ReferralReceived)
        self.referral, self.person_ref = received.referral_id, received.person_ref
        self.needs = [need.need_id for need in received.needs]
        return self

    def call(self, channel: Any = "via-referrer", **changes: Any) -> CallRequested:
        return CallRequested(
            **{
                "referral_id": self.referral,
                "need_id": self.needs[0],
                "audience": "person",
                "status": "accepted",
                "task_id": uuid4(),
                "channel": channel,
                "text": "Hello,\n\nThere is good news.\n",
                "neutral": True,
                "by": NOON + timedelta(days=5),
                "at": NOON,
                **changes,
            }
        )

    async def report(self, partner: str, task: UUID, outcome: Any = "told", **more: Any) -> list[Any]:
        return await self.stage.receive(partner, ContactReported(task_id=task, outcome=outcome, **more))

    async def look_up(self, purpose: str, audience: str = "person", **more: Any) -> dict[str, Any]:
        lookup = {"referral_id": str(self.referral), "need_id": str(self.needs[0])}
        token = Tokens(TOKEN_KEY).make("notifications", "referrals", self.stage.clock())
        answer = await self.internal.post(
            "/v1/contacts",
            json={"lookups": [{**lookup, "purpose": purpose, "audience": audience, **more}]},
            headers={"Authorization": f"Bearer {token}"},
        )
        (contact,) = answer.json()["contacts"]
        return dict(contact)

    async def link(self) -> str:
        contact = await self.look_up("feedback-closing")
        return str(contact["link"]).removeprefix(PUBLIC)

    async def said(self, name: str) -> int:
        rows = await self.stage.rows("select 1 from outbox where headers like '%.' || $1 || '.%'", name)
        return len(rows)


def let_in(access: Access, name: str, role: Role) -> None:
    sha = hashlib.sha256(name.encode()).hexdigest()
    until = NOON + timedelta(days=1)
    access.keys[sha] = KeyAdded(key_id=uuid4(), sha256=sha, role=role, principal=name, expires_at=until)
    access.read_to_the_end, access.heard_at = True, float("inf")


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


@pytest_asyncio.fixture
async def told(stage: Callable[[Service], Awaitable[Stage]]) -> AsyncIterator[Told]:
    ours = settings(public_url=PUBLIC)
    put = await stage(build(ours))
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Killingbeck & Seacroft", 2)]))
    prepare = {model.spec.type: how for model, how in put.service.prepare.items()}
    door_ = Door(put.worker, put.clock, prepare)
    running = Running("referrals", put.database, put.worker, door_, put.clock)
    access = Access(ours.kafka, "referrals", put.clock)
    for name, role in ((PARTNER, "partner"), (OTHER, "partner"), (STAFF, "staff")):
        let_in(access, name, role)  # type: ignore[arg-type]  # one of the roles
    assert put.service.internal
    app = build_app("referrals", access, Health("referrals", put.database), put.service.routers(running))
    inner = build_internal_app(put.service.internal(running))
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://referrals") as door,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(inner), base_url="http://referrals") as internal,
    ):
        yield await Told(put, door, internal).refer()


async def test_the_referrer_is_asked_with_its_reference_and_the_words(told: Told) -> None:
    call = told.call()
    (asked,) = said(await told.stage.hear(call), ContactRequested)
    assert (asked.task_id, asked.reference, asked.text, asked.neutral) == (call.task_id, "GP-1042", call.text, True)
    assert asked.by == NOON + timedelta(days=5)
    assert said(await told.stage.hear(call), ContactRequested) == []


async def test_other_ways_are_none_of_the_referrers_business(told: Told) -> None:
    assert await told.stage.hear(told.call("phone"), told.call(referral_id=uuid4())) == []


@pytest.mark.parametrize("outcome", ["told", "could-not-reach", "declined"])
async def test_what_the_referrer_reports_is_said_once(told: Told, outcome: str) -> None:
    call = told.call()
    await told.stage.hear(call)
    (report,) = said(await told.report(PARTNER, call.task_id, outcome), ReferrerReported)
    assert (report.task_id, report.outcome, report.referral_id) == (call.task_id, outcome, told.referral)
    assert await told.report(PARTNER, call.task_id, outcome) == []


@pytest.mark.parametrize(("partner", "known"), [(OTHER, True), (PARTNER, False)])
async def test_only_who_was_asked_reports(told: Told, partner: str, known: bool) -> None:
    call = told.call()
    await told.stage.hear(call)
    (refused,) = said(await told.report(partner, call.task_id if known else uuid4()), MessageRefused)
    assert [error.rule for error in refused.errors] == ["not-found"]
    assert await told.said("ReferrerReported") == 0


async def test_another_outcome_than_before_is_refused(told: Told) -> None:
    call = told.call()
    await told.stage.hear(call)
    await told.report(PARTNER, call.task_id, "told")
    (refused,) = said(await told.report(PARTNER, call.task_id, "declined"), MessageRefused)
    assert [error.rule for error in refused.errors] == ["illegal-move"]


async def test_a_report_comes_over_http_too(told: Told) -> None:
    call = told.call()
    await told.stage.hear(call)
    path = f"/v1/contact-requests/{call.task_id}/report"
    assert (await told.door.post(path, json={"outcome": "told"}, headers=by(PARTNER))).status_code == 202
    assert (await told.door.post(path, json={"outcome": "told"}, headers=by(OTHER))).status_code == 404
    assert (await told.door.post(path, json={"outcome": "maybe"}, headers=by(PARTNER))).status_code == 422
    assert await told.said("ReferrerReported") == 1


async def test_what_the_person_told_the_referrer_is_kept_as_their_answer(told: Told) -> None:
    call = told.call(status="completed", about="feedback-closing")
    await told.stage.hear(call)
    heard = await told.report(PARTNER, call.task_id, goal_met="partly")
    (given,) = said(heard, FeedbackGiven)
    assert (given.asked, given.goal_met, given.online) == ("closing", "partly", "not-said")
    other = told.call()
    await told.stage.hear(other)
    assert said(await told.report(PARTNER, other.task_id, goal_met="yes"), FeedbackGiven) == []


def withheld(told: Told, **changes: Any) -> NotificationWithheld:
    ids = {"referral_id": told.referral, "need_id": told.needs[0]}
    fields = {**ids, "audience": "person", "status": "accepted", "reason": "safe-contact-lapsed", "at": NOON}
    return NotificationWithheld(**{**fields, **changes})


async def test_what_was_withheld_is_told_to_the_referrer_with_its_reason(told: Told) -> None:
    (heard,) = said(await told.stage.hear(withheld(told)), ContactWithheld)
    assert (heard.reference, heard.about, heard.reason) == ("GP-1042", "accepted", "safe-contact-lapsed")


@pytest.mark.parametrize("changes", [*({"reason": why} for why in sorted(OVERTAKEN)), {"audience": "referrer"}])
async def test_what_was_overtaken_is_told_to_nobody(told: Told, changes: dict[str, Any]) -> None:
    assert await told.stage.hear(withheld(told, **changes)) == []


async def test_news_that_waited_until_it_was_not_true_any_more_is_withheld_from_the_person_alone(told: Told) -> None:
    await with_mail(told)
    ids = {"referral_id": told.referral, "need_id": told.needs[0]}
    assert (await told.look_up("on-hold"))["decision"] == "send"
    await told.stage.hear(OfferAccepted.model_validate({**OfferAccepted.example, **ids}))
    assert ((await told.look_up("accepted"))["decision"], (await told.look_up("on-hold"))["reason"]) == (
        "send",
        "overtaken",
    )
    await told.stage.hear(SupportEnded.model_validate({**SupportEnded.example, **ids, "handed_back": True}))
    gone = await told.look_up("accepted")
    assert (gone["decision"], gone["reason"], gone["address"]) == ("withheld", "overtaken", None)
    assert (await told.look_up("accepted", "referrer"))["decision"] == "send"


@pytest.mark.invariant(5)
async def test_what_the_referrer_told_them_after_all_is_told_no_other_way(told: Told) -> None:
    async def last() -> str:
        return str((await told.look_up("on-hold", tried=["via-referrer"]))["reason"])

    first, second = told.call(status="on-hold"), told.call(status="on-hold")
    await told.stage.hear(first, told.call(status="on-hold", need_id=told.needs[1]))
    assert await last() == "None"
    await told.report(PARTNER, first.task_id, "told")
    assert await last() == "overtaken"
    assert (await told.look_up("on-hold"))["decision"] == "send", "asked for another message, not yet by the referrer"
    told.stage.clock.forward(timedelta(days=1))
    await told.stage.hear(second)
    assert await last() == "None", "this one they do not know"
    await told.report(PARTNER, second.task_id, "could-not-reach")
    assert await last() == "None"


async def test_a_link_is_looked_at_without_effect_and_answers_once(told: Told) -> None:
    link = await told.link()
    for _ in range(3):
        page = await told.door.get(link)
        assert (page.status_code, page.text.count("<fieldset>")) == (200, 2)
        await told.door.head(link)
    assert await told.said("FeedbackGiven") == 0
    sent = await told.door.post(link, data={"goal_met": "yes", "online": "no"})
    assert (sent.status_code, "Thank you" in sent.text) == (200, True)
    await told.door.post(link, data={"goal_met": "no", "online": "yes"})
    assert await told.stage.rows("select asked, goal_met, online from feedback") == [
        {"asked": "closing", "goal_met": "yes", "online": "no"}
    ]
    assert await told.said("FeedbackGiven") == 1


async def test_a_link_holds_128_random_bits_and_only_its_hash_is_kept(told: Told) -> None:
    links = [await told.link() for _ in range(3)]
    assert len(set(links)) == 3
    assert all(re.fullmatch(r"/l/[A-Za-z0-9_-]{22}", link) for link in links)
    kept = str(await told.stage.rows("select * from answer_link"))
    assert not any(link.removeprefix("/l/") in kept for link in links)


@pytest.mark.parametrize("link", ["/l/AAAAAAAAAAAAAAAAAAAAAA", "/l/x", "/l/" + "a" * 5000])
async def test_a_link_that_is_none_leads_to_no_form(told: Told, link: str) -> None:
    for answer in (await told.door.get(link), await told.door.post(link, data={"goal_met": "yes"})):
        assert (answer.status_code, "<form" in answer.text) == (404, False)
    assert await told.said("FeedbackGiven") == 0


async def test_a_link_expires(told: Told) -> None:
    link = await told.link()
    told.stage.clock.forward(LINK_LASTS)
    assert (await told.door.get(link)).status_code == 404


@pytest.mark.parametrize("body", [b"", b"goal_met=maybe&online=%00", b"&".join([b"x=1"] * 100), b"goal_met=" * 1000])
async def test_an_answer_that_is_none_is_taken_as_not_said(told: Told, body: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await told.door.post(await told.link(), content=body, headers=form)).status_code == 200
    assert await told.stage.rows("select goal_met, online from feedback") == [
        {"goal_met": "not-said", "online": "not-said"}
    ]


async def test_neutral_contacts_get_no_link(told: Told) -> None:
    await told.refer(email="other@example.org")
    safe = {"channels": ["email"], "neutral": True}
    heard = await told.stage.receive(PARTNER, a_referral(a_person(safe_contact=safe)))
    (received,) = said(heard, ReferralReceived)
    told.referral, told.needs = received.referral_id, [received.needs[0].need_id]
    assert (await told.look_up("feedback-closing"))["link"] is None


async def test_staff_keep_what_a_person_told_them(told: Told) -> None:
    body = {"need_id": str(told.needs[0]), "asked": "3-months", "goal_met": "yes", "online": "yes"}
    path = f"/v1/staff/referrals/{told.referral}/feedback"
    assert (await told.door.post(path, json=body, headers=by(STAFF))).status_code == 202
    assert (await told.door.post(path, json=body, headers=by(PARTNER))).status_code == 403
    other = await told.door.post(path, json={**body, "need_id": str(uuid4())}, headers=by(STAFF))
    assert other.status_code == 404
    wrong = await told.door.post(path, json={**body, "asked": "9-months"}, headers=by(STAFF))
    assert wrong.status_code == 422
    assert await told.said("FeedbackGiven") == 1


async def with_mail(told: Told, email: str | None = "office@example.org") -> list[Any]:
    answer = await told.door.put("/v1/mail", json={"email": email}, headers=by(PARTNER))
    assert answer.status_code == 202, answer.text
    return await told.stage.rows("select * from partner_mail")


async def test_a_partner_says_where_it_is_written_to(told: Told) -> None:
    assert len(await with_mail(told)) == 1
    told_ = await told.look_up("accepted", "referrer")
    assert (told_["channel"], told_["address"], told_["reference"]) == ("email", "office@example.org", "GP-1042")
    assert await with_mail(told, None) == []
    assert (await told.look_up("accepted", "referrer"))["reason"] == "no-mail"
    await with_mail(told)
    await told.stage.result(RemovePartner(partner=PARTNER))
    assert await told.stage.rows("select * from partner_mail") == []


async def test_everybody_hears_who_wants_mail_and_not_where(told: Told) -> None:
    await with_mail(told)
    rows = await told.stage.rows("select value from outbox where headers like '%PartnerRegistered%'")
    assert PartnerRegistered.model_validate_json(rows[-1]["value"]).mail
    assert b"office" not in rows[-1]["value"]


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": "a@b.org, c@d.org"}, {"email": 1, "x": 2}])
async def test_an_address_that_is_none_is_refused_and_not_repeated(told: Told, body: dict[str, Any]) -> None:
    refused = await told.door.put("/v1/mail", json=body, headers=by(PARTNER))
    assert refused.status_code == 422
    assert "c@d.org" not in refused.text


async def code_of(told: Told) -> str:
    await with_mail(told)
    contact = await told.look_up("requested", "referrer")
    assert contact["link"] == f"{PUBLIC}/status"
    return str(contact["code"])


async def test_a_status_code_shows_the_status_of_each_need_and_nothing_else(told: Told) -> None:
    code = await code_of(told)
    assert is_code(plain(code))
    shown = await told.door.post("/status", data={"code": f" {code.lower()} "})
    assert shown.status_code == 200
    assert shown.text.count("received, since 20.11.2026") == 2
    for secret in ("GP-1042", "Example", WARD, str(told.referral), "gp-armley"):
        assert secret not in shown.text
    assert plain(code) not in str(await told.stage.rows("select * from status_code"))


async def test_there_is_no_code_where_the_person_wants_neutral_words(told: Told) -> None:
    safe = {"channels": ["email"], "neutral": True}
    (received,) = said(await told.stage.receive(PARTNER, a_referral(a_person(safe_contact=safe))), ReferralReceived)
    told.referral, told.needs = received.referral_id, [received.needs[0].need_id]
    await with_mail(told)
    contact = await told.look_up("requested", "referrer")
    assert (contact["decision"], contact["code"], contact["link"]) == ("send", None, None)


@pytest.mark.invariant(5)
async def test_a_code_that_was_given_before_shows_nothing_once_the_person_wants_neutral_words(told: Told) -> None:
    code = await code_of(told)
    person = sealed(a_person(safe_contact={"channels": ["phone"], "neutral": True}))
    await told.stage.receive(PARTNER, ReferralAmendmentRequested(referral_id=told.referral, person_jwe=person))
    shown = await told.door.post("/status", data={"code": code})
    assert (shown.status_code, "does not work any more" in shown.text) == (404, True)
    assert "received" not in shown.text
    assert await told.stage.rows("select * from status_guess") == []


async def test_codes_cannot_be_searched_for(told: Told) -> None:
    code = await code_of(told)
    for _ in range(GUESSES):
        assert (await told.door.post("/status", data={"code": "AAAAAAAAAA"})).status_code == 404
    assert (await told.door.post("/status", data={"code": code})).status_code == 429
    told.stage.clock.forward(timedelta(hours=1))
    assert (await told.door.post("/status", data={"code": code})).status_code == 200


@pytest.mark.parametrize("code", ["", "x", "AAAAA-AAAA0", "A" * 1000, "' or 1=1 --"])
async def test_what_is_no_code_is_refused_in_plain_words(told: Told, code: str) -> None:
    refused = await told.door.post("/status", data={"code": code})
    assert refused.status_code == 404
    assert "no such code" in refused.text
    assert await told.stage.rows("select * from status_guess") == []


async def test_what_is_kept_of_contacting_goes_with_the_person(told: Told) -> None:
    await told.stage.hear(told.call())
    await told.door.post(await told.link(), data={"goal_met": "yes"})
    code = await code_of(told)
    await told.stage.result(ErasePerson(person_ref=told.person_ref, by="ann", reason="asked"))
    for table in ("contact_request", "answer_link", "feedback", "status_code"):
        assert await told.stage.rows(f"select * from {table}") == []  # noqa: S608 - names from here
    assert (await told.door.post("/status", data={"code": code})).status_code == 404


async def test_the_pages_run_no_script_and_ask_nothing_outside(told: Told) -> None:
    for page in (await told.door.get("/status"), await told.door.get(await told.link())):
        assert "<script" not in page.text
        assert "http" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"


async def test_after_closing_only_the_end_and_how_it_went_are_told(told: Told) -> None:
    ids = {"referral_id": told.referral}
    for nth, need in enumerate(told.needs):
        started = SupportStarted.model_validate({**SupportStarted.example, **ids, "need_id": need})
        ended = SupportEnded.model_validate({**SupportEnded.example, **ids, "need_id": need, "outcome": "helped"})
        await told.stage.database.execute("update need set status = 'accepted' where id = $1", need)
        await told.stage.hear(started, ended)
        assert nth < 2
    assert (await told.look_up("completed"))["decision"] == "send"
    assert (await told.look_up("feedback-closing"))["decision"] == "send"
    assert (await told.look_up("renewal"))["decision"] == "send"
    assert (await told.look_up("offered"))["reason"] == "closed"
