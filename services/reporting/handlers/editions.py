"""What is published at one time: what stands now and the open month, and each month once, when it is closed."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.disclosure import Bounds, Key, People, protect
from contracts.reporting import MetricPublished
from services.reporting import events_out
from services.reporting.domain import periods
from services.reporting.domain.families import Family, Sort, Told, family_of, slices
from services.reporting.domain.measures import MEASURES, By, Measure, members
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Geography, Table, table
from services.reporting.store import Store


@dataclass(slots=True)
class Edition:
    """Tables of the same people that are published together, most important first, and what was published before and
    counts them too."""

    people: Mapping[Sort, int]
    geography: Geography
    tables: list[tuple[Told, Period]] = field(default_factory=list)
    earlier: dict[str, MetricPublished] = field(default_factory=dict)

    def published(self, words: Sequence[str], at: datetime) -> list[MetricPublished]:
        """All that is to be told, and no more of it than is safe."""
        family = Family(words, [told for told, _ in self.tables], self.geography)
        counted = {told: family.count(self.people, told) for told, _ in self.tables}
        holds = {told for told in counted if self._holds(told, counted[told])}
        new = [(told, period) for told, period in self.tables if told not in holds]
        kept = protect(
            People(self.people, family.counted_in, family.places),
            [piece for told, _ in new for piece in slices(told, counted[told])],
            self._before(),
        )
        return [self._metric(told, period, counted[told], kept, at) for told, period in new]

    def _holds(self, told: Told, counts: Table) -> bool:
        """Whether it was published, for good, and says what is true today."""
        old = self.earlier.get(told.name)
        return old is not None and not events_out.says_otherwise(old, counts)

    def _before(self) -> dict[Key, Bounds]:
        known: dict[Key, Bounds] = {}
        for metric in self.earlier.values():
            known |= events_out.told(metric)
        return known

    def _metric(self, told: Told, period: Period, counts: Table, kept: frozenset[Key], at: datetime) -> MetricPublished:
        back = {codes for codes in counts if told.cell(codes) in kept}
        made = events_out.metric(told.measure, period, told.by, events_out.counts(counts, back), at)
        old = self.earlier.get(told.name)
        return events_out.corrected(old, made) if old else made


async def now(store: Store, geography: Geography, at: datetime) -> list[MetricPublished]:
    """What stands at this moment, and the totals of the month that is not over."""
    made: list[MetricPublished] = []
    for base in MEASURES:
        period = periods.now(at) if base.stands else periods.so_far(at)
        if not base.counts_people:
            made += await _others(store, geography, base, period, at)
        elif base.within is None:
            edition = Edition(await store.measures.people(base, period, at), geography)
            for measure in members(base):
                which = measure.tables if measure.stands else measure.open_tables
                edition.tables += [(Told(measure, period.name, by), period) for by in which]
            made += await asyncio.to_thread(edition.published, family_of(base), at)
    return made


async def close(store: Store, geography: Geography, month: Period, at: datetime) -> list[MetricPublished]:
    """A month, the year up to it, and corrections of the months before."""
    made: list[MetricPublished] = []
    for base in MEASURES:
        if not base.counts_people:
            for period in (month,) if base.stands else (month, periods.year_to(month)):
                made += await _others(store, geography, base, period, at)
        elif base.within is None:
            made += await _close(store, geography, base, month, at)
    return made


async def _close(
    store: Store, geography: Geography, base: Measure, month: Period, at: datetime
) -> list[MetricPublished]:
    range_ = month if base.stands else periods.year_to(month)
    edition = Edition(await store.measures.people(base, range_, at), geography, list(_told(base, month)))
    names = [told.name for told, _ in edition.tables]
    edition.earlier = {} if base.stands else await store.editions.published(names)
    edition.tables = [
        (told, period)
        for told, period in edition.tables
        if told.name in edition.earlier or period in (month, periods.year_to(month))
    ]
    return await asyncio.to_thread(edition.published, family_of(base), at)


def _told(base: Measure, month: Period) -> Iterator[tuple[Told, Period]]:
    """Every table of a month, of the year up to it, and of the months and years before it."""
    if base.stands:
        yield from ((Told(m, month.name, by), month) for m in members(base) for by in m.tables)
        return
    months = [*periods.year_before(month), month]
    for n in range(len(months), 0, -1):
        year, one = periods.year_to(months[n - 1]), months[n - 1]
        to_date = frozenset(each.name for each in months[:n])
        for m in members(base):
            yield from ((Told(m, one.name, by, frozenset({one.name})), one) for by in m.tables)
        for m in members(base) if not base.repeats else ():
            yield from ((Told(m, year.name, by, to_date), year) for by in (*m.tables, *m.in_year))


async def _others(
    store: Store, geography: Geography, measure: Measure, period: Period, at: datetime
) -> list[MetricPublished]:
    """Days, and what is not of people."""
    which: Sequence[By] = measure.tables if measure.stands or period.is_final else measure.open_tables
    if measure.quantile:
        rows = [(by, await store.measures.days(measure, period, by, at)) for by in which]
        return [events_out.metric(measure, period, by, events_out.days(found), at) for by, found in rows]
    counted = await store.measures.things(measure)
    made = [(by, table(counted, measure.grain, by, geography)) for by in which]
    return [events_out.metric(measure, period, by, events_out.exact(each), at) for by, each in made]
