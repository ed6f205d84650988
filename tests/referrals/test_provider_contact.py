"""A provider is told how to reach whom it helps, while it helps, by the rule of that person, and never unseen."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from contracts.matching import OfferAccepted, SupportEnded, SupportStarted
from contracts.referrals import ReferralReceived
from tests.referrals.builders import a_person, a_referral
from tests.support import Stage, said

HELPER, STRANGER = "library", "food-bank"


@dataclass
class Helped:
    """A need that HELPER helps with; the key of a partner is its name."""

    stage: Stage
    http: httpx2.AsyncClient
    referral: UUID
    need: UUID

    async def ask(self, partner: str = HELPER, *tried: str) -> httpx2.Response:
        return await self.http.get(
            f"/v1/needs/{self.need}/contact",
            params=[("tried", channel) for channel in tried],
            headers={"Authorization": f"Bearer {partner}"},
        )

    async def hear(self, fact: type[Any], **changes: Any) -> None:
        ids = {"referral_id": self.referral, "need_id": self.need, "provider": HELPER}
        await self.stage.hear(fact.model_validate({**fact.example, **ids, **changes}))

    async def audit(self) -> list[dict[str, Any]]:
        return await self.stage.rows("select asked_by, purpose, decision, channel from contact_audit order by id")


@pytest_asyncio.fixture
async def helped(on_stage: Stage, doors: httpx2.AsyncClient) -> Helped:
    rule = {"channels": ["email", "phone"], "neutral": True}
    told = await on_stage.receive("gp-armley", a_referral(a_person(safe_contact=rule)))
    received = said(told, ReferralReceived)[0]
    return Helped(on_stage, doors, received.referral_id, received.needs[0].need_id)


@pytest.mark.invariant(5)
async def test_who_helps_is_told_the_next_safe_channel_while_it_helps(helped: Helped) -> None:
    assert (await helped.ask()).status_code == 404
    await helped.hear(OfferAccepted)
    first, second, none_left = [await helped.ask(HELPER, *tried) for tried in ((), ("email",), ("email", "phone"))]
    assert (first.json()["channel"], first.json()["address"], first.json()["neutral"]) == (
        "email",
        "example@example.org",
        True,
    )
    assert (second.json()["channel"], second.json()["address"]) == ("phone", "+447700900123")
    assert (none_left.json()["decision"], none_left.json()["address"]) == ("withheld", None)
    await helped.hear(SupportStarted)
    assert (await helped.ask()).json()["channel"] == "email"
    await helped.hear(SupportEnded, outcome="helped")
    assert (await helped.ask()).status_code == 404


@pytest.mark.parametrize("partner", [STRANGER, "gp-armley"])
async def test_nobody_else_is_told_not_even_that_it_is_there(helped: Helped, partner: str) -> None:
    await helped.hear(OfferAccepted)
    refused = await helped.ask(partner)
    assert refused.status_code == 404
    assert await helped.audit() == []


async def test_a_need_that_is_handed_back_is_nobodys(helped: Helped) -> None:
    await helped.hear(OfferAccepted)
    await helped.hear(SupportEnded, handed_back=True)
    assert (await helped.ask()).status_code == 404


async def test_each_look_is_audited(helped: Helped) -> None:
    await helped.hear(OfferAccepted)
    await helped.ask()
    await helped.ask(HELPER, "email", "phone")
    common = {"asked_by": HELPER, "purpose": "accepted"}
    assert await helped.audit() == [
        {"decision": "send", "channel": "email", **common},
        {"decision": "withheld", "channel": None, **common},
    ]


async def test_a_way_that_is_none_is_refused_and_nothing_is_told(helped: Helped) -> None:
    await helped.hear(OfferAccepted)
    refused = await helped.ask(HELPER, "email", "fax")
    assert (refused.status_code, "fax" in refused.text) == (422, False)
    (error,) = refused.json()["errors"]
    assert (error["field"], error["rule"]) == ("query.tried.1", "literal-error")
    assert "via-referrer" in error["mend"] + error["message"]
    assert await helped.audit() == []
