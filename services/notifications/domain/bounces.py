"""The report of a mail server on a mail that it took and could not deliver (RFC 3464), and which of ours that was."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Final

RETURNED_TO: Final = ("To", "Delivered-To", "X-Original-To")
"""A report is addressed to where the mail was to come back to, which holds our reference."""
REFERENCE: Final = re.compile(r"\+([a-z0-9-]{1,60})@")
STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
NO_STATUS: Final = "5.0.0"


@dataclass(frozen=True, slots=True)
class Bounced:
    """`status` is the code of RFC 3463, such as 5.1.1 for an address that is none."""

    reference: str
    status: str


def returned_to(bounces: str, reference: str) -> str:
    """Where a mail comes back to that bounces: the address for that, with our reference in it."""
    local, _, domain = bounces.partition("@")
    return f"{local}+{reference}@{domain}"


def bounced(report: bytes) -> Bounced | None:
    """None where it does not say that a mail of ours failed: an answer from holidays, or that it takes longer."""
    message = message_from_bytes(report, EmailMessage, policy=default)
    references = REFERENCE.findall(" ".join(str(message[name]) for name in RETURNED_TO if name in message))
    failed = next((each for each in _recipients(message) if each.get("Action", "").strip().lower() == "failed"), None)
    if failed is None or not references:
        return None
    status = STATUS.match(str(failed.get("Status", "")).strip())
    return Bounced(references[0], status[0] if status else NO_STATUS)


def _recipients(message: Message) -> Iterator[Message]:
    """What the report says of each recipient. What is in the mail that it gives back is not looked at."""
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return
    for part in message.iter_parts() if isinstance(message, EmailMessage) else ():
        fields = part.get_payload()
        if part.get_content_type() == "message/delivery-status" and isinstance(fields, list):
            yield from (each for each in fields if isinstance(each, Message))
