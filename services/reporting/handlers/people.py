"""What referrals counted of people is safe to publish as it comes: nothing is counted, hidden or added up here."""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.envelope import Event
from chassis.facts import Fact, Said
from contracts.people import PeopleCounted
from contracts.reporting import MetricPublished, TableCell
from services.reporting import events_out
from services.reporting.domain import periods
from services.reporting.domain.measures import WHO
from services.reporting.store import Store


async def on_people_counted(events: Sequence[Event[PeopleCounted]], store: Store, at: datetime) -> list[Said]:
    made = {(event.data.month, event.data.table): Fact(_metric(event.data, at), event) for event in events}
    await store.editions.save([fact.data for fact in made.values() if isinstance(fact.data, MetricPublished)])
    return list(made.values())


def _metric(told: PeopleCounted, at: datetime) -> MetricPublished:
    month = periods.month_of(date.fromisoformat(f"{told.month}-01"))
    cells = [TableCell(codes=[row.code], value=row.people, hidden=row.hidden) for row in told.rows]
    return events_out.metric(WHO, month, (told.table,), cells, at)
