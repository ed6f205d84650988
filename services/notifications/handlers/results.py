"""What the errand of telling came to: facts, tasks for human beings, and the next rung of the ladder."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Errand, Later, Said
from chassis.ids import uuid7
from contracts.notifications import OVERTAKEN
from contracts.vocabulary import Channel
from services.notifications import events_out
from services.notifications.domain.ladder import RUNGS
from services.notifications.domain.telling import (
    CallNeeded,
    Failed,
    FollowUp,
    LookUp,
    Postponed,
    Sent,
    Telling,
    Unsure,
    Withheld,
)
from services.notifications.handlers.telling import errand
from services.notifications.store import Store
from services.notifications.store.messages import Move, NewRung, State
from services.notifications.store.tasks import Task

LOOK_UP_AFTER: Final = timedelta(minutes=1)
"""By then the carrier has ended whatever it was doing when it was last heard of: it is given 20 seconds."""
FOLLOW_UP_AFTER: Final = timedelta(days=1)


class NoReportYet(BaseModel):
    """Due work: the referrer had its time to report."""

    task_id: UUID


async def on_sent(events: Sequence[Event[Sent]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Move(_id(e), "sent", e.data.channel) for e in events], at)
    sent = [event for event in events if _id(event) in new]
    rungs = [NewRung(e.data.tell, e.data.channel, "sent", "taken", e.data.language) for e in sent]
    await store.add_rungs(rungs, at)
    follow = [event for event in sent if event.data.tracked]
    return [
        *(fact for event in sent for fact in events_out.sent(event, at)),
        *(_follow(event.data.tell, event, at + FOLLOW_UP_AFTER) for event in follow),
    ]


async def on_failed(events: Sequence[Event[Failed]], store: Store, at: datetime) -> list[Said]:
    """What was refused is tried the next way. What may have left is told no other way before staff have asked."""
    moves = [_failed(event.data) for event in events]
    new = await store.settle(moves, at)
    failed = [event for event in events if _id(event) in new]
    rungs = [NewRung(e.data.tell, e.data.channel, "failed", e.data.evidence or e.data.reason) for e in failed]
    await store.add_rungs(rungs, at)
    unknown = [e for e in failed if e.data.reason == "unknown-result" and e.data.tell.is_owed]
    await store.add_tasks([_staff(event, event.data.reason) for event in unknown], at)
    said: list[Said] = [fact for event in failed for fact in events_out.failed(event, at)]
    return said + [
        errand(event.data.tell.without(event.data.channel), at, event)
        for event in failed
        if event.data.reason == "refused"
    ]


async def on_withheld(events: Sequence[Event[Withheld]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Move(_id(e), "withheld", reason=e.data.reason) for e in events], at)
    withheld = [event for event in events if _id(event) in new]
    owed = [event for event in withheld if event.data.reason not in OVERTAKEN and event.data.tell.is_owed]
    await store.add_tasks([_staff(event, event.data.reason) for event in owed], at)
    return [fact for event in withheld for fact in events_out.withheld(event, at)]


async def on_call_needed(events: Sequence[Event[CallNeeded]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Move(_id(e), "call-requested", e.data.channel) for e in events], at)
    needed = [event for event in events if _id(event) in new]
    tasks = [Task(_task_id(event), event.data.tell, event.data.channel) for event in needed]
    await store.add_tasks(tasks, at)
    await store.add_rungs([NewRung(e.data.tell, e.data.channel, "open") for e in needed], at)
    said: list[Said] = []
    for event, task in zip(needed, tasks, strict=True):
        by = _by(event.data.channel, at)
        said += events_out.call_requested(task.id, event, by, at)
        said += [Later(by, NoReportYet(task_id=task.id), event.key, event)] if by else []
    return said


async def on_postponed(events: Sequence[Event[Postponed]], _store: Store, _at: datetime) -> list[Said]:
    return [errand(event.data.tell, event.data.until, event) for event in events]


async def on_unsure(events: Sequence[Event[Unsure]], _store: Store, at: datetime) -> list[Said]:
    return [Errand(at + LOOK_UP_AFTER, _look_up(event), event.key, event) for event in events]


def _look_up(event: Event[Unsure]) -> LookUp:
    """The time of the event is that of the attempt."""
    unsure = event.data
    return LookUp(tell=unsure.tell, channel=unsure.channel, since=unsure.since or event.time)


def _failed(result: Failed) -> Move:
    if result.reason == "refused":
        return Move(result.tell.message_id, "waiting", result.channel, result.evidence, used=result.channel)
    state: State = "call-requested" if result.tell.is_owed else "unreached"
    return Move(result.tell.message_id, state, result.channel, result.reason)


def _by(channel: Channel, at: datetime) -> datetime | None:
    patience = RUNGS[channel].patience
    return at + patience if patience else None


def _follow(tell: Telling, cause: Event[Any], not_before: datetime) -> Errand:
    follow = FollowUp(message_id=tell.message_id, referral_id=tell.referral_id, rung=tell.rung)
    return Errand(not_before, follow, tell.key, cause)


def _staff(event: Event[Any], reason: str) -> Task:
    return Task(_task_id(event), event.data.tell, "staff", reason)


def _task_id(event: Event[Any]) -> UUID:
    return uuid7(event.time, event.source, event.id, "call-task")


def _id(event: Event[Any]) -> UUID:
    message_id: UUID = event.data.tell.message_id
    return message_id
