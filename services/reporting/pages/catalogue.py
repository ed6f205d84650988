"""All measures, with every table of them that is published: where somebody looks for a number that no page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.reporting import MetricPublished
from services.reporting.domain.measure import By, Measure
from services.reporting.domain.measures import PUBLISHED
from services.reporting.domain.tables import mostly_hidden
from services.reporting.pages import words
from services.reporting.pages.figures import link, time


@dataclass(frozen=True, slots=True)
class Row:
    """A table, and where it is for each time that it is published for."""

    name: str
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    measure: Measure
    rows: Sequence[Row]


def entries(tables: Mapping[str, MetricPublished], periods: Sequence[str]) -> list[Entry]:
    """Of each measure the tables of these periods, the larger groups first."""
    return [Entry(measure, rows) for measure in PUBLISHED if (rows := _rows(measure, tables, periods))]


def _rows(measure: Measure, tables: Mapping[str, MetricPublished], periods: Sequence[str]) -> list[Row]:
    of_by: dict[By, list[MetricPublished]] = {}
    for period in periods:
        for table in tables.values():
            if (table.measure, table.period) == (measure.name, period):
                of_by.setdefault(tuple(table.by), []).append(table)
    return [Row(words.listed_by(by), [(_named(table), link(table)) for table in those]) for by, those in of_by.items()]


def _named(table: MetricPublished) -> str:
    return f"{time(table)} (mostly hidden)" if mostly_hidden(cell.value for cell in table.cells) else time(table)
