"""An existing waiting list is taken over with its dates."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.facts import Fact
from contracts.calendar import start_of
from contracts.door import ReferralAcknowledged, ReferralPosted
from contracts.referrals import ReferralReceived
from contracts.refusal import MessageRefused
from services.referrals.handlers.importing import ImportReferral
from services.referrals.handlers.partners import RegisterPartner
from tests.referrals.acting import BY_STAFF, TODAY
from tests.referrals.builders import PERSON, a_referral
from tests.support import Stage, said

SINCE = TODAY - timedelta(days=200)


def an_import(**changes: Any) -> ImportReferral:
    told = a_referral(reference="GP-7").model_dump(mode="json", exclude={"person_jwe"})
    referral = ReferralPosted.model_validate({**told, "person": PERSON})
    return ImportReferral.model_validate(
        {**BY_STAFF, "partner": "gp-armley", "received_on": SINCE, "referral": referral, **changes}
    )


async def take_over(stage: Stage, *imports: ImportReferral) -> Any:
    await stage.result(RegisterPartner(partner="gp-armley", name="Armley"))
    return await stage.receive("ann", *imports)


async def test_who_waited_elsewhere_keeps_their_day_and_the_partner_is_told(on_stage: Stage) -> None:
    told = await take_over(on_stage, an_import())
    (received,) = said(told, ReferralReceived)
    assert (received.partner, received.received_at) == ("gp-armley", start_of(SINCE))
    acknowledged = [fact for fact in told if isinstance(fact, Fact) and isinstance(fact.data, ReferralAcknowledged)]
    assert sorted((fact.to or "", fact.is_answer) for fact in acknowledged) == [("ann", True), ("gp-armley", False)]
    (act,) = await on_stage.rows("select act, who, referral_id from staff_act")
    assert act == {"act": "ImportReferral", "who": "ann", "referral_id": received.referral_id}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"partner": "nobody-known"}, "unknown-partner"),
        ({"received_on": TODAY + timedelta(days=1)}, "not-in-the-past"),
        ({"received_on": TODAY - timedelta(days=4000)}, "not-in-the-past"),
    ],
)
async def test_an_import_that_cannot_be_is_refused(on_stage: Stage, changes: dict[str, Any], rule: str) -> None:
    told = await take_over(on_stage, an_import(**changes))
    assert [error.rule for error in said(told, MessageRefused)[0].errors] == [rule]
    assert not await on_stage.rows("select 1 from referral")


async def test_the_same_reference_is_imported_once_whoever_does_it(on_stage: Stage) -> None:
    await take_over(on_stage, an_import())
    told = await on_stage.receive("bob", an_import(by="bob"))
    assert [error.rule for error in said(told, MessageRefused)[0].errors] == ["imported-before"]
    assert len(await on_stage.rows("select 1 from referral")) == 1
