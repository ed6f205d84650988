"""Secrets made here: random, kept in files that only their owner may read."""

import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from chassis.ids import uuid7
from chassis.jwe import keys_in, new_key, public_part
from contracts.message import SERVICES, Service
from contracts.vocabulary import Role
from deploy.secrets import keep, password
from services.referrals.handlers.partners import AddKey

LIVES = timedelta(days=365)
TOKEN_KEY = "furthest_token_key"  # noqa: S105 - the name of a file
"""Of the tokens by which notifications asks who knows whom to write to: all of them hold it."""
ASK_EACH_OTHER: tuple[Service, ...] = ("referrals", "notifications", "grants")


def new_api_key() -> str:
    """256 random bits, marked so that a leaked one is recognised."""
    return f"ff_{secrets.token_urlsafe(32)}"


def add_key(api_key: str, role: Role, principal: str, at: datetime, lives: timedelta = LIVES) -> AddKey:
    """What the referrals service is told of a key: never the key."""
    digest = sha256(api_key.encode()).hexdigest()
    return AddKey(key_id=uuid7(at), sha256=digest, role=role, principal=principal, expires_at=at + lives)


def make_secrets(folder: Path) -> None:
    """Makes what is missing of `folder/<service>/furthest_<setting>`, the files that settings are read from, and of
    `folder/databases`."""
    for service in SERVICES:
        wanted = {
            "database_password": secrets.token_urlsafe(24),
            "kafka_password": secrets.token_urlsafe(24),
            "sealing_key": secrets.token_hex(32),
            **_own(service),
        }
        for name, value in wanted.items():
            keep(folder / service / f"furthest_{name}", value)
        for role in ("owner", "backup"):
            password(of_database(folder, service, role))
    password(of_database(folder, *BACKUP))
    token_key = keep(folder / "referrals" / TOKEN_KEY, secrets.token_hex(32))
    for service in ASK_EACH_OTHER:
        keep(folder / service / TOKEN_KEY, token_key)


def _own(service: Service) -> dict[str, str]:
    if service != "referrals":
        return {}
    return {"jwe_key": json.dumps(new_jwe_key()), "programme_key": secrets.token_hex(32)}


def new_jwe_key() -> dict[str, Any]:
    return new_key(f"programme-{secrets.token_hex(4)}")


BACKUP = ("furthest", "backup")
"""The role that copies the whole server."""


def of_database(folder: Path, service: str, role: str) -> Path:
    """The password of a role that the service itself must not have."""
    return folder / "databases" / f"{service}_{role}"


def read(folder: Path, service: str, name: str) -> str:
    return (folder / service / f"furthest_{name}").read_text()


def public_key(folder: Path) -> dict[str, str]:
    """The JWK that partners seal persons with."""
    return public_part(keys_in(read(folder, "referrals", "jwe_key"))[0])
