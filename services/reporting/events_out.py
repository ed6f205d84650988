"""What reporting says: tables of counts that are safe to publish.

A cell is hidden where 1 to 7 people stand behind it, even if they have eight needs between them; every other
count is rounded to the nearest 5. No total leaves: a row that is hidden could be had from it by subtraction.
Where a page shows a sum, it is the sum of published cells, which tells nothing that the cells did not.

This is as much as one period and one-way tables need at first. Still to come: closed periods, so that
two publications one referral apart cannot be subtracted; secondary suppression across tables that share a total;
larger areas where most wards are hidden.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from chassis.disclosure import published
from chassis.envelope import Event
from chassis.facts import Fact
from contracts.referrals import PersonErased
from contracts.reporting import Cell, ErasureConfirmed, MetricPublished
from services.reporting.domain.measures import Count, Measure, complete, name_of

DIMENSION: Final[dict[Measure, Literal["status", "kind", "area"]]] = {
    "needs-by-status": "status",
    "needs-by-kind": "kind",
    "needs-by-ward": "area",
}


def metric(measure: Measure, counts: Sequence[Count], wards: Sequence[str], at: datetime) -> MetricPublished:
    cells = [_cell(measure, count) for count in complete(measure, counts, wards)]
    return MetricPublished(name=name_of(measure), measure=measure, period="all", as_of=at, cells=cells)


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)


def _cell(measure: Measure, count: Count) -> Cell:
    hidden = published(count.people) is None
    return Cell.model_validate({DIMENSION[measure]: count.code, "count": None if hidden else published(count.needs)})
