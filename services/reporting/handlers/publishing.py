"""When tables are made and said: a while after a fact changed something, and when a month closes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Handler, Later, Said
from services.reporting.domain import periods
from services.reporting.domain.periods import Period
from services.reporting.handlers import editions
from services.reporting.store import Store


class PublishMetrics(BaseModel):
    """Due work: publish what changed, and close the months that are over."""


class MakeTables(BaseModel):
    """Due work: the next of the tables that are to be published, from what is stored now."""


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
    """Takes the marks off, and no more: whoever changes something from here on marks it anew, and waits for nobody."""
    await store.editions.begin(at)
    return [Later(at, MakeTables(), "make", events[-1])]


async def on_make_tables(events: Sequence[Event[MakeTables]], store: Store, at: datetime) -> list[Said]:
    """Closes a month, or makes what stands where none is left to close. Facts are taken meanwhile."""
    await store.editions.alone()
    geography, month = await store.measures.geography(), await _to_close(store, at)
    if month:
        made = await editions.close(store, geography, month, at)
        later = [Later(at, MakeTables(), "make", events[-1])]
    else:
        made = await store.editions.changed(await editions.now(store, geography, at))
        later = await _later(store, "close", periods.closes_at(periods.next_to_close(at)), events[-1])
    await store.editions.save(made)
    return [*(Fact(one, events[-1]) for one in made), *later]


async def _to_close(store: Store, at: datetime) -> Period | None:
    """The first month that is over and was not published: also one that came with an old list after later ones were."""
    first, closed = await store.measures.first_day(), await store.editions.closed()
    return next((month for month in periods.closed(first, at) if month.name not in closed), None) if first else None
