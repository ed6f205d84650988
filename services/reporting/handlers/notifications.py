"""Facts of the notifications service: who was told, how, and what stood in the way."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said
from contracts.notifications import CallRequested, NotificationFailed, NotificationSent, NotificationWithheld
from services.reporting.domain.folding import latest
from services.reporting.store import Store

Told = NotificationSent | NotificationFailed | NotificationWithheld | CallRequested
RESULT: dict[type[Told], str] = {
    NotificationSent: "sent",
    NotificationFailed: "failed",
    NotificationWithheld: "withheld",
    CallRequested: "call-requested",
}


async def on_notification(events: Sequence[Event[Told]], store: Store, _at: datetime) -> list[Said]:
    rows = latest(events, lambda event: event.id)
    await store.notifications.save([(UUID(event.id), event.data, RESULT[type(event.data)]) for event in rows])
    return []
