"""When the tables of counts are made and said: soon after a fact changes one, and not more often."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Later, Said
from services.reporting.domain.measures import MEASURES, Measure, measure_of, name_of
from services.reporting.events_out import metric
from services.reporting.store import Store

ALL: Final = MEASURES


class PublishMetrics(BaseModel):
    """Due work: count these tables, and say those that changed."""

    names: list[str]


async def changed(measures: Sequence[Measure], cause: Event[Any], store: Store, at: datetime) -> list[Said]:
    """Schedules a new count of measures that a fact changed, unless one is scheduled."""
    due_at = at + store.publish_every
    names = await store.publication.mark([name_of(measure) for measure in measures], due_at)
    return [Later(due_at, PublishMetrics(names=names), "metrics", cause)] if names else []


async def on_publish_metrics(events: Sequence[Event[PublishMetrics]], store: Store, at: datetime) -> list[Said]:
    last = await store.publication.begin([name for event in events for name in event.data.names])
    counts, wards = await store.tally.by_measure(), await store.counts.wards()
    made = [metric(measure_of(name), counts.get(measure_of(name), []), wards, at) for name in last]
    new = [one for one in made if (was := last[one.name]) is None or was.cells != one.cells]
    await store.publication.save(new)
    return [Fact(one, events[-1]) for one in new]
