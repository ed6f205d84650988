"""What reporting says: tables that are safe to publish, and that it has forgotten somebody.

Counts of people go through `chassis.disclosure`, with everything that was published before and hangs together with
them. Figures of days are told of 8 people or more. What is not of people is told as it is.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from chassis.disclosure import NOT_SMALL, SMALL, bounds, published
from chassis.envelope import Event
from chassis.facts import Fact
from chassis.worlds import Bounds
from contracts.referrals import PersonErased
from contracts.reporting import ErasureConfirmed, MetricPublished, TableCell
from services.reporting.domain.families import Cell, larger, pieces
from services.reporting.domain.measure import By, Codes, Measure
from services.reporting.domain.measures import name_of
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Table, mostly_hidden


def metric(measure: Measure, period: Period, by: By, cells: list[TableCell], at: datetime) -> MetricPublished:
    return MetricPublished(
        name=name_of(measure.name, period.name, by),
        measure=measure.name,
        period=period.name,
        starts_on=None if measure.stands else period.starts_on,
        ends_on=period.ends_on,
        by=list(by),
        title=measure.title,
        unit=measure.unit,
        of_people=measure.is_of_people,
        final=period.is_final,
        as_of=at,
        cells=cells,
        larger=larger(measure, period, by) if mostly_hidden(cell.value for cell in cells) else [],
    )


def counts(table: Table, kept_back: Collection[Codes]) -> list[TableCell]:
    """Cells of counts of people."""
    return [
        TableCell(codes=list(codes), value=None, hidden="kept-back") if codes in kept_back else _count(codes, count)
        for codes, count in table.items()
    ]


def _count(codes: Codes, count: int) -> TableCell:
    shown = published(count)
    return TableCell(codes=list(codes), value=shown, hidden="small" if shown is None else None)


def days(rows: Mapping[Codes, tuple[int, int]]) -> list[TableCell]:
    """Cells of days, from those and how many people they are of."""
    return [
        TableCell(codes=list(codes), value=None, hidden="too-few")
        if people < SMALL.stop
        else TableCell(codes=list(codes), value=value)
        for codes, (value, people) in sorted(rows.items())
    ]


def exact(table: Table) -> list[TableCell]:
    """Cells of what is not of people."""
    return [TableCell(codes=list(codes), value=count) for codes, count in sorted(table.items())]


def corrected(old: MetricPublished, new: MetricPublished) -> MetricPublished:
    """The next version of a final table, which shows what it said before."""
    was = {tuple(cell.codes): cell for cell in old.cells}
    cells = [_corrected(was.get(tuple(cell.codes)), cell) for cell in new.cells]
    return new.model_copy(update={"version": old.version + 1, "cells": cells})


def _corrected(old: TableCell | None, new: TableCell) -> TableCell:
    before = (old.value, old.hidden) if old else (0, None)
    if before == (new.value, new.hidden):
        return new
    return new.model_copy(update={"corrected": True, "was": before[0]})


def told(metric: MetricPublished) -> dict[Cell, Bounds]:
    """What is known of counts from a table that was published earlier. One that is kept back alone is not small; of
    those that are kept back together nothing is known."""
    head = metric.measure, metric.period, tuple(metric.by)
    by_codes = {tuple(cell.codes): cell for cell in metric.cells}
    known: dict[Cell, Bounds] = {}
    for piece in pieces(head[2], by_codes):
        alone = any(by_codes[codes].hidden != "kept-back" for codes in piece)
        known |= {(*head, codes): bound for codes in piece if (bound := _known(by_codes[codes], alone=alone))}
    return known


def _known(cell: TableCell, *, alone: bool) -> Bounds | None:
    if cell.hidden == "kept-back":
        return NOT_SMALL if alone else None
    return (SMALL[0], SMALL[-1]) if cell.hidden else bounds(cell.value or 0)


def says_otherwise(metric: MetricPublished, table: Table, *, only_more: bool) -> bool:
    """Whether a published table and the counts as they are now do not go together; or only, whether these are more."""
    shown = {tuple(cell.codes): cell for cell in metric.cells}
    nothing = TableCell(codes=[], value=0)
    return any(_otherwise(shown.get(codes, nothing), count, only_more=only_more) for codes, count in table.items())


def _otherwise(cell: TableCell, count: int, *, only_more: bool) -> bool:
    was, now = (SMALL[0] if value is None else value for value in (cell.value, published(count)))
    return cell.hidden != "kept-back" and (now > was if only_more else now != was)


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)
