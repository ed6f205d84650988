"""How other services learn of a way to reach a person: by a rule that allows it, and never unseen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.door import Door
from chassis.http import build_internal_app
from chassis.service import Running, Service
from chassis.tokens import Tokens
from contracts.referrals import ReferralReceived
from services.referrals.api.contacts import A_MINUTE
from services.referrals.domain.areas import Area
from services.referrals.handlers.partners import LoadAreas
from services.referrals.handlers.restored import ReleaseContact
from tests.referrals.builders import WARD, a_person, a_referral, referrals
from tests.support import NOON, TOKEN_KEY, Stage, said

AUDIT = "select referral_id, asked_by, purpose, decision, channel from contact_audit order by id"


class Contacts:
    """The door that notifications uses, in process, on a real database."""

    def __init__(self, stage: Stage, http: httpx2.AsyncClient) -> None:
        self.stage = stage
        self.http = http

    async def refer(self, **changes: Any) -> UUID:
        told = await self.stage.receive("gp-armley", a_referral(a_person(**changes)))
        return said(told, ReferralReceived)[0].referral_id

    async def ask(self, *referrals: UUID, token: str | None = None, **changes: Any) -> httpx2.Response:
        asked = {"need_id": str(uuid4()), "purpose": "offered", **changes}
        lookups = [{"referral_id": str(referral), **asked} for referral in referrals]
        return await self.http.post(
            "/v1/contacts", json={"lookups": lookups}, headers={"Authorization": f"Bearer {token or a_token()}"}
        )

    async def answers(self, *referrals: UUID, **changes: Any) -> list[dict[str, Any]]:
        response = await self.ask(*referrals, **changes)
        assert response.status_code == 200, response.text
        return list(response.json()["contacts"])

    async def audit(self) -> list[dict[str, Any]]:
        return await self.stage.rows(AUDIT)


def a_token(
    who: str = "notifications", whom: str = "referrals", at: datetime = NOON, key: SecretStr = TOKEN_KEY
) -> str:
    return Tokens(key).make(who, whom, at)


@pytest_asyncio.fixture
async def contacts(stage: Callable[[Service], Awaitable[Stage]]) -> AsyncIterator[Contacts]:
    put = await stage(referrals)
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Killingbeck & Seacroft", 2)]))
    running = Running("referrals", put.database, put.worker, Door(put.worker, put.clock), put.clock)
    assert put.service.internal
    app = build_internal_app(put.service.internal(running))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://referrals") as http:
        yield Contacts(put, http)


@pytest.mark.invariant(5)
async def test_the_next_channel_of_the_rule_is_told_with_its_address(contacts: Contacts) -> None:
    referral = await contacts.refer(safe_contact={"channels": ["email", "phone", "via-referrer"], "neutral": True})
    seen = []
    for tried in ([], ["email"], ["email", "phone"], ["email", "phone", "via-referrer"]):
        (answer,) = await contacts.answers(referral, tried=tried)
        seen.append((answer["decision"], answer["channel"], answer["address"]))
    assert seen == [
        ("send", "email", "example@example.org"),
        ("send", "phone", "+447700900123"),
        ("send", "via-referrer", "gp-armley"),
        ("withheld", None, None),
    ]


async def test_every_answer_is_audited_also_one_that_is_withheld(contacts: Contacts) -> None:
    told, lapsed = (
        await contacts.refer(),
        await contacts.refer(
            name="Another Person", born=None, safe_contact={"channels": ["email"], "until": "2026-11-19"}
        ),
    )
    unknown = uuid4()
    await contacts.answers(told, lapsed, unknown)
    common = {"asked_by": "notifications", "purpose": "offered"}
    assert await contacts.audit() == [
        {"referral_id": told, "decision": "send", "channel": "email", **common},
        {"referral_id": lapsed, "decision": "withheld", "channel": None, **common},
        {"referral_id": unknown, "decision": "withheld", "channel": None, **common},
    ]


async def test_the_audit_holds_no_address(contacts: Contacts) -> None:
    await contacts.answers(await contacts.refer())
    rows = await contacts.stage.rows("select * from contact_audit")
    assert "example" not in str(rows)
    assert "+44" not in str(rows)


@pytest.mark.parametrize(
    "token",
    [
        a_token(key=SecretStr("00" * 32)),
        a_token(whom="matching"),
        a_token(at=NOON - timedelta(minutes=2)),
        a_token(at=NOON + timedelta(minutes=2)),
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJub3RpZmljYXRpb25zIiwiYXVkIjoicmVmZXJyYWxzIn0.",
        "a-partners-key",
    ],
    ids=["another key", "for another", "no longer live", "not yet live", "not signed", "no token"],
)
async def test_only_services_are_told(contacts: Contacts, token: str) -> None:
    referral = await contacts.refer()
    refused = await contacts.ask(referral, token=token)
    assert refused.status_code == 401
    assert "example" not in refused.text
    assert await contacts.audit() == []


async def test_a_line_of_the_audit_cannot_be_changed_or_taken_out_by_the_service(contacts: Contacts) -> None:
    await contacts.answers(await contacts.refer())
    for sql in ("update contact_audit set purpose = 'x'", "delete from contact_audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await contacts.stage.rows(sql)


async def test_after_a_restore_nobody_is_contacted_until_staff_release_it(contacts: Contacts) -> None:
    referral = await contacts.refer()
    await contacts.stage.database.execute("insert into contact_hold (held_at) values ($1)", NOON)
    (held,) = await contacts.answers(referral)
    assert (held["decision"], held["reason"], held["address"]) == ("withheld", "restored", None)
    assert (await contacts.audit())[-1]["decision"] == "withheld"
    await contacts.stage.result(ReleaseContact(by="ann", reason="looked at"))
    (released,) = await contacts.answers(referral)
    assert released["decision"] == "send"
    assert await contacts.stage.rows("select released_by, why from contact_hold") == [
        {"released_by": "ann", "why": "looked at"}
    ]


async def test_who_asks_for_more_people_than_are_told_in_a_minute_waits_for_the_next(contacts: Contacts) -> None:
    nobody = [uuid4()] * 500
    answers = [(await contacts.ask(*nobody)).status_code for _ in range(A_MINUTE // 500 + 1)]
    assert answers == [*[200] * (A_MINUTE // 500), 429]
    contacts.stage.clock.forward(timedelta(minutes=1))
    assert (await contacts.ask(*nobody)).status_code == 200
