"""Services as they are wired, connected to nothing."""

from typing import Any

from pydantic import SecretStr

from chassis.service import Service
from deploy.wiring import build, settings_of
from tests.referrals.builders import settings


def built(service: str) -> Service:
    """A service's own wiring, with whatever any service asks for in its settings."""
    given: dict[str, Any] = {
        **settings().model_dump(),
        "referrals_url": "http://127.0.0.1:1",
        "service_key": SecretStr("unused"),
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "smtp_sender": "help@example.org",
    }
    return build(service, settings_of(service)(**given))
