"""What partners, matching, staff and days do to a referral in a test, and what was said of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from chassis.facts import Said
from contracts.changes import ReferralAmendmentRequested
from contracts.matching import OfferMade
from contracts.referrals import (
    NeedStatusChanged,
    ReferralAmended,
    ReferralReceived,
)
from contracts.refusal import MessageRefused
from services.referrals.handlers.moves import CheckDay
from tests.referrals.builders import a_referral
from tests.support import NOON, Stage, said

TODAY = NOON.date()
OTHER_WARD = "E05011394"
BY_STAFF = {"by": "ann", "why": "a reason"}


async def refer(stage: Stage, **changes: Any) -> ReferralReceived:
    told = await stage.receive("gp-armley", a_referral(**{"needs": [{"kind": "device"}], **changes}))
    (received,) = said(told, ReferralReceived)
    return received


def ids(received: ReferralReceived, nth: int = 0) -> dict[str, Any]:
    return {"referral_id": received.referral_id, "need_id": received.needs[nth].need_id}


def offer(received: ReferralReceived) -> OfferMade:
    return OfferMade(
        **ids(received),
        offer_id=uuid4(),
        place_id="p",
        provider="library",
        kind="device",
        rank_key=NOON,
        expires_at=NOON,
        decision=1,
    )


async def offered(stage: Stage, **changes: Any) -> ReferralReceived:
    received = await refer(stage, **changes)
    await stage.hear(offer(received))
    return received


def told_matching(told: Sequence[Said]) -> list[tuple[bool, date | None]]:
    return [(need.paused, need.paused_until) for fact in said(told, ReferralAmended) for need in fact.needs]


def rules(told: Sequence[Said]) -> list[str]:
    return [error.rule for refused in said(told, MessageRefused) for error in refused.errors]


def statuses(told: Sequence[Said]) -> list[tuple[str, str | None]]:
    return [(change.status, change.reason) for change in said(told, NeedStatusChanged)]


async def next_of(stage: Stage, received: ReferralReceived) -> tuple[str, date]:
    (row,) = await stage.rows("select next_by, next_on from need where id = $1", received.needs[0].need_id)
    return row["next_by"], row["next_on"]


async def day(stage: Stage, on: date) -> list[Said]:
    """The day comes, and what was planned for it is done."""
    stage.clock.at = NOON + (on - TODAY)
    return await stage.result(CheckDay(day=on))


async def amend(stage: Stage, received: ReferralReceived, partner: str = "gp-armley", **changes: Any) -> list[Said]:
    request = ReferralAmendmentRequested.model_validate({"referral_id": received.referral_id, **changes})
    return await stage.receive(partner, request)


async def act(stage: Stage, model: type[BaseModel], received: ReferralReceived, **fields: Any) -> list[Said]:
    known = ids(received)
    of = {name: known[name] for name in set(known) & set(model.model_fields)}
    return await stage.result(model(**{**BY_STAFF, **of, **fields}))
