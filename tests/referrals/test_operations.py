"""Acts of operations: partners that leave, keys that are told again, what is let go after a restore, rewrapped keys."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.errors import Refused
from chassis.sealing import Vault
from chassis.service import Service
from contracts.access import KeyAdded, KeyRevoked
from contracts.referrals import PartnerRegistered, ReferralReceived, ReferralWithdrawn
from deploy.keys import add_key
from services.referrals.domain.areas import Area
from services.referrals.handlers.partners import (
    AddKey,
    LoadAreas,
    RegisterPartner,
    RemovePartner,
    RevokeKeys,
    SayKeys,
)
from services.referrals.handlers.restored import LetGoKey, LetGoReferral
from services.referrals.handlers.rewrap import rewrap
from tests.referrals.builders import PERSON, WARD, a_referral, referrals, settings
from tests.support import NOON, Stage, said

PARTNER = "gp-armley"


@pytest_asyncio.fixture
async def on_stage(stage: Callable[[Service], Awaitable[Stage]]) -> Stage:
    put = await stage(referrals)
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Gipton & Harehills", 1)]))
    return put


def a_key(principal: str = PARTNER) -> AddKey:
    return add_key(f"ff_{uuid4()}", "partner", principal, NOON)


async def test_a_removed_partner_is_called_by_its_id_and_never_let_in_again(on_stage: Stage) -> None:
    await on_stage.result(RegisterPartner(partner=PARTNER, name="Armley Medical Practice"), a_key())
    told = await on_stage.result(RemovePartner(partner=PARTNER))
    assert [(fact.partner, fact.name) for fact in said(told, PartnerRegistered)] == [(PARTNER, PARTNER)]
    assert await on_stage.rows("select name from partner") == [{"name": PARTNER}]
    assert not await on_stage.result(RemovePartner(partner=PARTNER))
    assert not await on_stage.result(RegisterPartner(partner=PARTNER, name="Somebody else"))
    with pytest.raises(Refused, match="removed"):
        await on_stage.result(a_key())
    assert await on_stage.result(a_key("food-bank"))


async def test_keys_that_are_live_are_told_again_and_no_others(on_stage: Stage) -> None:
    await on_stage.result(a_key("gone"))
    await on_stage.result(RevokeKeys(role="partner", principal="gone"))
    await on_stage.result(live := a_key())
    assert [fact.key_id for fact in said(await on_stage.result(SayKeys()), KeyAdded)] == [live.key_id]
    on_stage.clock.forward(timedelta(days=366))
    assert not await on_stage.result(SayKeys())


async def test_what_was_lost_is_let_go_by_everybody(on_stage: Stage) -> None:
    referral, need, key = uuid4(), uuid4(), uuid4()
    told = await on_stage.result(LetGoReferral(referral_id=referral, need_ids=[need]), LetGoKey(key_id=key))
    assert said(told, ReferralWithdrawn) == [
        ReferralWithdrawn(referral_id=referral, need_ids=[need], reason="entered-in-error")
    ]
    assert said(told, KeyRevoked) == [KeyRevoked(key_id=key)]


async def test_keys_of_persons_are_wrapped_anew_and_again_has_no_effect(on_stage: Stage) -> None:
    told = await on_stage.receive(PARTNER, a_referral())
    assert said(told, ReferralReceived)
    old = settings().programme_key.get_secret_value()
    new = "77" * 32
    both = Vault(SecretStr(f"{new}\n{old}"))
    assert await rewrap(on_stage.database, both) == (1, 1)
    assert await rewrap(on_stage.database, both) == (1, 0)
    (row,) = await on_stage.rows("select person_ref, wrapped_key, sealed from person")
    assert isinstance(row["person_ref"], UUID)
    opened = json.loads(Vault(SecretStr(new)).unlock(row["wrapped_key"], row["sealed"]))
    assert opened["name"] == PERSON["name"]
