"""What the reporting service publishes for everybody who subscribes."""

from datetime import date
from typing import Literal, Self

from contracts.erasure import Confirmation
from contracts.message import Message, Part, fact
from contracts.topics import ERASURES
from contracts.vocabulary import When


class Cell(Part):
    """One published count. `count` is none where 1 to 7 people are hidden; others are rounded to 5."""

    status: str | None = None
    kind: str | None = None
    area: str | None = None
    count: int | None


@fact("reporting", key="name", data_class="none", name="MetricPublished")
class MetricOfOneCode(Message):
    """A table of counts that is safe to publish, replaced as a whole by the next of the same name."""

    name: str
    measure: Literal["needs-by-status", "needs-by-kind", "needs-by-ward"]
    period: str
    as_of: When
    cells: list[Cell]

    example = {
        "name": "needs-by-status/all",
        "measure": "needs-by-status",
        "period": "all",
        "as_of": "2026-11-20T10:00:00Z",
        "cells": [{"status": "on-hold", "count": 15}, {"status": "failed", "count": None}],
    }


class TableCell(Part):
    """One published value; `codes` are those of the table's `by`, in that order.

    Where `value` is none, `hidden` says why: `small`, 1 to 7 people; `kept-back`, because a small count could be had
    from it; `too-few`, no figure is told of fewer than 8 people. `was` is what a final table said before it was
    corrected, and `corrected` tells that it was.
    """

    codes: list[str]
    value: int | None
    hidden: Literal["small", "kept-back", "too-few"] | None = None
    corrected: bool = False
    was: int | None = None


@fact("reporting", key="name", data_class="none", replaces=MetricOfOneCode)
class MetricPublished(Message):
    """A table that is safe to publish, replaced as a whole by the next of the same name.

    Counts of people are rounded to 5 or hidden; others are exact. One that is `final` changes only by a correction,
    which has the next `version`.
    Where most of it is hidden, `larger` names tables of larger areas, or of the year to date, that may tell more.
    """

    name: str
    measure: str
    period: str
    starts_on: date | None
    ends_on: date
    by: list[str]
    title: str
    unit: str
    of_people: bool
    final: bool
    version: int = 1
    as_of: When
    cells: list[TableCell]
    larger: list[str] = []

    example = {
        "name": "needs/2026-10/kind-by-decile",
        "measure": "needs",
        "period": "2026-10",
        "starts_on": "2026-10-01",
        "ends_on": "2026-10-31",
        "by": ["kind", "decile"],
        "title": "What people were referred for",
        "unit": "people",
        "of_people": True,
        "final": True,
        "as_of": "2026-11-05T00:00:00Z",
        "cells": [
            {"codes": ["device", "1"], "value": 15},
            {"codes": ["device", "2"], "value": None, "hidden": "small"},
        ],
    }

    @classmethod
    def upcast(cls, old: MetricOfOneCode) -> Self:
        by = old.measure.removeprefix("needs-by-")
        codes = [(cell.status or cell.kind or cell.area or "", cell.count) for cell in old.cells]
        return cls(
            name=old.name,
            measure=old.measure,
            period=old.period,
            starts_on=None,
            ends_on=old.as_of.date(),
            by=[by],
            title=old.measure.replace("-", " ").capitalize(),
            unit="needs",
            of_people=True,
            final=False,
            as_of=old.as_of,
            cells=[TableCell(codes=[code], value=n, hidden="small" if n is None else None) for code, n in codes],
        )


@fact("reporting", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Reporting has forgotten a referral, but for the kind, area, status and times that it counts."""
