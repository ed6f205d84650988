"""Partners and keys: the rights in Kafka, what the referrals service is told, and the credentials to hand over."""

import asyncio
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from chassis.service import act
from contracts.topics import inbox, outbox
from contracts.vocabulary import Role
from deploy import keys, provision
from deploy.embedded.processes import EmbeddedError
from deploy.embedded.stack import Stack
from services.referrals.handlers.partners import RegisterPartner
from services.referrals.service import build

PARTNER_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")


def add_partner(stack: Stack, partner: str, name: str | None = None) -> dict[str, Any]:
    """Makes a partner and returns its credentials, which are kept nowhere but in `run.json`. Raises EmbeddedError."""
    addresses = stack.addresses()
    if not PARTNER_ID.fullmatch(partner):
        raise EmbeddedError(
            f"'{partner}' cannot be a partner's id: use 3 to 40 lower-case letters, digits and dashes, "
            "such as gp-armley."
        )
    if partner in addresses["partners"]:
        raise EmbeddedError(f"Partner {partner} is there already; its credentials are in {stack.run_file}.")
    api_key, password = keys.new_api_key(), secrets.token_urlsafe(24)
    provision.add_partner(stack.admin(addresses), partner, password)
    settings = stack.settings("referrals", addresses)
    key = keys.add_key(api_key, "partner", partner, datetime.now(UTC))
    asyncio.run(act(build(settings), settings, RegisterPartner(partner=partner, name=name or partner), key))
    credentials = {
        "id": partner,
        "api_key": api_key,
        "kafka": {
            "bootstrap": addresses["kafka"],
            "user": provision.partner_user(partner),
            "password": password,
            "mechanism": "SCRAM-SHA-512",
            "protocol": "SASL_PLAINTEXT",
            "ca": None,
        },
        "inbox": inbox(partner),
        "outbox": outbox(partner),
        "group_prefix": f"partners.{partner}.",
        "public_key": keys.public_key(stack.secrets),
    }
    stack.keep_partner(partner, credentials)
    return credentials


def add_key(stack: Stack, role: Role, principal: str) -> dict[str, str]:
    """Makes a key for staff, an applicant or a reader, and returns it; it is kept nowhere."""
    settings = stack.settings("referrals", stack.addresses())
    api_key = keys.new_api_key()
    added = keys.add_key(api_key, role, principal, datetime.now(UTC))
    asyncio.run(act(build(settings), settings, added))
    return {
        "id": str(added.key_id),
        "role": role,
        "principal": principal,
        "api_key": api_key,
        "expires_at": added.expires_at.isoformat(),
    }
