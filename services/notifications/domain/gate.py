"""The gate of safe contact: what referrals decided, and the one thing it lets us do at this moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.vocabulary import Channel

Decision = Literal["send", "withheld"]
AUTOMATIC: frozenset[Channel] = frozenset({"email"})
"""Channels that we can send by. Every other one becomes a task for a human being."""


@dataclass(frozen=True, slots=True)
class Withhold:
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Call:
    channel: Channel


@dataclass(frozen=True, slots=True)
class Send:
    channel: Channel


Step = Withhold | Wait | Call | Send


def step(
    decision: Decision,
    reason: str | None,
    channel: Channel | None,
    *,
    has_address: bool,
    not_before: datetime | None,
    at: datetime,
) -> Step:
    """A decision that lacks what it needs is withheld: when in doubt, nobody is contacted."""
    if decision == "withheld":
        return Withhold(reason or "withheld")
    if channel is None:
        return Withhold("no-channel")
    if not_before is not None and not_before > at:
        return Wait(not_before)
    if channel not in AUTOMATIC:
        return Call(channel)
    return Send(channel) if has_address else Withhold("no-address")
