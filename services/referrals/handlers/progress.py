"""What happens to needs: facts of matching move them, referrers withdraw them, and everyone concerned is told."""

from collections.abc import Callable, Mapping, Sequence
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
    OfferHeld,
    OfferMade,
    OfferWithdrawn,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.vocabulary import TERMINAL
from services.referrals import events_out
from services.referrals.domain.lifecycle import AWAITS, Asked, Need
from services.referrals.handlers.moves import Moves, load
from services.referrals.store import Store


def _ended(fact: SupportEnded) -> Asked:
    if fact.handed_back:
        return Asked("hand-back", "handed-back")
    return (
        Asked("fail", fact.reason) if fact.reason else Asked("complete", outcome=fact.outcome, provider=fact.provider)
    )


ASKED_BY: Mapping[type[Message], Callable[[Any], Asked]] = {
    NeedWaiting: lambda fact: Asked("wait", "waiting-for-place"),
    GapRecorded: lambda fact: Asked("lack", "no-place-suits"),
    OfferHeld: lambda fact: Asked("found", AWAITS),
    OfferMade: lambda fact: Asked("offer"),
    OfferAccepted: lambda fact: Asked("accept", provider=fact.provider),
    OfferDeclined: lambda fact: Asked("decline", "offer-declined"),
    OfferExpired: lambda fact: Asked("expire", "offer-expired"),
    OfferWithdrawn: lambda fact: Asked("take-back", "waiting-for-place"),
    SupportStarted: lambda fact: Asked("start", provider=fact.provider),
    SupportEnded: _ended,
}
"""What each fact of matching asks of a need."""


def moving(asked_by: Callable[[Any], Asked]) -> Handler:
    """A handler that moves the need of each fact. Facts about needs we do not know came after an erasure."""

    async def on_fact(events: Sequence[Event[Any]], store: Store, at: datetime) -> list[Said]:
        moves = await load([event.data.referral_id for event in events], store)
        for event in events:
            if need := moves.needs.get(event.data.need_id):
                moves.ask(event, need, asked_by(event.data), at)
        return await moves.save(store, at)

    return on_fact


async def cancel(
    event: Event[Any], referral_ids: Sequence[UUID], reason: str, store: Store, at: datetime
) -> list[Said]:
    """Ends what is open of these referrals."""
    moves = await load(referral_ids, store)
    for need in list(moves.needs.values()):
        moves.ask(event, need, Asked("cancel", reason), at)
    return await moves.save(store, at)


async def on_withdrawal_requested(
    events: Sequence[Event[ReferralWithdrawalRequested]], store: Store, at: datetime
) -> list[Said]:
    moves = await load([event.data.referral_id for event in events], store)
    for event in events:
        asked = _asked(event, moves)
        still_open = [need for need in asked if need.status not in TERMINAL]
        if not asked:
            moves.said.append(refusal(event, NOT_FOUND))
        elif not still_open:
            moves.said.append(refusal(event, _ENDED))
        else:
            moves.said.append(events_out.withdrawn(event, still_open, event.data.reason))
            for need in still_open:
                moves.ask(event, need, Asked("cancel", event.data.reason), at)
    return await moves.save(store, at)


NOT_FOUND = refuse(
    "referral_id",
    "not-found",
    "You have no such referral or need.",
    "Use the ids that ReferralAcknowledged gave you.",
)
_ENDED = refuse(
    "referral_id", "illegal-move", "Everything you want to withdraw has ended already.", "There is nothing left to do."
)


def _asked(event: Event[ReferralWithdrawalRequested], moves: Moves) -> list[Need]:
    data = event.data
    parent = moves.parents.get(data.referral_id)
    if parent is None or parent.partner != event.partner:
        return []
    return [need for need in moves.of(data.referral_id) if data.need_id in {None, need.id}]
