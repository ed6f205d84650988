"""When tables are made and said: a while after a fact changed something, and when a month closes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Handler, Later, Said
from services.reporting.domain import periods
from services.reporting.handlers import editions
from services.reporting.store import Store


class PublishMetrics(BaseModel):
    """Due work: publish what changed, and close the months that are over."""


def changing(handler: Handler) -> Handler:
    """A handler after which there is something new to publish."""

    async def handle(events: Sequence[Event[Any]], store: Store, at: datetime) -> list[Said]:
        said = list(await handler(events, store, at))
        return [*said, *await _later(store, "soon", at + store.publish_every, events[-1])]

    return handle


async def _later(store: Store, why: str, due_at: datetime, cause: Event[Any]) -> list[Later]:
    """Nothing, where it is marked already."""
    marked = await store.editions.mark(why, due_at)
    return [Later(due_at, PublishMetrics(), why, cause)] if marked else []


async def on_publish_metrics(events: Sequence[Event[PublishMetrics]], store: Store, at: datetime) -> list[Said]:
    await store.editions.begin(at)
    geography = await store.measures.geography()
    made = []
    for month in await _to_close(store, at):
        closed = await editions.close(store, geography, month, at)
        await store.editions.save(closed)
        made += closed
    standing = await editions.now(store, geography, at)
    new = await store.editions.changed(standing)
    await store.editions.save(new)
    close_at = periods.closes_at(periods.next_to_close(at))
    later = await _later(store, "close", close_at, events[-1])
    return [*(Fact(one, events[-1]) for one in (*made, *new)), *later]


async def _to_close(store: Store, at: datetime) -> list[periods.Period]:
    """Every month that is over and was not published, from that after the last one that was."""
    last, first = await store.editions.last_closed(), await store.measures.first_day()
    since = last + periods.DAY if last else first
    return periods.closed(since, at) if since else []
