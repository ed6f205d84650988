"""What is published at one time: what stands now and the open month, and each month once, when it is closed."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from chassis.disclosure import protect
from chassis.worlds import Bounds, People
from contracts.reporting import MetricPublished
from services.reporting import events_out
from services.reporting.domain import periods
from services.reporting.domain.families import Cell, Family, Sort, Told, family_of, pieces
from services.reporting.domain.measures import MEASURES, By, Measure, members
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Geography, Table, table
from services.reporting.domain.waits import within
from services.reporting.store import Store


@dataclass(slots=True)
class Edition:
    """Tables of the same people that are published together, most important first, and every version of what was
    published before and counts them too, by its name."""

    people: Mapping[Sort, int]
    geography: Geography
    tables: list[tuple[Told, Period]] = field(default_factory=list)
    earlier: Mapping[str, Sequence[MetricPublished]] = field(default_factory=dict)

    def published(self, words: Sequence[str], at: datetime) -> list[MetricPublished]:
        """All that is to be told, and no more of it than is safe."""
        family = Family(words, [told for told, _ in self.tables], self.geography, self.people)
        new = [(told, period) for told, period in self.tables if not self._holds(told, family.counted[told])]
        kept = protect(
            People(self.people, self._counts(family), family.counted_in, family.places),
            [
                [family.number[told.cell(codes)] for codes in piece]
                for told, _ in new
                for piece in pieces(told.by, family.counted[told])
            ],
            self._before(family),
        )
        cells = {family.cells[number] for number in kept}
        return [self._metric(told, period, family.counted[told], cells, at) for told, period in new]

    def _counts(self, family: Family) -> dict[int, int]:
        return {
            family.number[told.cell(codes)]: n for told, table in family.counted.items() for codes, n in table.items()
        }

    def _holds(self, told: Told, counts: Table) -> bool:
        """Whether it was published, for good, and says what is true today."""
        old = self.earlier.get(told.name)
        return old is not None and not events_out.says_otherwise(old[-1], counts)

    def _before(self, family: Family) -> Mapping[int, Sequence[Bounds]]:
        known: dict[int, list[Bounds]] = defaultdict(list)
        for metric in chain.from_iterable(self.earlier.values()):
            for cell, bound in events_out.told(metric).items():
                if cell in family.number:
                    known[family.number[cell]].append(bound)
        return known

    def _metric(
        self, told: Told, period: Period, counts: Table, kept: Collection[Cell], at: datetime
    ) -> MetricPublished:
        back = {codes for codes in counts if told.cell(codes) in kept}
        made = events_out.metric(told.measure, period, told.by, events_out.counts(counts, back), at)
        old = self.earlier.get(told.name)
        return events_out.corrected(old[-1], made) if old else made


async def now(store: Store, geography: Geography, at: datetime) -> list[MetricPublished]:
    """What stands at this moment, and the totals of the month that is not over."""
    made: list[MetricPublished] = []
    for base in MEASURES:
        period = periods.now(at) if base.stands else periods.so_far(at)
        if base.quantile:
            made += await _waits(store, geography, base, [(period, base.open_tables)], period, at)
        elif not base.counts_people:
            made += await _others(store, geography, base, [period], at)
        elif base.within is None:
            which = [(m, by) for m in members(base) for by in (m.tables if m.stands else m.open_tables)]
            if which:
                tables = [(Told(measure, period.name, by), period) for measure, by in which]
                edition = Edition(await store.measures.people(base, period, at), geography, tables)
                made += await asyncio.to_thread(edition.published, family_of(base), at)
    return made


async def close(store: Store, geography: Geography, months: Sequence[Period], at: datetime) -> list[MetricPublished]:
    """Months of one financial year and the year up to each; and corrections of the others of that year that were
    closed, and of the year before."""
    made: list[MetricPublished] = []
    last = periods.month_of(periods.year_to(months[0]).starts_on - periods.DAY)
    for base in MEASURES:
        if base.quantile:
            which = [(period, base.tables) for month in months for period in (month, periods.year_to(month))]
            made += await _waits(store, geography, base, which, periods.year_to(months[-1]), at)
        elif not base.counts_people:
            made += await _others(store, geography, base, months, at)
        elif base.within is None and base.stands:
            made += [one for month in months for one in await _stands(store, geography, base, month, at)]
        elif base.within is None:
            made += await _happened(store, geography, base, last, [], at)
            made += await _happened(store, geography, base, await _newest(store, months), months, at)
    return made


async def _newest(store: Store, months: Sequence[Period]) -> Period:
    """The last month of the year of these that is closed then."""
    closed = await store.editions.closed()
    year = periods.year_so_far(periods.month_of(periods.year_to(months[0]).starts_on + 360 * periods.DAY))
    return [month for month in year if month.name in closed or month in months][-1]


async def _stands(
    store: Store, geography: Geography, base: Measure, month: Period, at: datetime
) -> list[MetricPublished]:
    tables = [(Told(m, month.name, by), month) for m in members(base) for by in m.tables]
    edition = Edition(await store.measures.people(base, month, at), geography, tables)
    return await asyncio.to_thread(edition.published, family_of(base), at)


async def _happened(
    store: Store, geography: Geography, base: Measure, last: Period, new: Sequence[Period], at: datetime
) -> list[MetricPublished]:
    """All tables of a year up to its last month hang together: those of new months, and those to be corrected."""
    told = list(_told(base, last))
    earlier = await store.editions.versions([each.name for each, _ in told])
    named = {period.name for month in new for period in (month, periods.year_to(month))}
    tables = [(each, period) for each, period in told if each.name in earlier or period.name in named]
    if not tables:
        return []
    people = await store.measures.people(base, periods.year_to(last), at)
    return await asyncio.to_thread(Edition(people, geography, tables, earlier).published, family_of(base), at)


def _told(base: Measure, last: Period) -> Iterator[tuple[Told, Period]]:
    """Every table of a year up to a month, the newest first."""
    months = periods.year_so_far(last)
    for n in range(len(months), 0, -1):
        year, one = periods.year_to(months[n - 1]), months[n - 1]
        to_date = frozenset(each.name for each in months[:n])
        for m in members(base):
            yield from ((Told(m, one.name, by, frozenset({one.name})), one) for by in m.tables)
        for m in members(base) if not base.repeats else ():
            yield from ((Told(m, year.name, by, to_date), year) for by in (*m.tables, *m.in_year))


async def _waits(
    store: Store,
    geography: Geography,
    measure: Measure,
    which: Sequence[tuple[Period, Sequence[By]]],
    whole: Period,
    at: datetime,
) -> list[MetricPublished]:
    """Days of these periods, all of them within one."""
    share, waited = measure.quantile or 0, await store.measures.days(measure, whole, at)
    return [
        events_out.metric(
            measure, period, by, events_out.days(within(waited, periods.names(period), by, share, geography)), at
        )
        for period, tables in which
        for by in tables
    ]


async def _others(
    store: Store, geography: Geography, measure: Measure, which: Sequence[Period], at: datetime
) -> list[MetricPublished]:
    """What is not of people, as it stands: the same for each of these periods."""
    counted = await store.measures.things(measure)
    made = [(by, events_out.exact(table(counted, measure.grain, by, geography))) for by in measure.tables]
    return [events_out.metric(measure, period, by, cells, at) for period in which for by, cells in made]
