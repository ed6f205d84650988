"""Providers report their help, and what became of what they lent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.offers import SupportReported
from contracts.refusal import FieldError
from contracts.stock import LoanReported
from services.matching import events_out
from services.matching.domain.fit import Lending, PlaceKey
from services.matching.domain.offers import LOAN_ACTS, Act, Offer, moved
from services.matching.domain.units import Stock
from services.matching.events_out import Decided, stock
from services.matching.handlers import refusals
from services.matching.handlers.change import Change, Moves, save_moves
from services.matching.handlers.settle import settle
from services.matching.store import Store


@dataclass(frozen=True, slots=True)
class Reports:
    """What is reported of the last offer that a partner had of a need, one after the other."""

    moves: Moves
    latest: Mapping[tuple[str, UUID], Offer]
    lending: Mapping[PlaceKey, Lending]
    units: Stock
    decided: Decided
    at: datetime

    def of(self, event: Event[SupportReported] | Event[LoanReported]) -> tuple[Offer, Lending] | None:
        """The offer as it is now; none where the partner never had one."""
        offer = self.latest.get((event.partner or "", event.data.need_id))
        return (self.moves.now[offer.offer_id], self.lending[offer.place]) if offer else None


async def on_support_reported(events: Sequence[Event[SupportReported]], store: Store, at: datetime) -> list[Said]:
    reports = await _load(events, store, at)
    return await _save([each for event in events for each in _supported(event, reports)], reports, store)


async def on_loans_reported(events: Sequence[Event[LoanReported]], store: Store, at: datetime) -> list[Said]:
    reports = await _load(events, store, at)
    return await _save([each for event in events for each in _lent(event, reports)], reports, store)


async def _load(
    events: Sequence[Event[SupportReported]] | Sequence[Event[LoanReported]], store: Store, at: datetime
) -> Reports:
    asked = sorted({(event.partner or "", event.data.need_id) for event in events})
    await store.lock(await store.queue.kinds_of(need_id for _, need_id in asked))
    latest = await store.offers.latest(asked)
    places = await store.supply.places(offer.place for offer in latest.values())
    moves = Moves({offer.offer_id: offer for offer in latest.values()})
    lending = {key: place.lending for key, place in places.items()}
    given = [(e.partner or "", e.data.serial) for e in events if isinstance(e.data, SupportReported) and e.data.serial]
    units = await store.units.load(list(places), given, list(moves.now))
    return Reports(moves, latest, lending, units, store.decided, at)


async def _save(said: list[Said], reports: Reports, store: Store) -> list[Said]:
    change = Change()
    saved = await save_moves(reports.moves, change, store, reports.at)
    await store.units.save(reports.units)
    return [*said, *saved, *await settle(change, store, reports.at)]


def _supported(event: Event[SupportReported], reports: Reports) -> list[Said]:
    told, found = event.data, reports.of(event)
    if found is None:
        return [refusal(event, refusals.not_found("need_id"))]
    if wrong := _wrong_report(told):
        return [refusal(event, wrong)]
    offer, lending = found
    is_given = told.state == "ended" and told.reason is None
    until = lending.until(day_of(reports.at)) if is_given else None
    act = _act(told, lending)
    if moved(offer, act) and (wrong := _wrong_serial(told.serial, offer.place, reports.units, is_given=is_given)):
        return [refusal(event, wrong)]
    after = reports.moves.make(offer.offer_id, act, event, told.reason, until)
    if after is None:
        return [refusal(event, refusals.illegal_move("state", offer.state))]
    reports.units.give(offer.place, [told.serial] if told.serial else [], offer.offer_id)
    said: list[Said] = [events_out.support_reported(after, event, reports.decided)]
    if until and after.state == "lent":
        said.append(stock.loan_due(after, until, event))
    elif until:
        said.append(stock.ends_soon(after, until, lending.reopen_days, event))
    return said


def _act(told: SupportReported, lending: Lending) -> Act:
    if told.state == "started":
        return "start"
    if told.state == "handed-back":
        return "hand-back"
    if told.reason:
        return "fail"
    return "lend" if lending.loan_days else "end"


def _wrong_report(told: SupportReported) -> FieldError | None:
    if told.state == "ended" and (told.outcome is None) == (told.reason is None):
        return refusals.ENDED_HOW
    if told.state == "started" and (told.outcome or told.reason):
        return refusals.NOT_ENDED
    return refusals.NOT_ENDED if told.state == "handed-back" and told.outcome else None


def _wrong_serial(serial: str | None, place: PlaceKey, units: Stock, *, is_given: bool) -> FieldError | None:
    if not is_given:
        return refusals.ONLY_WHEN_GIVEN if serial else None
    if serial is None:
        return refusals.WHICH_UNIT if place in units.naming else None
    return None if units.has(place, [serial]) else refusals.NOT_IN_STOCK


def _lent(event: Event[LoanReported], reports: Reports) -> list[Said]:
    told, found = event.data, reports.of(event)
    if found is None:
        return [refusal(event, refusals.not_found("need_id"))]
    if told.state != "returned" and (told.wiped or told.faulty):
        return [refusal(event, refusals.ONLY_WHEN_BACK)]
    offer, lending = found
    until = lending.until(day_of(reports.at)) if told.state == "renewed" else None
    unwiped = told.state == "returned" and not (told.wiped or told.faulty)
    act = "come-back" if unwiped else LOAN_ACTS[told.state]
    after = reports.moves.make(offer.offer_id, act, event, until=until)
    if after is None or after.until is None:
        return [refusal(event, refusals.illegal_move("state", offer.state))]
    reports.moves.faulty[after.place] += told.faulty
    _put_back(after, told, reports.units)
    condition = {"faulty": told.faulty, "unwiped": unwiped}
    changed = stock.loan_changed(after, told.state, after.until, event, reports.at, reports.decided, **condition)
    return [changed, *([stock.loan_due(after, until, event)] if until and until != offer.until else [])]


def _put_back(offer: Offer, told: LoanReported, units: Stock) -> None:
    if told.faulty:
        units.scrap(offer.offer_id)
    elif offer.state == "returned":
        units.put_back(offer.offer_id)
    elif offer.state == "lost":
        units.lose(offer.offer_id)
