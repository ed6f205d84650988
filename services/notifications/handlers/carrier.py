"""What a carrier says of a message that it took, by its callback or because it was asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Errand, Said
from services.notifications import events_out
from services.notifications.domain.ladder import Verdict, verdict
from services.notifications.domain.telling import CarrierSaid, NoNews
from services.notifications.handlers.telling import not_arrived
from services.notifications.store import Store
from services.notifications.store.messages import Move, RungEnd

ASK_AGAIN: Final = timedelta(days=1)
ASKED_AT_MOST: Final = 6
"""The carrier forgets after 7 days."""

UNKNOWN = refuse("reference", "not-found", "No message of ours has this reference.", "Nothing: it was not sent by us.")
NOT_YET = refuse("reference", "not-yet", "Its sending is still being written down.", "Say it again in a moment.")


async def on_carrier_said(events: Sequence[Event[CarrierSaid]], store: Store, at: datetime) -> list[Said]:
    """Raises Refused where the message is not known, or not yet."""
    said: list[Said] = []
    rungs = await store.rungs([(event.data.message_id, event.data.rung) for event in events])
    states = {key: str(row["state"]) for key, row in rungs.items()}
    for event in events:
        key = (event.data.message_id, event.data.rung)
        if key not in states:
            raise Refused(NOT_YET if await store.has_message(event.data.message_id) else UNKNOWN)
        news = verdict(event.data.status, states[key], rungs[key]["channel"])
        if news:
            states[key] = news
            said += await _heard(event, news, rungs[key]["channel"], store, at)
    return said


async def _heard(event: Event[CarrierSaid], news: Verdict, channel: Any, store: Store, at: datetime) -> list[Said]:
    message, status = event.data.message_id, event.data.status
    tell = await store.tell(message)
    if news == "failed":
        return await not_arrived(event, tell, event.data.rung, channel, status, store, at)
    await store.end_rungs([RungEnd(message, event.data.rung, news, status)], at)
    await store.go_on([Move(message, "delivered", channel)], at)
    return [*events_out.delivered(tell, event.data.rung, channel, event, at)]


async def on_no_news(events: Sequence[Event[NoNews]], store: Store, at: datetime) -> list[Said]:
    return [
        Errand(
            at + ASK_AGAIN,
            event.data.follow.model_copy(update={"times": event.data.follow.times + 1}),
            event.key,
            event,
        )
        for event in events
        if event.data.follow.times < ASKED_AT_MOST
    ]
