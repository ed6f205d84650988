"""What this service says: each fact from the result that caused it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.envelope import Event
from chassis.facts import Fact
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
from services.notifications.domain.telling import CallNeeded, Failed, Sent, Tell, Withheld


def sent(event: Event[Sent], at: datetime) -> Fact:
    return Fact(NotificationSent(**_told(event.data.tell), channel=event.data.channel, at=at), event)


def delivered(tell: Tell, rung: int, channel: Channel, cause: Event[Any], at: datetime) -> Fact:
    return Fact(NotificationDelivered(**_told(tell, rung), channel=channel, at=at), cause)


def failed(event: Event[Failed], at: datetime) -> Fact:
    result = event.data
    told = _told(result.tell)
    return Fact(
        NotificationFailed(**told, channel=result.channel, reason=result.reason, evidence=result.evidence, at=at), event
    )


def not_arrived(tell: Tell, rung: int, channel: Channel, status: str, cause: Event[Any], at: datetime) -> Fact:
    """The carrier took the message, and says now that it did not arrive."""
    told = _told(tell, rung)
    return Fact(NotificationFailed(**told, channel=channel, reason="refused", evidence=status, at=at), cause)


def withheld(event: Event[Withheld], at: datetime) -> Fact:
    return Fact(NotificationWithheld(**_told(event.data.tell), reason=event.data.reason, at=at), event)


def call_requested(task_id: UUID, event: Event[CallNeeded], by: datetime | None, at: datetime) -> Fact:
    needed = event.data
    return Fact(
        CallRequested(
            **_told(needed.tell),
            task_id=task_id,
            channel=needed.channel,
            text=needed.text,
            neutral=needed.neutral,
            by=by,
            at=at,
        ),
        event,
    )


def call_completed(tell: Tell, task: asyncpg.Record, outcome: Outcome, cause: Event[Any], at: datetime) -> Fact:
    told = _told(tell, task["rung"])
    return Fact(CallCompleted(**told, task_id=task["id"], channel=task["channel"], outcome=outcome, at=at), cause)


def answer_taken(
    task: asyncpg.Record, answer: PersonsAnswer, until: date | None, cause: Event[Any], at: datetime
) -> Fact:
    ids = {name: task[name] for name in ("referral_id", "need_id")}
    return Fact(AnswerTaken(**ids, task_id=task["id"], answer=answer, until=until, at=at), cause)


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)


def _told(tell: Tell, rung: int | None = None) -> dict[str, Any]:
    ids = tell.model_dump(include={"referral_id", "need_id", "audience", "status"})
    return {**ids, "about": tell.about if tell.asked else None, "rung": rung or tell.rung}
