"""A change of status becomes a message and the errand of telling it; the errand's result becomes facts and tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Errand, Forget, Said
from chassis.ids import uuid7
from contracts.referrals import NeedStatusChanged, PersonErased
from services.notifications import events_out
from services.notifications.domain.telling import (
    AFTER_A_FAILURE,
    CallNeeded,
    Failed,
    Postponed,
    Sent,
    Tell,
    Withheld,
    is_told,
)
from services.notifications.store import Store
from services.notifications.store.messages import Settled
from services.notifications.store.tasks import Task


async def on_need_status_changed(events: Sequence[Event[NeedStatusChanged]], store: Store, at: datetime) -> list[Said]:
    causes = {event.id: event for event in events if is_told(event.data.status, event.data.reason)}
    tells = [(_tell(event), event) for event in causes.values()]
    new = await store.add_messages([(tell, UUID(event.id)) for tell, event in tells], at)
    return [_errand(tell, at, event) for tell, event in tells if tell.message_id in new]


async def on_person_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    await store.forget([event.data.referral_id for event in events])
    return [said for event in events for said in (Forget(event.key), events_out.erasure_confirmed(event, at))]


async def on_sent(events: Sequence[Event[Sent]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Settled(_id(e), "sent", e.data.channel) for e in events], at)
    return [events_out.sent(event, at) for event in events if _id(event) in new]


async def on_failed(events: Sequence[Event[Failed]], store: Store, at: datetime) -> list[Said]:
    settled = [Settled(_id(e), "failed", e.data.channel, e.data.reason) for e in events]
    new = await store.settle(settled, at)
    failed = [event for event in events if _id(event) in new]
    tasks = [_task(event, AFTER_A_FAILURE) for event in failed]
    await store.add_tasks(tasks, at)
    said: list[Said] = []
    for event, task in zip(failed, tasks, strict=True):
        said += [events_out.failed(event, at), events_out.call_requested(task, event, at)]
    return said


async def on_withheld(events: Sequence[Event[Withheld]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Settled(_id(e), "withheld", reason=e.data.reason) for e in events], at)
    return [events_out.withheld(event, at) for event in events if _id(event) in new]


async def on_call_needed(events: Sequence[Event[CallNeeded]], store: Store, at: datetime) -> list[Said]:
    new = await store.settle([Settled(_id(e), "call-requested", e.data.channel) for e in events], at)
    needed = [event for event in events if _id(event) in new]
    tasks = [_task(event, event.data.channel) for event in needed]
    await store.add_tasks(tasks, at)
    return [events_out.call_requested(task, event, at) for event, task in zip(needed, tasks, strict=True)]


async def on_postponed(events: Sequence[Event[Postponed]], _store: Store, _at: datetime) -> list[Said]:
    return [_errand(event.data.tell, event.data.until, event) for event in events]


def _tell(event: Event[NeedStatusChanged]) -> Tell:
    change = event.data
    return Tell(
        message_id=uuid7(event.time, event.source, event.id, "message", "person"),
        referral_id=change.referral_id,
        need_id=change.need_id,
        kind=change.kind,
        status=change.status,
    )


def _errand(tell: Tell, not_before: datetime, cause: Event[Any]) -> Errand:
    return Errand(not_before, tell, str(tell.referral_id), cause)


def _task(event: Event[Any], channel: Any) -> Task:
    return Task(uuid7(event.time, event.source, event.id, "call-task"), event.data.tell, channel)


def _id(event: Event[Any]) -> UUID:
    message_id: UUID = event.data.tell.message_id
    return message_id
