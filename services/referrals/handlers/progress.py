"""What happens to needs: facts of matching move them, referrers withdraw them, and everyone concerned is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Handler, Said, refusal
from contracts.door import ReferralWithdrawalRequested
from contracts.matching import (
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.vocabulary import TERMINAL
from services.referrals import events_out
from services.referrals.domain.lifecycle import Move, Need, apply
from services.referrals.store import Store
from services.referrals.store.referrals import Parent, Trace


def _ended(fact: SupportEnded) -> Move | None:
    if fact.handed_back:
        return Move("on-hold", "handed-back")
    return Move("failed", fact.reason) if fact.reason else Move("completed", outcome=fact.outcome)


MOVES: Mapping[type[Message], Callable[[Any], Move | None]] = {
    NeedWaiting: lambda fact: Move("on-hold", "waiting-for-place"),
    GapRecorded: lambda fact: Move("on-hold", "no-place-suits"),
    OfferMade: lambda fact: Move("offered"),
    OfferAccepted: lambda fact: Move("accepted", provider=fact.provider),
    OfferDeclined: lambda fact: Move("on-hold", "offer-declined"),
    OfferExpired: lambda fact: Move("on-hold", "offer-expired"),
    OfferWithdrawn: lambda fact: None,
    SupportStarted: lambda fact: Move("in-progress", provider=fact.provider),
    SupportEnded: _ended,
}
"""Where each fact of matching takes a need. An offer is withdrawn because a need ended: that moves nothing."""


@dataclass(slots=True)
class _Progress:
    """Needs as they are while a batch is applied, and what is to be saved and said."""

    parents: dict[UUID, Parent]
    needs: dict[UUID, Need]
    changed: dict[UUID, Need] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)
    closed: list[UUID] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def move(self, event: Event[Any], need: Need, move: Move, at: datetime) -> None:
        moved = apply(need, move, at)
        self.traces.append(Trace(need.id, type(event.data).__name__, move.to, move.reason, moved is None))
        if moved is None:
            return
        self.needs[need.id] = self.changed[need.id] = moved
        parent = self.parents[need.referral_id]
        self.said += events_out.progressed(event, parent, moved, need.status, at)
        siblings = [n for n in self.needs.values() if n.referral_id == need.referral_id]
        if moved.status in TERMINAL and all(n.status in TERMINAL for n in siblings):
            self.closed.append(need.referral_id)
            self.said.append(events_out.closed(event, need.referral_id, at))

    async def save(self, store: Store, at: datetime) -> None:
        await store.referrals.save(list(self.changed.values()), self.traces, self.closed, at)


async def _load(events: Sequence[Event[Any]], store: Store) -> _Progress:
    return _Progress(*await store.referrals.lock([event.data.referral_id for event in events]))


def moving(to: Callable[[Any], Move | None]) -> Handler:
    """A handler that moves the need of each fact. Facts about needs we do not know came after an erasure."""

    async def on_fact(events: Sequence[Event[Any]], store: Store, at: datetime) -> list[Said]:
        progress = await _load(events, store)
        for event in events:
            need, move = progress.needs.get(event.data.need_id), to(event.data)
            if need and move:
                progress.move(event, need, move, at)
        await progress.save(store, at)
        return progress.said

    return on_fact


async def cancel(
    event: Event[Any], referral_ids: Sequence[UUID], reason: str, store: Store, at: datetime
) -> list[Said]:
    """Ends what is open of these referrals."""
    progress = _Progress(*await store.referrals.lock(referral_ids))
    for need in list(progress.needs.values()):
        if need.status not in TERMINAL:
            progress.move(event, need, Move("cancelled", reason), at)
    await progress.save(store, at)
    return progress.said


async def on_withdrawal_requested(
    events: Sequence[Event[ReferralWithdrawalRequested]], store: Store, at: datetime
) -> list[Said]:
    progress = await _load(events, store)
    for event in events:
        asked = _asked(event, progress)
        still_open = [need for need in asked if need.status not in TERMINAL]
        if not asked:
            progress.said.append(refusal(event, _NOT_FOUND))
        elif not still_open:
            progress.said.append(refusal(event, _ENDED))
        else:
            progress.said.append(events_out.withdrawn(event, still_open))
            for need in still_open:
                progress.move(event, need, Move("cancelled", event.data.reason), at)
    await progress.save(store, at)
    return progress.said


_NOT_FOUND = refuse(
    "referral_id",
    "not-found",
    "You have no such referral or need.",
    "Use the ids that ReferralAcknowledged gave you.",
)
_ENDED = refuse(
    "referral_id", "illegal-move", "Everything you want to withdraw has ended already.", "There is nothing left to do."
)


def _asked(event: Event[ReferralWithdrawalRequested], progress: _Progress) -> list[Need]:
    data = event.data
    parent = progress.parents.get(data.referral_id)
    if parent is None or parent.partner != event.partner:
        return []
    needs = [need for need in progress.needs.values() if need.referral_id == data.referral_id]
    return [need for need in needs if data.need_id in {None, need.id}]
