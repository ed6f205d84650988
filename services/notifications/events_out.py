"""What this service says: each fact from the result that caused it."""

from datetime import datetime
from typing import Any

from chassis.envelope import Event
from chassis.facts import Fact
from contracts.notifications import (
    CallRequested,
    ErasureConfirmed,
    NotificationFailed,
    NotificationSent,
    NotificationWithheld,
)
from contracts.referrals import PersonErased
from services.notifications.domain.telling import Failed, Sent, Tell, Withheld
from services.notifications.store.tasks import Task


def sent(event: Event[Sent], at: datetime) -> Fact:
    return Fact(NotificationSent(**_told(event.data.tell), channel=event.data.channel, at=at), event)


def failed(event: Event[Failed], at: datetime) -> Fact:
    result = event.data
    told = _told(result.tell)
    return Fact(NotificationFailed(**told, channel=result.channel, reason=result.reason, at=at), event)


def withheld(event: Event[Withheld], at: datetime) -> Fact:
    return Fact(NotificationWithheld(**_told(event.data.tell), reason=event.data.reason, at=at), event)


def call_requested(task: Task, cause: Event[Any], at: datetime) -> Fact:
    return Fact(CallRequested(**_told(task.tell), task_id=task.id, channel=task.channel, at=at), cause)


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)


def _told(tell: Tell) -> dict[str, Any]:
    return tell.model_dump(include={"referral_id", "need_id", "audience", "status"})
