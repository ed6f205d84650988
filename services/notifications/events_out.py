"""What this service says: each fact from the result that caused it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.envelope import Event
from chassis.facts import Fact
from contracts.message import Message
from contracts.notifications import (
    AnswerTaken,
    CallCompleted,
    CallRequested,
    ErasureConfirmed,
    NotificationDelivered,
    NotificationFailed,
    NotificationSent,
    NotificationWithheld,
)
from contracts.referrals import PersonErased
from contracts.vocabulary import Channel, PersonsAnswer
from services.notifications.domain.ladder import Outcome
from services.notifications.domain.telling import CallNeeded, Failed, Sent, TellApplicant, Telling, Withheld


def sent(event: Event[Sent], at: datetime) -> list[Fact]:
    return _of_need(NotificationSent, event.data.tell, event, at, channel=event.data.channel)


def delivered(tell: Telling, rung: int, channel: Channel, cause: Event[Any], at: datetime) -> list[Fact]:
    return _of_need(NotificationDelivered, tell, cause, at, rung=rung, channel=channel)


def failed(event: Event[Failed], at: datetime) -> list[Fact]:
    result = event.data
    given = result.model_dump(include={"channel", "reason", "evidence"})
    return _of_need(NotificationFailed, result.tell, event, at, **given)


def not_arrived(tell: Telling, rung: int, channel: Channel, status: str, cause: Event[Any], at: datetime) -> list[Fact]:
    """The carrier took the message, and says now that it did not arrive."""
    given = {"rung": rung, "channel": channel, "reason": "refused", "evidence": status}
    return _of_need(NotificationFailed, tell, cause, at, **given)


def withheld(event: Event[Withheld], at: datetime) -> list[Fact]:
    return _of_need(NotificationWithheld, event.data.tell, event, at, reason=event.data.reason)


def call_requested(task_id: UUID, event: Event[CallNeeded], by: datetime | None, at: datetime) -> list[Fact]:
    given = event.data.model_dump(include={"channel", "text", "neutral"})
    return _of_need(CallRequested, event.data.tell, event, at, task_id=task_id, by=by, **given)


def call_completed(
    tell: Telling, task: asyncpg.Record, outcome: Outcome, cause: Event[Any], at: datetime
) -> list[Fact]:
    given = {"rung": task["rung"], "task_id": task["id"], "channel": task["channel"], "outcome": outcome}
    return _of_need(CallCompleted, tell, cause, at, **given)


def answer_taken(
    task: asyncpg.Record, answer: PersonsAnswer, until: date | None, cause: Event[Any], at: datetime
) -> Fact:
    ids = {name: task[name] for name in ("referral_id", "need_id")}
    return Fact(AnswerTaken(**ids, task_id=task["id"], answer=answer, until=until, at=at), cause)


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)


def _of_need(fact: type[Message], tell: Telling, cause: Event[Any], at: datetime, **given: Any) -> list[Fact]:
    """Of what applicants are told nothing is said: nobody acts on it."""
    if isinstance(tell, TellApplicant):
        return []
    ids = tell.model_dump(include={"referral_id", "need_id", "audience", "status"})
    about = tell.about if tell.about != tell.status else None
    return [Fact(fact(**{**ids, "about": about, "rung": tell.rung, "at": at, **given}), cause)]
