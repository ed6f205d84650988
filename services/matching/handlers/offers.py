"""Providers answer offers; staff confirm those that they want to see first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.message import Message, act
from contracts.offers import OfferAnswered
from contracts.vocabulary import Code
from services.matching import events_out
from services.matching.domain.offers import ESCALATED_AFTER, Made
from services.matching.events_out import Decided
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store


async def on_offers_answered(events: Sequence[Event[OfferAnswered]], store: Store, at: datetime) -> list[Said]:
    """Until the expiry has run, an answer counts, however late."""
    ids = {event.data.offer_id for event in events}
    await store.lock(await store.offers.kinds_of(ids))
    moves, change = Moves(await store.offers.by_id(ids)), Change()
    said = [told for event in events for told in _answered(event, moves, store.decided)]
    said += await save_moves(moves, change, store, at)
    return [*said, *await _escalated(moves, store), *await settle(change, store, at)]


async def _escalated(moves: Moves, store: Store) -> list[Said]:
    declined = {o.need_id: o for o in (moves.now[offer_id] for offer_id in moves.before) if o.state == "declined"}
    counts = await store.offers.declines(declined) if declined else {}
    return [
        events_out.need_escalated(declined[need_id], n, moves.causes[declined[need_id].offer_id])
        for need_id, n in counts.items()
        if n == ESCALATED_AFTER
    ]


def _answered(event: Event[OfferAnswered], moves: Moves, decided: Decided) -> list[Said]:
    told = event.data
    offer = moves.now.get(told.offer_id)
    if offer is None or offer.place.partner != event.partner or not offer.is_proposed:
        return [refusal(event, refusals.not_found("offer_id"))]
    if told.answer == "decline" and told.reason is None:
        return [refusal(event, refusals.DECLINE_WITHOUT_REASON)]
    after = moves.make(offer.offer_id, told.answer, event, told.reason)
    if after is None:
        return [refusal(event, refusals.illegal_move("answer", offer.state))]
    return events_out.offer_ended(after, told.answer, event, decided, told.reason)


@act("matching", key="offer_id")
class ConfirmOffer(Message):
    """Staff let an offer go to its provider, or keep it back: then the need waits again, for other places."""

    offer_id: UUID
    answer: Literal["confirm", "keep-back"]
    by: Code


async def on_offers_confirmed(events: Sequence[Event[ConfirmOffer]], store: Store, at: datetime) -> list[Said]:
    ids = {event.data.offer_id for event in events}
    await store.lock(await store.offers.kinds_of(ids))
    moves, change = Moves(await store.offers.by_id(ids)), Change()
    said = [told for event in events for told in _confirmed(event, moves, store.decided)]
    by = {offer_id: moves.causes[offer_id].data.by for offer_id in moves.before}
    numbers = await store.offers.confirm(by, at + store.offers.lasts)
    said += await save_moves(moves, change, store, at)
    needs = await store.queue.by_id(moves.now[offer_id].need_id for offer_id in numbers)
    for offer_id, number in numbers.items():
        offer, cause = moves.now[offer_id], moves.causes[offer_id]
        made = Made(offer, needs[offer.need_id], None, number, at + store.offers.lasts)
        said += events_out.offer_made(made, cause, store.decided) if offer.state == "open" else []
    return [*said, *await settle(change, store, at)]


def _confirmed(event: Event[ConfirmOffer], moves: Moves, decided: Decided) -> list[Said]:
    told = event.data
    offer = moves.now.get(told.offer_id)
    if offer is None:
        return [refusal(event, refusals.not_found("offer_id"))]
    after = moves.make(offer.offer_id, told.answer, event, "not-confirmed" if told.answer == "keep-back" else None)
    if after is None:
        return [refusal(event, refusals.illegal_move("answer", offer.state))]
    return (
        events_out.offer_ended(after, "keep-back", event, decided, "not-confirmed")
        if told.answer == "keep-back"
        else []
    )
