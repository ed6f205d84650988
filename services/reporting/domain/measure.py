"""What a measure is: a count of things of one unit, in tables.

A table is named by what it counts by: (`kind`, `ward`) has a count for each kind of help in each ward. Those that count
by parts of a whole (a person has one ward) add up; those that count by labels (a person may need two kinds of help) do
not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

By = tuple[str, ...]
Codes = tuple[str, ...]
Unit = Literal["people", "days", "places", "applications", "pence"]

PARTS: Final = ("partner", "band", "decile", "committee", "ward")
"""Of these a person has one each: their counts add up. `decile` and `committee` are those of the ward."""
OF_WARD: Final = ("decile", "committee")
UNKNOWN: Final = "not-known"
SOME: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "waits": ("stage", frozenset({"waiting", "on-offer"})),
    "ended-well": ("outcome", frozenset({"helped", "partly-helped"})),
}
"""Words that say whether the code of another word is one of these."""


def decided_by(word: str) -> str:
    """The word from whose code that of this one follows."""
    return "ward" if word in OF_WARD else SOME[word][0] if word in SOME else word


BANDS: Final = {"0-20": 0, "21-40": 21, "41-60": 41, "61-and-more": 61}
"""Bands of priority scores, by the lowest score of each."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is published of it: `tables` of every closed month and of the year to date; `in_year` of the latter alone;
    `open_tables` of the month that is not over. What `stands` is counted as it is at a moment: now, and at the end of
    each month: of any month where it is `recalled` from times, else only of the last one that is over. `within` names a
    measure of whose people these are some. `elsewhere` are tables that others tell of the same people, as long as a
    programme is in its first year: they count as known. What `repeats` may be told of somebody in several months, so
    that months do not add up to a year. A `quantile` is of days, not a count. What `fades` is counted of facts that go
    with a person who is forgotten: that it became less is no correction.
    """

    name: str
    title: str
    explanation: str
    unit: Unit
    tables: tuple[By, ...]
    in_year: tuple[By, ...] = ()
    open_tables: tuple[By, ...] = ()
    elsewhere: tuple[By, ...] = ()
    stands: bool = False
    recalled: bool = False
    within: str | None = None
    repeats: bool = False
    quantile: float | None = None
    fades: bool = False

    @property
    def counts_people(self) -> bool:
        return self.unit == "people"

    @property
    def is_of_people(self) -> bool:
        return self.unit in {"people", "days"}

    @property
    def grain(self) -> By:
        """All that its tables count by, but for what follows from another word."""
        words = [word for by in (*self.tables, *self.in_year, *self.elsewhere) for word in by]
        return tuple(dict.fromkeys(sorted(map(decided_by, words), key=lambda word: word == "ward")))
