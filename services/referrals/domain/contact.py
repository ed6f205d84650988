"""How a person may be reached now: the safe-contact rule is a gate, and silence about it is not an answer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from contracts.calendar import LONDON, day_of
from contracts.vocabulary import NeedStatus

CLOSING: Final[frozenset[NeedStatus]] = frozenset({"completed", "failed", "rejected", "cancelled"})
AFTER_CLOSING: Final[frozenset[str]] = CLOSING | {
    "feedback-closing",
    "feedback-3-months",
    "feedback-6-months",
    "renewal",
}
"""What a person may still be told when everything has ended."""
TRUE_OF: Final[Mapping[str, frozenset[NeedStatus]]] = {
    **dict.fromkeys(("on-hold", "waiting-again"), frozenset({"requested", "on-hold", "offered"})),
    "accepted": frozenset({"accepted", "in-progress"}),
    **{end: frozenset({end}) for end in CLOSING},
}
"""How a need stands where it is still true what its person is told. They hear of what came after it instead."""

HEARD_AT_ONCE: Final = frozenset({"phone", "sms", "in-person"})
"""The programme keeps quiet hours for these, where a person names no hours of their own."""
AT_SAFE_HOURS: Final = HEARD_AT_ONCE | {"email"}
"""A person's own hours hold for these: a phone that lights up at night is seen by others."""
QUIET: Final = ("08:00", "20:00")

BY_HUMANS: Final = frozenset({"phone", "in-person", "via-referrer"})
"""Only a human being can ask for somebody else, through whom a person wants to be reached."""
UNSUITED: Final[Mapping[str, frozenset[str]]] = {
    "bsl": frozenset({"phone"}),
    "braille": frozenset({"letter"}),
    "audio": frozenset({"letter"}),
    "advocate": frozenset({"email", "sms", "letter"}),
}
"""Channels that do not reach somebody who needs this, by the Accessible Information Standard."""
MENDED_BY: Final[Mapping[str, str]] = {"bsl": "text-relay"}
"""With text relay somebody who signs can be rung."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`channels` in the order preferred; `hours` are Europe/London; `until` is the last day the rule holds.

    `through` says that somebody else is to be asked for; `needs` are those for accessible information.
    """

    channels: tuple[str, ...]
    addresses: dict[str, str]
    neutral: bool
    voicemail: bool
    hours: tuple[str, str] | None = None
    until: date | None = None
    agreement_until: date | None = None
    through: bool = False
    needs: frozenset[str] = frozenset()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    decision: Literal["send", "withheld"]
    reason: str | None = None
    channel: str | None = None
    address: str | None = None
    neutral: bool = True
    voicemail: bool = False
    not_before: datetime | None = None


def choose(
    rule: Rule,
    purpose: str,
    tried: Collection[str],
    at: datetime,
    *,
    held: bool = False,
    status: NeedStatus | None = None,
) -> Contact:
    """The next channel that the rule allows for telling `purpose` of a need in this `status`, or why there is none.

    While contact is `held`, rules may be older than what the person said last.
    """
    if held:
        return Contact("withheld", "restored")
    if status and status not in TRUE_OF.get(purpose, {status}):
        return Contact("withheld", "overtaken")
    if why := _forbidden(rule, purpose, day_of(at)):
        return Contact("withheld", why)
    channel = next((c for c in allowed(rule) if c not in tried), None)
    if channel is None:
        return Contact("withheld", "no-channel-left")
    return Contact(
        "send",
        channel=channel,
        address=rule.addresses.get(channel),
        neutral=rule.neutral,
        voicemail=rule.voicemail and channel == "phone",
        not_before=_safe_hour(_hours(rule, channel), at),
    )


def strictest(rule: Rule, others: Iterable[Rule]) -> Rule:
    """What this rule and all others allow: while it is not settled whether they are of one person, each must hold.

    The addresses are this rule's own, and only those that no other rule names otherwise.
    """
    for other in others:
        shared = {c: a for c, a in rule.addresses.items() if c == "via-referrer" or other.addresses.get(c) == a}
        rule = replace(
            rule,
            channels=tuple(c for c in rule.channels if c in other.channels and c in shared),
            addresses=shared,
            neutral=rule.neutral or other.neutral,
            voicemail=rule.voicemail and other.voicemail,
            hours=_both(rule.hours, other.hours),
            until=_first(rule.until, other.until),
            through=rule.through or other.through,
            needs=rule.needs | other.needs,
        )
    return rule


def _both(one: tuple[str, str] | None, other: tuple[str, str] | None) -> tuple[str, str] | None:
    """The hours of both. Where they have none in common these are empty, and nothing is ever within them."""
    if one is None or other is None:
        return one or other
    return max(one[0], other[0]), min(one[1], other[1])


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def to_referrer(mail: str | None, tried: Collection[str], *, neutral: bool) -> Contact:
    """How a referrer is told: by mail, where it wants that."""
    if mail is None:
        return Contact("withheld", "no-mail")
    if "email" in tried:
        return Contact("withheld", "no-channel-left")
    return Contact("send", channel="email", address=mail, neutral=neutral)


def _forbidden(rule: Rule, purpose: str, today: date) -> str | None:
    if rule.until and today > rule.until:
        return "safe-contact-lapsed"
    if rule.closed and purpose not in AFTER_CLOSING:
        return "closed"
    if rule.agreement_until and today > rule.agreement_until and purpose not in CLOSING:
        return "agreement-lapsed"
    return None


def allowed(rule: Rule) -> list[str]:
    """The channels of the rule that suit the person's needs, in the order preferred. Nothing is ever added."""
    unsuited = {
        channel
        for need, channels in UNSUITED.items()
        if need in rule.needs and MENDED_BY.get(need) not in rule.needs
        for channel in channels
    }
    if rule.hours and rule.hours[0] >= rule.hours[1]:
        unsuited |= AT_SAFE_HOURS
    return [c for c in rule.channels if c not in unsuited and (not rule.through or c in BY_HUMANS)]


def _hours(rule: Rule, channel: str) -> tuple[str, str] | None:
    if rule.hours and channel in AT_SAFE_HOURS:
        return rule.hours
    return QUIET if channel in HEARD_AT_ONCE else None


def _safe_hour(hours: tuple[str, str] | None, at: datetime) -> datetime | None:
    """The start of the next safe hours; none where they are now. The day on which clocks go forward may have none."""
    if hours is None or _is_within(hours, at):
        return None
    opens = time.fromisoformat(hours[0])
    today = day_of(at)
    starts = (datetime.combine(today + timedelta(days=n), opens, LONDON).astimezone(UTC) for n in range(3))
    return next(start for start in starts if start > at and _is_within(hours, start))


def _is_within(hours: tuple[str, str], at: datetime) -> bool:
    opens, closes = (time.fromisoformat(text) for text in hours)
    return opens <= at.astimezone(LONDON).time() < closes
