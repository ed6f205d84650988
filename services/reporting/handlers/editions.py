"""What is published at one time: what stands now and the open month, and each month once, when it is closed."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from chassis.disclosure import bounds, protect
from chassis.worlds import Bounds, People
from contracts.reporting import MetricPublished
from services.reporting import events_out
from services.reporting.domain import periods
from services.reporting.domain.families import Cell, Family, Sort, Told, family_of, pieces
from services.reporting.domain.measure import Codes, Measure
from services.reporting.domain.measures import BASES, members
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Geography, Table, table
from services.reporting.domain.waits import within
from services.reporting.store import Store


@dataclass(slots=True)
class Edition:
    """Tables of the same people that are published together, most important first, and every version of what was
    published before and counts them too, by its name. What is told `elsewhere` of all of them is known, too."""

    people: Mapping[Sort, int]
    geography: Geography
    tables: list[tuple[Told, Period]] = field(default_factory=list)
    earlier: Mapping[str, Sequence[MetricPublished]] = field(default_factory=dict)
    elsewhere: Sequence[Told] = ()

    def published(self, words: Sequence[str], at: datetime) -> list[MetricPublished]:
        """All that is to be told, and no more of it than is safe."""
        tables = [*(told for told, _ in self.tables), *self.elsewhere]
        family = Family(words, tables, self.geography, self.people)
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
        """Whether it was published, for good, and says what is true, or what was until somebody was forgotten."""
        old = self.earlier.get(told.name)
        return old is not None and not events_out.says_otherwise(old[-1], counts, only_more=told.measure.fades)

    def _before(self, family: Family) -> Mapping[int, Sequence[Bounds]]:
        known: dict[int, list[Bounds]] = defaultdict(list)
        for told in self.elsewhere:
            for codes, count in family.counted[told].items():
                known[family.number[told.cell(codes)]].append(bounds(count))
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
    for base in BASES:
        if base.stands:
            made += await _stands(store, geography, base, periods.now(at), at)
        else:
            month = periods.so_far(at)
            tables = [(Told(m, month.name, by), month) for m in members(base) for by in m.open_tables]
            made += await _made(store, geography, base, month, tables, {}, at)
    return made


async def close(store: Store, geography: Geography, month: Period, at: datetime) -> list[MetricPublished]:
    """A month and the year up to it; and corrections of the other months of that year that were closed, and of the
    year before."""
    made: list[MetricPublished] = []
    closed = {*await store.editions.closed(), month.name}
    last = [each for each in periods.year_of(month) if each.name in closed][-1]
    for base in BASES:
        if not base.stands:
            made += await _happened(store, geography, base, periods.before(periods.year_to(month)), None, at)
            made += await _happened(store, geography, base, last, month, at)
        elif base.recalled or month == periods.last_closed(at):
            made += await _stands(store, geography, base, month, at)
    return made


async def _stands(
    store: Store, geography: Geography, base: Measure, period: Period, at: datetime
) -> list[MetricPublished]:
    if base.counts_people:
        tables = [(Told(m, period.name, by), period) for m in members(base) for by in m.tables]
        return await _made(store, geography, base, period, tables, {}, at)
    counted = await store.measures.things(base)
    made = [(by, events_out.exact(table(counted, base.grain, by, geography))) for by in base.tables]
    return [events_out.metric(base, period, by, cells, at) for by, cells in made]


async def _happened(
    store: Store, geography: Geography, base: Measure, last: Period, new: Period | None, at: datetime
) -> list[MetricPublished]:
    """All tables of a year up to its last month hang together: those of a new month, and those to be corrected."""
    told = list(_told(base, last))
    earlier = await store.editions.versions([each.name for each, _ in told])
    named = {new.name, periods.year_to(new).name} if new else set()
    tables = [(each, period) for each, period in told if each.name in earlier or period.name in named]
    return await _made(store, geography, base, periods.year_to(last), tables, earlier, at)


async def _made(
    store: Store,
    geography: Geography,
    base: Measure,
    whole: Period,
    tables: list[tuple[Told, Period]],
    earlier: Mapping[str, Sequence[MetricPublished]],
    at: datetime,
) -> list[MetricPublished]:
    """Tables of a measure and of those within it, all of them of days within a whole."""
    if not tables:
        return []
    if base.quantile:
        waited = await store.measures.days(base, whole, at)
        return await asyncio.to_thread(lambda: list(_days(waited, geography, tables, earlier, at)))
    elsewhere = [Told(base, "elsewhere", by) for by in base.elsewhere]
    edition = Edition(await store.measures.people(base, whole, at), geography, tables, earlier, elsewhere)
    return await asyncio.to_thread(edition.published, family_of(base), at)


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


def _days(
    waited: Mapping[Codes, int],
    geography: Geography,
    tables: list[tuple[Told, Period]],
    earlier: Mapping[str, Sequence[MetricPublished]],
    at: datetime,
) -> Iterator[MetricPublished]:
    """Of what fades the people that are left tell nothing of how long it took for all."""
    for told, period in tables:
        old, share = earlier.get(told.name), told.measure.quantile or 0
        if old and told.measure.fades:
            continue
        cells = events_out.days(within(waited, periods.names(period), told.by, share, geography))
        made = events_out.metric(told.measure, period, told.by, cells, at)
        made = events_out.corrected(old[-1], made) if old else made
        if not old or any(cell.corrected for cell in made.cells):
            yield made
