"""What the person said to the help that was found: yes, no or not now."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from contracts.calendar import day_of
from contracts.changes import PersonAnswered
from contracts.refusal import FieldError
from contracts.vocabulary import PersonsAnswer
from services.referrals import events_out
from services.referrals.domain.lifecycle import OPEN, Asked, Need
from services.referrals.handlers.moves import Moves, load
from services.referrals.store import Store

LONGEST: Final = timedelta(days=366)

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
_NO_SUCH_DAY = refuse(
    "until", "not-in-the-coming-year", "The day is not in the coming year.", "Give a day after today, within a year."
)


_UNTIL_WHEN = refuse(
    "until", "only-with-not-now", "A day goes with not-now, and only with it.", "Give `until` with not-now, else none."
)


async def on_person_answered(events: Sequence[Event[PersonAnswered]], store: Store, at: datetime) -> list[Said]:
    referrals = await store.changes.referrals_of([event.data.need_id for event in events])
    moves = await load(referrals.values(), store)
    for event in events:
        need = moves.needs.get(event.data.need_id)
        if need is None or event.partner not in {moves.parents[need.referral_id].partner, need.provider}:
            moves.said.append(refusal(event, _NOT_YOURS))
        elif wrong := wrong_answer(event.data.answer, event.data.until, need, at):
            moves.said.append(refusal(event, wrong))
        else:
            take(event, need, moves, at)
    return await moves.save(store, at)


def wrong_answer(answer: PersonsAnswer, until: date | None, need: Need, at: datetime) -> FieldError | None:
    if need.status not in OPEN:
        return _ENDED
    if answer == "no" and need.status in ("requested", "on-hold"):
        return _NOTHING_OFFERED
    if (until is not None) != (answer == "not-now"):
        return _UNTIL_WHEN
    today = day_of(at)
    return _NO_SUCH_DAY if until and not today < until <= today + LONGEST else None


def take(event: Event[Any], need: Need, moves: Moves, at: datetime) -> None:
    """The answer of an event with `answer` and `until`, that is not wrong."""
    moves.said.append(events_out.answered(event, need, at))
    if event.data.answer == "no":
        moves.ask(event, need, Asked("say-no", "said-no"), at)
    elif event.data.answer == "not-now":
        moves.ask(event, need, Asked("hold", "not-now", until=event.data.until), at)
