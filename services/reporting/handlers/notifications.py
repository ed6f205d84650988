"""Facts of the notifications service: who was told, how, and what stood in the way."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.contacting import FeedbackGiven
from contracts.notifications import (
    CallCompleted,
    CallRequested,
    NotificationDelivered,
    NotificationFailed,
    NotificationSent,
    NotificationWithheld,
)
from services.reporting.domain.folding import latest
from services.reporting.handlers.rows import rows
from services.reporting.store import Store

Told = (
    NotificationSent | NotificationDelivered | NotificationFailed | NotificationWithheld | CallRequested | CallCompleted
)
RESULT: dict[type[Told], str] = {
    NotificationSent: "sent",
    NotificationDelivered: "delivered",
    NotificationFailed: "failed",
    NotificationWithheld: "withheld",
    CallRequested: "call-requested",
    CallCompleted: "call-completed",
}


async def on_notification(events: Sequence[Event[Told]], store: Store, _at: datetime) -> list[Said]:
    await store.notifications.save([(event_id, fact, RESULT[type(fact)]) for event_id, fact in rows(events)])
    return []


async def on_feedback_given(events: Sequence[Event[FeedbackGiven]], store: Store, _at: datetime) -> list[Said]:
    await store.notifications.save_feedback(
        latest((e.data for e in events), lambda fact: (fact.referral_id, fact.asked))
    )
    return []
