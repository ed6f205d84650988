"""A group of referrals: each is one of its own, and is answered for itself; the answers together are the group's."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chassis.decode import partner_event
from chassis.envelope import Event
from chassis.errors import Refused
from chassis.facts import Fact, Said, answer, refusal
from contracts.changes import AnswerInGroup, GroupPosted, GroupReferralAcknowledged, GroupReferralSubmitted
from contracts.door import ReferralAcknowledged, ReferralSubmitted
from contracts.message import Message
from contracts.refusal import FieldError
from contracts.vocabulary import Reference
from services.referrals.handlers.submission import OpenedReferral, Programme, on_referral_submitted, opening
from services.referrals.store import Store


class Unopened(Message):
    """A referral of a group whose person cannot be opened."""

    reference: Reference
    errors: list[FieldError]

    spec = ReferralSubmitted.spec
    example = ReferralSubmitted.example


class OpenedGroup(Message):
    """A group whose persons were opened. It lives only in memory."""

    group: Reference
    referrals: list[OpenedReferral | Unopened]

    spec = GroupReferralSubmitted.spec
    example = GroupReferralSubmitted.example


def opening_group(programme: Programme) -> Callable[[Message], Message]:
    """How a message of either door becomes an OpenedGroup."""
    opened = opening(programme)

    def one(referral: Message) -> Message:
        try:
            return opened(referral)
        except Refused as why:
            return Unopened(reference=referral.reference, errors=list(why.errors))  # type: ignore[attr-defined]  # a referral has one

    def all_of(message: Message) -> Message:
        assert isinstance(message, (GroupReferralSubmitted, GroupPosted))  # noqa: S101 - wired for these two alone
        return OpenedGroup.model_construct(group=message.group, referrals=[one(each) for each in message.referrals])

    return all_of


async def on_group_submitted(
    programme: Programme, events: Sequence[Event[OpenedGroup]], store: Store, at: datetime
) -> list[Said]:
    ones = [_one(event, nth) for event in events for nth in range(len(event.data.referrals))]
    opened = [one for one in ones if isinstance(one.data, OpenedReferral)]
    said = await on_referral_submitted(programme, opened, store, at) if opened else []
    said += [refusal(one, *one.data.errors) for one in ones if isinstance(one.data, Unopened)]
    told = {(s.cause.partner, s.cause.id): s.data for s in said if isinstance(s, Fact) and s.is_answer}
    return [*said, *(_together(event, told) for event in events)]


def _one(group: Event[OpenedGroup], nth: int) -> Event[Any]:
    """A referral of a group, as an event of its own."""
    kind, referral = ReferralSubmitted.spec.type, group.data.referrals[nth]
    return partner_event(group.partner or "", f"{group.id}/{nth}", referral, kind, group.time, group.record)


def _together(group: Event[OpenedGroup], told: dict[tuple[str | None, str], Any]) -> Fact:
    answers = []
    for nth, referral in enumerate(group.data.referrals):
        identity = f"{group.id}/{nth}"
        heard = told[group.partner, identity]
        made = heard.referral_id if isinstance(heard, ReferralAcknowledged) else None
        errors = [] if made else heard.errors
        answers.append(
            AnswerInGroup(submission_id=identity, reference=referral.reference, referral_id=made, errors=errors)
        )
    return answer(group, GroupReferralAcknowledged(submission_id=group.id, group=group.data.group, answers=answers))
