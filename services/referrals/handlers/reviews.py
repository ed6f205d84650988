"""Why somebody waits can be asked, and looked at again by staff."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from contracts.message import Message, act
from contracts.refusal import FieldError
from contracts.vocabulary import ShortText
from services.referrals.handlers.moves import Moves
from services.referrals.handlers.staff import StaffAct, one_by_one
from services.referrals.store import Store


@act("referrals", key="need_id")
class AskForReview(Message):
    """The referrer, or the person through them, wants staff to look at where this need stands."""

    need_id: UUID
    why: ShortText


@act("referrals", key="need_id")
class AnswerReview(StaffAct):
    """What staff found. A correction is made by an amendment, an urgent need by its lane."""

    need_id: UUID
    answer: ShortText


_NOT_FOUND = refuse("need_id", "not-found", "You have no such need.", "Use the ids that ReferralAcknowledged gave you.")
_OPEN = refuse("need_id", "illegal-move", "A review of this need is open already.", "Wait for what staff say.")
_NONE = refuse("need_id", "not-found", "No review of this need is open.", "Take the id from the list of reviews.")


async def on_ask_for_review(events: Sequence[Event[AskForReview]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        by, need_id = event.partner or "", event.data.need_id
        need = await store.reviews.standing(need_id, by)
        if need is None:
            said.append(refusal(event, _NOT_FOUND))
        elif not await store.reviews.ask(need_id, need["referral_id"], by, event.data.why, at):
            said.append(refusal(event, _OPEN))
    return said


async def on_answer_review(events: Sequence[Event[AnswerReview]], store: Store, at: datetime) -> list[Said]:
    return await one_by_one(events, _answer, store, at)


async def _answer(event: Event[AnswerReview], _: Moves, store: Store, at: datetime) -> FieldError | None:
    told = event.data
    return None if await store.reviews.answer(told.need_id, told.by, told.answer, at) else _NONE
