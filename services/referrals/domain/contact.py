"""How a person may be reached now: the safe-contact rule is a gate, and silence about it is not an answer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from contracts.calendar import LONDON, day_of

HEARD_AT_ONCE = frozenset({"phone", "sms"})
CLOSING = frozenset({"completed", "failed", "rejected", "cancelled"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`channels` in the order preferred; `hours` are Europe/London; `until` is the last day the rule holds."""

    channels: tuple[str, ...]
    addresses: dict[str, str]
    neutral: bool
    voicemail: bool
    hours: tuple[str, str] | None = None
    until: date | None = None
    agreement_until: date | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    decision: Literal["send", "withheld"]
    reason: str | None = None
    channel: str | None = None
    address: str | None = None
    neutral: bool = True
    voicemail: bool = False
    not_before: datetime | None = None


def choose(rule: Rule, purpose: str, tried: Collection[str], at: datetime, *, held: bool = False) -> Contact:
    """The next channel that the rule allows for telling `purpose`, a status, or why there is none.

    While contact is `held`, rules may be older than what the person said last.
    """
    today = day_of(at)
    if held:
        return Contact("withheld", "restored")
    if rule.until and today > rule.until:
        return Contact("withheld", "safe-contact-lapsed")
    if rule.agreement_until and today > rule.agreement_until and purpose not in CLOSING:
        return Contact("withheld", "agreement-lapsed")
    channel = next((c for c in rule.channels if c not in tried), None)
    if channel is None:
        return Contact("withheld", "no-channel-left")
    return Contact(
        "send",
        channel=channel,
        address=rule.addresses.get(channel),
        neutral=rule.neutral,
        voicemail=rule.voicemail,
        not_before=_safe_hour(rule.hours, at) if channel in HEARD_AT_ONCE else None,
    )


def _safe_hour(hours: tuple[str, str] | None, at: datetime) -> datetime | None:
    """The start of the next safe hours; none where they are now."""
    if hours is None:
        return None
    opens, closes = (time.fromisoformat(text) for text in hours)
    local = at.astimezone(LONDON)
    if opens <= local.time() < closes:
        return None
    day = local.date() + timedelta(days=1 if local.time() >= closes else 0)
    return datetime.combine(day, opens, LONDON)
