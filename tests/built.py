"""Services as they are wired, connected to nothing."""

from typing import Any

from chassis.service import Service
from deploy.wiring import build, settings_of
from tests.referrals.builders import settings
from tests.support import TOKEN_KEY


def built(service: str) -> Service:
    """A service's own wiring, with whatever any service asks for in its settings."""
    given: dict[str, Any] = {
        **settings().model_dump(),
        "referrals_url": "http://127.0.0.1:1",
        "grants_url": "http://127.0.0.1:1",
        "token_key": TOKEN_KEY,
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "smtp_sender": "help@example.org",
    }
    return build(service, settings_of(service)(**given))
