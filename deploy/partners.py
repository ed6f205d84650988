"""Partners and keys: the rights in Kafka, what the referrals service is told, and the credentials to hand over."""

import asyncio
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.service import act
from contracts.topics import inbox, outbox
from contracts.vocabulary import Role
from deploy import keys, provision
from deploy.errors import DeployError
from deploy.site import Site
from services.referrals.handlers.partners import RegisterPartner
from services.referrals.service import build

PARTNER_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")


def add_partner(site: Site, partner: str, name: str | None = None) -> dict[str, Any]:
    """Makes a partner and returns its credentials, which only an embedded deployment keeps. Raises DeployError."""
    if not PARTNER_ID.fullmatch(partner):
        raise DeployError(
            f"'{partner}' cannot be a partner's id: use 3 to 40 lower-case letters, digits and dashes, "
            "such as gp-armley."
        )
    admin = site.admin()
    if partner in provision.partners_of(admin):
        raise DeployError(f"Partner {partner} is there already. For new credentials: furthest partner rotate {partner}")
    api_key, password = keys.new_api_key(), secrets.token_urlsafe(24)
    provision.add_partner(admin, partner, password)
    settings = site.settings("referrals")
    key = keys.add_key(api_key, "partner", partner, datetime.now(UTC))
    asyncio.run(act(build(settings), settings, RegisterPartner(partner=partner, name=name or partner), key))
    credentials = {
        "id": partner,
        "api_key": api_key,
        "kafka": {
            "bootstrap": site.outside.kafka,
            "user": provision.partner_user(partner),
            "password": password,
            "mechanism": "SCRAM-SHA-512",
            "protocol": "SASL_SSL" if site.outside.kafka_ca else "SASL_PLAINTEXT",
            "ca": site.outside.kafka_ca,
        },
        "inbox": inbox(partner),
        "outbox": outbox(partner),
        "group_prefix": f"partners.{partner}.",
        "public_key": keys.public_key(site.secrets),
    }
    site.keep_partner(partner, credentials)
    return credentials


def add_key(site: Site, role: Role, principal: str, lives: timedelta = keys.LIVES) -> dict[str, str]:
    """Makes a key for staff, an applicant or a reader, and returns it; it is kept nowhere."""
    settings = site.settings("referrals")
    api_key = keys.new_api_key()
    added = keys.add_key(api_key, role, principal, datetime.now(UTC), lives)
    asyncio.run(act(build(settings), settings, added))
    return {
        "id": str(added.key_id),
        "role": role,
        "principal": principal,
        "api_key": api_key,
        "expires_at": added.expires_at.isoformat(),
    }
