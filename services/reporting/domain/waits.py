"""Within how many days: quantiles of whole days, from how many people waited so many."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import accumulate
from typing import Final

from services.reporting.domain.measure import By, Codes
from services.reporting.domain.tables import Geography, table

WAITED: Final[By] = ("month", "kind", "band", "ward", "days")
"""What waits are counted by. Of each kind of help somebody has one."""


def within(
    waited: Mapping[Codes, int], months: Collection[str], by: By, share: float, geography: Geography
) -> dict[Codes, tuple[int, int]]:
    """Of each group, the days within which this share of them had what they waited for, and of how many people that is
    at least: who waited for two kinds of help may be the same, so no more are sure than waited for one of them."""
    of_group: dict[Codes, Counter[int]] = {}
    of_kind: dict[Codes, Counter[str]] = {}
    in_time = {codes: n for codes, n in waited.items() if codes[0] in months}
    for (*group, kind, days), n in table(in_time, WAITED, (*by, "kind", "days"), geography).items():
        of_group.setdefault(tuple(group), Counter())[int(days)] += n
        of_kind.setdefault(tuple(group), Counter())[kind] += n
    return {group: (_within(days, share), max(of_kind[group].values())) for group, days in of_group.items()}


def _within(days: Counter[int], share: float) -> int:
    """The least number of days that is enough for so many."""
    longer = sorted(days)
    counts = accumulate(days[each] for each in longer)
    return next(day for day, count in zip(longer, counts, strict=True) if count >= share * days.total())
