"""What referrers are asked to tell and report, what is said of what was withheld, and how it went as people say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Fact, Said, refusal
from contracts.contacting import (
    Asked,
    ContactReported,
    ContactRequested,
    ContactWithheld,
    FeedbackGiven,
    GoalMet,
    Online,
    ReferrerReported,
)
from contracts.notifications import OVERTAKEN, CallRequested, NotificationWithheld
from contracts.person import Email
from contracts.referrals import PartnerRegistered
from contracts.vocabulary import PartnerId
from services.referrals.store import Store
from services.referrals.store.contacting import Request

NO_TASK: Final = refuse(
    "task_id", "not-found", "You were not asked this.", "Use the task_id of a ContactRequested of yours."
)
REPORTED: Final = refuse(
    "task_id", "illegal-move", "You reported another outcome before.", "There is nothing left to do."
)


class GiveFeedback(BaseModel):
    """The person told how it went, through a link, or through staff who asked."""

    referral_id: UUID
    need_id: UUID
    asked: Asked
    goal_met: GoalMet
    online: Online


class SetMail(BaseModel):
    """A partner says where it wants to be written to of its referrals, or that it does not."""

    partner: PartnerId
    email: Email | None


async def on_call_requested(events: Sequence[Event[CallRequested]], store: Store, at: datetime) -> list[Said]:
    """The referrer is asked to tell the person, where that is the way; the other ways are for staff."""
    asked = {e.data.task_id: e for e in events if e.data.channel == "via-referrer" and e.data.text and e.data.by}
    parents = await store.contacting.parents([event.data.referral_id for event in asked.values()])
    there = {task: event for task, event in asked.items() if event.data.referral_id in parents}
    requests = [
        Request(task, e.data.referral_id, e.data.need_id, parents[e.data.referral_id]["partner"], _about(e.data))
        for task, e in there.items()
    ]
    new = await store.contacting.ask(requests, at)
    return [_requested(event, parents[event.data.referral_id]) for task, event in there.items() if task in new]


async def on_notification_withheld(
    events: Sequence[Event[NotificationWithheld]], store: Store, at: datetime
) -> list[Said]:
    """The referrer hears of it, so that there is no silence; what was overtaken is missed by nobody."""
    missed = [e for e in events if e.data.audience == "person" and e.data.reason not in OVERTAKEN]
    parents = await store.contacting.parents([event.data.referral_id for event in missed])
    return [_withheld(event, parents[event.data.referral_id]) for event in missed if event.data.referral_id in parents]


async def on_contact_reported(events: Sequence[Event[ContactReported]], store: Store, at: datetime) -> list[Said]:
    requests = await store.contacting.requests([event.data.task_id for event in events])
    outcomes = {task: row["outcome"] for task, row in requests.items()}
    said: list[Said] = []
    for event in events:
        report = event.data
        request = requests.get(report.task_id)
        if request is None or request["partner"] != event.partner:
            said.append(refusal(event, NO_TASK))
        elif outcomes[report.task_id] not in {None, report.outcome}:
            said.append(refusal(event, REPORTED))
        else:
            first = outcomes[report.task_id] is None
            outcomes[report.task_id] = report.outcome
            said += [_reported(event, request, at)] if first else []
            said += await _given(event, _feedback_of(report, request, at), store)
    new = [(task, outcome) for task, outcome in outcomes.items() if outcome and requests[task]["outcome"] is None]
    await store.contacting.report(new, at)
    return said


async def on_give_feedback(events: Sequence[Event[GiveFeedback]], store: Store, at: datetime) -> list[Said]:
    """The first answer counts; one that comes again changes nothing."""
    said: list[Said] = []
    for event in events:
        said += await _given(event, [FeedbackGiven(**event.data.model_dump(), at=at)], store)
    return said


async def on_set_mail(events: Sequence[Event[SetMail]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        partner, email = event.data.partner, event.data.email
        await store.contacting.set_mail(partner, email, at)
        name = await store.contacting.name_of(partner)
        said.append(Fact(PartnerRegistered(partner=partner, name=name, mail=email is not None), event))
    return said


async def _given(event: Event[Any], given: list[FeedbackGiven], store: Store) -> list[Said]:
    new = await store.contacting.answer(given) if given else set()
    return [Fact(each, event) for each in given if (each.referral_id, each.asked) in new]


def _feedback_of(report: ContactReported, request: Any, at: datetime) -> list[FeedbackGiven]:
    asked: Any = request["about"].removeprefix("feedback-")
    if asked not in get_args(Asked) or (report.goal_met is None and report.online is None):
        return []
    return [
        FeedbackGiven(
            referral_id=request["referral_id"],
            need_id=request["need_id"],
            asked=asked,
            goal_met=report.goal_met or "not-said",
            online=report.online or "not-said",
            at=at,
        )
    ]


def _about(told: CallRequested | NotificationWithheld) -> str:
    return told.about or told.status


def _requested(event: Event[CallRequested], parent: Any) -> Fact:
    call = event.data
    assert call.text and call.by  # noqa: S101, PT018 - looked at by the caller
    return Fact(
        ContactRequested(
            task_id=call.task_id,
            referral_id=call.referral_id,
            need_id=call.need_id,
            reference=parent["reference"],
            text=call.text,
            neutral=call.neutral,
            by=call.by,
        ),
        event,
        to=parent["partner"],
    )


def _withheld(event: Event[NotificationWithheld], parent: Any) -> Fact:
    told = event.data
    return Fact(
        ContactWithheld(
            referral_id=told.referral_id,
            need_id=told.need_id,
            reference=parent["reference"],
            about=_about(told),
            reason=told.reason,
            at=told.at,
        ),
        event,
        to=parent["partner"],
    )


def _reported(event: Event[ContactReported], request: Any, at: datetime) -> Fact:
    return Fact(
        ReferrerReported(
            referral_id=request["referral_id"],
            need_id=request["need_id"],
            task_id=event.data.task_id,
            outcome=event.data.outcome,
            at=at,
        ),
        event,
    )
