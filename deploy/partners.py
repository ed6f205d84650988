"""Partners and keys: the rights in Kafka, what the referrals service is told, and the credentials to hand over."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from chassis.errors import Refused
from chassis.facts import Said
from contracts.catalogue import PUBLISHED
from contracts.topics import inbox, outbox
from contracts.vocabulary import PartnerId, Role, fits
from deploy import keys, provision
from deploy.errors import DeployError
from deploy.kafka.admin import Admin
from deploy.site import Site
from services.referrals.handlers.partners import RegisterPartner, RemovePartner, RevokeKeys


def add_partner(site: Site, partner: str, name: str | None = None) -> dict[str, Any]:
    """Makes a partner and returns its credentials, which only an embedded deployment keeps. Raises DeployError."""
    _must_be_an_id(partner, "a partner")
    admin = site.admin()
    if partner in provision.partners_of(admin):
        raise DeployError(f"Partner {partner} is there already. For new credentials: furthest partner rotate {partner}")
    return _credentials(site, admin, partner, 1, RegisterPartner(partner=partner, name=name or partner))


def rotate_partner(site: Site, partner: str) -> dict[str, Any]:
    """New credentials for a partner; those before stay live until `finish_rotation`. Raises DeployError."""
    admin = site.admin()
    _must_be_there(admin, partner)
    live = provision.generations(admin.users(), partner)
    if len(live) > 1:
        raise DeployError(
            f"Partner {partner} has two credentials, as many as may be live at a time. When it uses the newer one: "
            f"furthest partner rotate {partner} --finish"
        )
    return _credentials(site, admin, partner, max(live, default=0) + 1)


def finish_rotation(site: Site, partner: str) -> dict[str, Any]:
    """Only the newest credentials stay live. Raises DeployError."""
    return _revoke(site, partner, keep=1)


def suspend_partner(site: Site, partner: str) -> dict[str, Any]:
    """No credentials stay live; what the partner sent goes its way. Raises DeployError."""
    return _revoke(site, partner, keep=0)


def remove_partner(site: Site, partner: str) -> dict[str, Any]:
    """Suspended for good, and its name forgotten. Its topics stay, so its id stays taken. Raises DeployError."""
    gone = suspend_partner(site, partner)
    return {**gone, "removed": bool(_act(site, RemovePartner(partner=partner)))}


def add_key(site: Site, role: Role, principal: str, lives: timedelta = keys.LIVES) -> dict[str, Any]:
    """Makes a key and returns it; it is kept nowhere. A reader may also read what is published in Kafka.

    Raises DeployError where it is for a partner who is unknown, or a reader who cannot be called so.
    """
    if role == "partner":
        _must_be_there(site.admin(), principal)
    if role == "reader":
        _must_be_an_id(principal, "a reader")
    api_key = keys.new_api_key()
    added = keys.add_key(api_key, role, principal, datetime.now(UTC), lives)
    _act(site, added)
    return {
        "id": str(added.key_id),
        "role": role,
        "principal": principal,
        "api_key": api_key,
        "expires_at": added.expires_at.isoformat(),
        **(_reader(site, principal) if role == "reader" else {}),
    }


def _reader(site: Site, reader: str) -> dict[str, Any]:
    """Its user in Kafka, with a new password: what it was handed before works no longer."""
    password = secrets.token_urlsafe(24)
    provision.add_reader(site.admin(), reader, password)
    return {
        "kafka": _kafka(site, provision.reader_user(reader), password),
        "topic": PUBLISHED,
        "group_prefix": f"readers.{reader}.",
    }


def revoke_keys(site: Site, role: Role, principal: str, keep: int = 0) -> int:
    """How many were live and are not any more, but for the newest `keep`."""
    if role == "reader":
        provision.remove_reader(site.admin(), principal)
    return len(_act(site, RevokeKeys(role=role, principal=principal, keep=keep)))


def _credentials(site: Site, admin: Admin, partner: str, generation: int, *first: BaseModel) -> dict[str, Any]:
    api_key, password = keys.new_api_key(), secrets.token_urlsafe(24)
    _act(site, *first, keys.add_key(api_key, "partner", partner, datetime.now(UTC)))
    provision.add_partner(admin, partner, password, generation)
    credentials = {
        "id": partner,
        "api_key": api_key,
        "kafka": _kafka(site, provision.partner_user(partner, generation), password),
        "inbox": inbox(partner),
        "outbox": outbox(partner),
        "group_prefix": f"partners.{partner}.",
        "public_key": keys.public_key(site.secrets),
    }
    site.keep_partner(partner, credentials)
    return credentials


def _kafka(site: Site, user: str, password: str) -> dict[str, Any]:
    return {
        "bootstrap": site.outside.kafka,
        "user": user,
        "password": password,
        "mechanism": "SCRAM-SHA-512",
        "protocol": "SASL_SSL" if site.outside.kafka_ca else "SASL_PLAINTEXT",
        "ca": site.outside.kafka_ca,
    }


def _revoke(site: Site, partner: str, keep: int) -> dict[str, Any]:
    admin = site.admin()
    _must_be_there(admin, partner)
    live = provision.generations(admin.users(), partner)
    gone = live[: len(live) - keep]
    provision.remove_users(admin, partner, gone)
    return {"id": partner, "kafka_users": len(gone), "keys": revoke_keys(site, "partner", partner, keep)}


def _must_be_an_id(name: str, whose: str) -> None:
    if not fits(PartnerId, name):
        raise DeployError(
            f"'{name}' cannot be {whose}'s id: use 3 to 40 lower-case letters, digits and dashes, such as gp-armley."
        )


def _must_be_there(admin: Admin, partner: str) -> None:
    if partner not in provision.partners_of(admin):
        raise DeployError(f"There is no partner {partner} here. Add it with: furthest partner add {partner}")


def _act(site: Site, *acts: BaseModel) -> list[Said]:
    try:
        return asyncio.run(site.act("referrals", *acts))
    except Refused as refused:
        raise DeployError(" ".join(f"{error.message} {error.mend}" for error in refused.errors)) from None
