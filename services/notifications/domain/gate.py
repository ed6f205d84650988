"""The gate of safe contact: what referrals decided, and the one thing it lets us do at this moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from contracts.vocabulary import Channel

Decision = Literal["send", "withheld"]
HELD: Final = "restored"
"""Why referrals tells nobody for a while: staff look first whether rules are older than what people said last."""
LOOK_AGAIN: Final = timedelta(minutes=15)


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
    automatic: Collection[Channel],
) -> Step:
    """A decision that lacks what it needs is withheld: when in doubt, nobody is contacted.

    What is not `automatic`, a channel that we can send by, becomes a task for a human being.
    """
    if decision == "withheld" and reason == HELD:
        return Wait(at + LOOK_AGAIN)
    if decision == "withheld":
        return Withhold(reason or "withheld")
    if channel is None:
        return Withhold("no-channel")
    if not_before is not None and not_before > at:
        return Wait(not_before)
    if channel not in automatic:
        return Call(channel)
    return Send(channel) if has_address else Withhold("no-address")
