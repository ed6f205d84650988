"""What the person said to the help that was found: yes, no or not now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.changes import PersonAnswered
from contracts.contacting import wrong_until
from contracts.notifications import AnswerTaken
from contracts.refusal import FieldError
from contracts.vocabulary import PersonsAnswer
from services.referrals import events_out
from services.referrals.domain.lifecycle import OPEN, Asked, Need
from services.referrals.handlers.moves import Moves, load
from services.referrals.store import Store
from services.referrals.store.referrals import Trace

_NOT_YOURS = refuse(
    "need_id", "not-found", "You neither referred this person nor help them.", "Take the id from what we told you."
)
_ENDED = refuse(
    "need_id", "illegal-move", "This need has ended.", "Refer the person again if they want help after all."
)
_NOTHING_OFFERED = refuse(
    "answer",
    "illegal-move",
    "Nobody has offered help yet, so there is nothing to say no to.",
    "Withdraw the need if the person wants no help, or answer not-now with a day.",
)


async def on_person_answered(events: Sequence[Event[PersonAnswered]], store: Store, at: datetime) -> list[Said]:
    referrals = await store.changes.referrals_of([event.data.need_id for event in events])
    moves = await load(referrals.values(), store)
    for event in events:
        need = moves.needs.get(event.data.need_id)
        if need is None or event.partner not in {moves.parents[need.referral_id].partner, need.provider}:
            moves.said.append(refusal(event, _NOT_YOURS))
        elif wrong := answer(event, need, moves, at):
            moves.said.append(refusal(event, wrong))
    return await moves.save(store, at)


async def on_answer_taken(events: Sequence[Event[AnswerTaken]], store: Store, at: datetime) -> list[Said]:
    """The person said it to whoever rang or visited them. What comes too late has no effect, and is kept as such."""
    moves = await load([event.data.referral_id for event in events], store)
    for event in events:
        need = moves.needs.get(event.data.need_id)
        if need and answer(event, need, moves, at):
            moves.traces.append(Trace(need.id, "AnswerTaken", need.status, event.data.answer, superseded=True))
    return await moves.save(store, at)


def answer(event: Event[Any], need: Need, moves: Moves, at: datetime) -> FieldError | None:
    """Takes the `answer` and `until` of an event, whoever wrote them down. Returns why it has no effect, if so."""
    said, until = event.data.answer, event.data.until
    if wrong := _wrong(said, need) or wrong_until(said, until, day_of(at)):
        return wrong
    moves.said.append(events_out.answered(event, need, at))
    if said == "no":
        moves.ask(event, need, Asked("say-no", "said-no"), at)
    elif said == "not-now":
        moves.ask(event, need, Asked("hold", "not-now", until=until), at)
    return None


def _wrong(said: PersonsAnswer, need: Need) -> FieldError | None:
    if need.status not in OPEN:
        return _ENDED
    return _NOTHING_OFFERED if said == "no" and need.status in ("requested", "on-hold") else None
