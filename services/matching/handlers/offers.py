"""Providers answer offers, and report their help."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.door import OfferAnswered, SupportReported
from contracts.refusal import FieldError
from services.matching import events_out
from services.matching.domain.offers import Act, Offer
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store

SUPPORT_ACTS: Final[Mapping[str, Act]] = {"started": "start", "ended": "end", "handed-back": "hand-back"}


async def on_offers_answered(events: Sequence[Event[OfferAnswered]], store: Store, at: datetime) -> list[Said]:
    """Until the expiry has run, an answer counts, however late."""
    ids = {event.data.offer_id for event in events}
    await store.lock(await store.offers.kinds_of(ids))
    moves, change = Moves(await store.offers.by_id(ids)), Change()
    said = [told for event in events for told in _answered(event, moves)]
    return [*said, *await save_moves(moves, change, store, at), *await settle(change, store, at)]


def _answered(event: Event[OfferAnswered], moves: Moves) -> list[Said]:
    told = event.data
    offer = moves.now.get(told.offer_id)
    if offer is None or offer.place.partner != event.partner:
        return [refusal(event, refusals.not_found("offer_id"))]
    if told.answer == "decline" and told.reason is None:
        return [refusal(event, refusals.DECLINE_WITHOUT_REASON)]
    after = moves.make(offer.offer_id, told.answer, event, told.reason)
    if after is None:
        return [refusal(event, refusals.illegal_move("answer", offer.state))]
    return events_out.offer_ended(after, told.answer, event, told.reason)


async def on_support_reported(events: Sequence[Event[SupportReported]], store: Store, at: datetime) -> list[Said]:
    asked = sorted({(event.partner or "", event.data.need_id) for event in events})
    await store.lock(await store.queue.kinds_of(need_id for _, need_id in asked))
    latest = await store.offers.latest(asked)
    moves, change = Moves({offer.offer_id: offer for offer in latest.values()}), Change()
    said: list[Said] = []
    for event in events:
        offer = latest.get((event.partner or "", event.data.need_id))
        said += _reported(event, moves.now[offer.offer_id] if offer else None, moves)
    return [*said, *await save_moves(moves, change, store, at), *await settle(change, store, at)]


def _reported(event: Event[SupportReported], offer: Offer | None, moves: Moves) -> list[Said]:
    told = event.data
    if offer is None:
        return [refusal(event, refusals.not_found("need_id"))]
    if wrong := _wrong_report(told):
        return [refusal(event, wrong)]
    after = moves.make(offer.offer_id, SUPPORT_ACTS[told.state], event, told.reason)
    if after is None:
        return [refusal(event, refusals.illegal_move("state", offer.state))]
    return [events_out.support_reported(after, event)]


def _wrong_report(told: SupportReported) -> FieldError | None:
    if told.state == "ended" and (told.outcome is None) == (told.reason is None):
        return refusals.ENDED_HOW
    if told.state == "started" and (told.outcome or told.reason):
        return refusals.NOT_ENDED
    return refusals.NOT_ENDED if told.state == "handed-back" and told.outcome else None
