"""What is owed after a restore is told once: what became of a lost referral follows from it."""

from uuid import uuid4

from contracts.access import KeyAdded
from contracts.referrals import ReferralReceived
from deploy.restored import Compared, Missing
from services.referrals.handlers.restored import LetGoKey, LetGoReferral
from tests.support import NOON

REFERRAL = str(ReferralReceived.example["referral_id"])


def missing(kind: str, key: str, **data: object) -> Missing:
    return Missing(str(uuid4()), kind, "referrals", key, NOON, data)


def test_what_became_of_a_lost_referral_is_not_owed_beside_it() -> None:
    received = missing("ReferralReceived", REFERRAL, **ReferralReceived.example)
    follows, other = (
        missing("NeedStatusChanged", REFERRAL),
        missing("ReferralWithdrawn", "another", partner="gp-armley"),
    )
    told = Compared("referrals", 9, [received, follows, other]).document()
    assert (told["said_before"], told["missing"]) == (9, 2)
    assert {record["type"]: record["partner"] for record in told["records"]} == {
        "ReferralReceived": ReferralReceived.example["partner"],
        "ReferralWithdrawn": "gp-armley",
    }
    assert "data" not in told["records"][0]


def test_referrals_and_keys_that_are_lost_can_be_let_go_and_nothing_else() -> None:
    received = missing("ReferralReceived", REFERRAL, **ReferralReceived.example).let_go()
    assert isinstance(received, LetGoReferral)
    assert str(received.referral_id) == REFERRAL
    assert received.need_ids
    assert isinstance(missing("KeyAdded", "k", **KeyAdded.example).let_go(), LetGoKey)
    assert missing("AreasLoaded", "v1").let_go() is None
