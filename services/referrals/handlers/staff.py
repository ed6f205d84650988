"""What staff do to a referral: each act has a reason, and is kept for good."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.message import Message, act
from contracts.refusal import FieldError
from contracts.vocabulary import TERMINAL, Lane, PartnerId, PersonsAnswer, ShortText
from services.referrals import events_out
from services.referrals.domain.lifecycle import OPEN, Asked, Need
from services.referrals.handlers import answers
from services.referrals.handlers.moves import Moves, load, what_keeps_back
from services.referrals.store import Store

Who = Annotated[str, Field(min_length=1, max_length=100)]


class StaffAct(Message):
    by: Who
    why: ShortText


class _NeedAct(StaffAct):
    need_id: UUID


@act("referrals", key="need_id")
class PauseNeed(_NeedAct):
    """A need is offered nothing, until a day or until it is resumed."""

    until: date | None = None


@act("referrals", key="need_id")
class ResumeNeed(_NeedAct):
    """A need that was held is offered places again, as far as nothing else holds it."""


@act("referrals", key="need_id")
class AnswerForPerson(_NeedAct):
    """The person told staff what they say to the help that was found."""

    answer: PersonsAnswer
    until: date | None = None


@act("referrals", key="need_id")
class BarProvider(_NeedAct):
    """A need is never offered to this provider; where that one helps already, it is taken back."""

    provider: PartnerId


@act("referrals", key="need_id")
class ClearHomeVisit(_NeedAct):
    """Somebody checked that a visit at home is safe; `why` says where the check is recorded."""


@act("referrals", key="need_id")
class RejectNeed(_NeedAct):
    """The programme cannot help with this."""

    reason: Literal["not-eligible", "out-of-area", "not-safe-to-help", "duplicate"]


@act("referrals", key="referral_id")
class SetLane(StaffAct):
    """A referral goes before all others until a day, or back to its place."""

    referral_id: UUID
    lane: Lane
    until: date | None = None


@act("referrals", key="referral_id")
class MarkError(StaffAct):
    """A referral should never have been made: what is open of it is undone."""

    referral_id: UUID
    reason: Literal["wrong-person", "made-by-mistake", "duplicate"]


_NO_NEED = refuse("need_id", "not-found", "There is no such need.", "Use an id from the waiting list.")
_NO_REFERRAL = refuse("referral_id", "not-found", "There is no such referral.", "Use an id from the waiting list.")
_IN_THE_PAST = refuse("until", "in-past", "The day is not after today.", "Give a later day, or none.")
_UNTIL_WHEN = refuse("until", "missing", "Urgent has an end.", "Give the last day on which it is urgent.")


def illegal(need: Need) -> FieldError:
    mend = "Look at the referral as it is now, and ask what its state allows."
    return refuse("need_id", "illegal-move", f"This need is {need.status}: it cannot be done.", mend)


Do = Callable[[Event[Any], Moves, Store, datetime], Awaitable[FieldError | None]]
"""Does an act, or tells why not."""


async def one_by_one(events: Sequence[Event[Any]], do: Do, store: Store, at: datetime) -> list[Said]:
    """Each act of staff is done and kept for good, or refused."""
    of_needs = await store.changes.referrals_of([e.data.need_id for e in events if hasattr(e.data, "need_id")])
    moves = await load([_referral_of(event.data, of_needs) for event in events], store)
    done: list[tuple[Any, ...]] = []
    for event in events:
        told = event.data
        if wrong := await do(event, moves, store, at):
            moves.said.append(refusal(event, wrong))
        else:
            need_id = getattr(told, "need_id", None)
            done.append((_referral_of(told, of_needs), need_id, type(told).__name__, told.by, told.why))
    await store.changes.note_acts(done, at)
    return await moves.save(store, at)


def _referral_of(told: Any, of_needs: Mapping[UUID, UUID]) -> UUID:
    """An id that is of none, where there is none."""
    referral_id: UUID = of_needs.get(told.need_id, told.need_id) if hasattr(told, "need_id") else told.referral_id
    return referral_id


async def on_need_act(events: Sequence[Event[_NeedAct]], store: Store, at: datetime) -> list[Said]:
    return await one_by_one(events, _do, store, at)


async def _do(event: Event[Any], moves: Moves, store: Store, at: datetime) -> FieldError | None:
    need = moves.needs.get(event.data.need_id)
    if need is None:
        return _NO_NEED
    wrong = await _ACTS[type(event.data)](event, need, moves, store, at)
    if wrong is None and moves.needs[need.id].status in OPEN:
        moves.amended[need.referral_id] = event
    return wrong


async def _pause(event: Event[PauseNeed], need: Need, moves: Moves, _: Store, at: datetime) -> FieldError | None:
    until = event.data.until
    if until and until <= day_of(at):
        return _IN_THE_PAST
    return _moved(moves.ask(event, need, Asked("hold", "paused-by-staff", until=until), at), need)


async def _answer(event: Event[AnswerForPerson], need: Need, moves: Moves, _: Store, at: datetime) -> FieldError | None:
    return answers.answer(event, need, moves, at)


async def _reject(event: Event[RejectNeed], need: Need, moves: Moves, _: Store, at: datetime) -> FieldError | None:
    moved = moves.ask(event, need, Asked("reject", event.data.reason), at)
    moves.said += [events_out.withdrawn(event, [need], event.data.reason)] if moved else []
    return _moved(moved, need)


async def _bar(event: Event[BarProvider], need: Need, _: Moves, store: Store, _at: datetime) -> FieldError | None:
    await store.changes.bar(need.id, event.data.provider)
    return _moved(need.status in OPEN, need)


async def _clear(
    event: Event[ClearHomeVisit], need: Need, moves: Moves, store: Store, at: datetime
) -> FieldError | None:
    if need.status not in OPEN:
        return illegal(need)
    await store.changes.clear_home_visit(need.id)
    return await _resume(event, need, moves, store, at) if need.hold == "risk-check" else None


async def _resume(event: Event[Any], need: Need, moves: Moves, store: Store, at: datetime) -> FieldError | None:
    return _moved(need.hold not in {None, "checking"} and await go_on(event, need, moves, store, at), need)


async def go_on(event: Event[Any], need: Need, moves: Moves, store: Store, at: datetime) -> bool:
    """Nobody holds the need back any more: whether it now goes on, or is held for another reason."""
    kept = await what_keeps_back([need], store, day_of(at))
    return moves.ask(event, need, kept[need.id], at)


def _moved(moved: bool, need: Need) -> FieldError | None:  # noqa: FBT001 - whether it moved is all there is to say
    return None if moved else illegal(need)


_ACTS: dict[type[Message], Callable[..., Awaitable[FieldError | None]]] = {
    PauseNeed: _pause,
    ResumeNeed: _resume,
    AnswerForPerson: _answer,
    BarProvider: _bar,
    ClearHomeVisit: _clear,
    RejectNeed: _reject,
}
NEED_ACTS = tuple(_ACTS)


async def on_set_lane(events: Sequence[Event[SetLane]], store: Store, at: datetime) -> list[Said]:
    return await one_by_one(events, _set_lane, store, at)


async def _set_lane(event: Event[SetLane], moves: Moves, store: Store, at: datetime) -> FieldError | None:
    told = event.data
    if wrong := _wrong_lane(told, moves, at):
        return wrong
    await store.changes.set_lanes({told.referral_id: (told.lane, told.until)})
    moves.amended[told.referral_id] = event
    moves.days |= {told.until + timedelta(days=1): event} if told.until else {}
    return None


def _wrong_lane(told: SetLane, moves: Moves, at: datetime) -> FieldError | None:
    if told.referral_id not in moves.parents:
        return _NO_REFERRAL
    if told.lane == "urgent" and told.until is None:
        return _UNTIL_WHEN
    return _IN_THE_PAST if told.until and told.until <= day_of(at) else None


async def on_mark_error(events: Sequence[Event[MarkError]], store: Store, at: datetime) -> list[Said]:
    return await one_by_one(events, _mark_error, store, at)


async def _mark_error(event: Event[MarkError], moves: Moves, _: Store, at: datetime) -> FieldError | None:
    told = event.data
    needs = [need for need in moves.of(told.referral_id) if need.status != "entered-in-error"]
    if not needs:
        return _NO_REFERRAL
    still_open = [need for need in needs if need.status not in TERMINAL]
    moves.said += [events_out.withdrawn(event, still_open, told.reason)] if still_open else []
    for need in needs:
        moves.ask(event, need, Asked("mark-error", told.reason), at)
    return None
