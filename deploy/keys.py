"""Secrets made here: random, kept in files that only their owner may read."""

import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from chassis.ids import uuid7
from chassis.jwe import new_key, public_part
from contracts.message import SERVICES, Service
from contracts.vocabulary import Role
from deploy.embedded.secrets import write
from services.referrals.handlers.partners import AddKey

LIVES = timedelta(days=365)


def new_api_key() -> str:
    """256 random bits, marked so that a leaked one is recognised."""
    return f"ff_{secrets.token_urlsafe(32)}"


def add_key(api_key: str, role: Role, principal: str, at: datetime) -> AddKey:
    """What the referrals service is told of a key: never the key."""
    digest = sha256(api_key.encode()).hexdigest()
    return AddKey(key_id=uuid7(at), sha256=digest, role=role, principal=principal, expires_at=at + LIVES)


def make_secrets(folder: Path) -> None:
    """Makes what is missing of `folder/<service>/furthest_<setting>`, the files that settings are read from."""
    for service in SERVICES:
        wanted = {
            "database_password": secrets.token_urlsafe(24),
            "owner_password": secrets.token_urlsafe(24),
            "kafka_password": secrets.token_urlsafe(24),
            "sealing_key": secrets.token_hex(32),
            **_own(service),
        }
        for name, value in wanted.items():
            _keep(folder / service / f"furthest_{name}", value)


def _own(service: Service) -> dict[str, str]:
    if service == "referrals":
        key_id = f"programme-{secrets.token_hex(4)}"
        return {"jwe_key": json.dumps(new_key(key_id)), "programme_key": secrets.token_hex(32)}
    return {"service_key": new_api_key()} if service == "notifications" else {}


def _keep(path: Path, value: str) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(path, value)


def read(folder: Path, service: str, name: str) -> str:
    return (folder / service / f"furthest_{name}").read_text()


def public_key(folder: Path) -> dict[str, str]:
    """The JWK that partners seal persons with."""
    return public_part(json.loads(read(folder, "referrals", "jwe_key")))
