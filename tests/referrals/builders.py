"""Messages that are valid by default."""

import json
from datetime import date
from typing import Any

from pydantic import SecretStr

from chassis.jwe import new_key, public_part, seal
from contracts.door import ReferralSubmitted
from services.referrals.service import build
from services.referrals.settings import ReferralsSettings
from tests.support import SEALING_KEY, TOKEN_KEY

WARD = "E05011400"
JWE_KEY = new_key("test")
PUBLIC_KEY = public_part(JWE_KEY)
PERSON: dict[str, Any] = {
    "name": "Example Person",
    "born": "1951-03-09",
    "address": ["12 Example Street", "Leeds"],
    "postcode": "LS9 6AB",
    "phone": "+447700900123",
    "email": "example@example.org",
    "safe_contact": {"channels": ["email", "phone"], "neutral": True},
    "circumstances": {"offline": "yes", "low-income": "yes", "domestic-abuse": "not-asked"},
}


def a_person(**changes: Any) -> dict[str, Any]:
    return {**PERSON, **changes}


def sealed(person: dict[str, Any]) -> str:
    return seal(json.dumps(person).encode(), PUBLIC_KEY)


def a_referral(person: dict[str, Any] | None = None, **changes: Any) -> ReferralSubmitted:
    fields = {
        "reference": "GP-1042",
        "ward": WARD,
        "needs": [{"kind": "device"}, {"kind": "champion", "languages": ["ur"]}],
        "languages": ["ur", "en"],
        "agreement": {"by": "person", "given_on": str(date(2026, 11, 20))},
        "person_jwe": sealed(person or PERSON),
    }
    return ReferralSubmitted.model_validate({**fields, **changes})


def settings(**changes: Any) -> ReferralsSettings:
    given: dict[str, Any] = {
        "database_host": "",
        "database_name": "",
        "database_user": "",
        "database_password": "",
        "kafka_bootstrap": "",
        "kafka_user": "",
        "kafka_password": "",
        "http_port": 1,
        "sealing_key": SEALING_KEY,
        "jwe_key": SecretStr(json.dumps(JWE_KEY)),
        "programme_key": SecretStr("a1" * 32),
        "token_key": TOKEN_KEY,
    }
    return ReferralsSettings(**{**given, **changes})


referrals = build(settings())
