"""What the pages show: each figure a finding, a chart, and the table that it is made of.

They are made of published tables alone, so they tell nothing that these do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measure import By, Codes
from services.reporting.domain.measures import BY_NAME
from services.reporting.domain.words import WORDS
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar

COLUMNS: Final[Mapping[str, int]] = {"kind": 0, "asked": 1, "round": 1}
"""Which of two words stands in the columns of a table, by the first of them."""
OF_SHOWN: Final = " (of what is shown)"
"""Said where what is hidden could change what is found."""
IN_ORDER: Final = {
    *("decile", "band", "stage", "round", "score", "money", "state", "asked", "goal", "online", "rung", "age"),
    "disability",
}
"""Words whose codes have an order of their own."""


@dataclass(frozen=True, slots=True)
class Figure:
    key: str
    title: str
    note: str
    chart: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    larger: Sequence[tuple[str, str]] = ()
    """Where most of it is hidden: what may tell more, and where that is."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Published tables, and what codes are called. A table is looked for in several periods, the best one first."""

    tables: Mapping[str, MetricPublished]
    names: Mapping[str, str]
    periods: Sequence[str]
    found: dict[tuple[str, By], MetricPublished | None] = field(default_factory=dict)

    def table(self, measure: str, by: By = ()) -> MetricPublished | None:
        if (measure, by) not in self.found:
            named = (f"{measure}/{period}/{'-by-'.join(by) or 'all'}" for period in self.periods)
            self.found[measure, by] = next((self.tables[name] for name in named if name in self.tables), None)
        return self.found[measure, by]

    def cells(self, measure: str, by: By = ()) -> Mapping[Codes, TableCell]:
        metric = self.table(measure, by)
        return {tuple(cell.codes): cell for cell in metric.cells} if metric else {}

    def places(self, of_wards: Mapping[str, int], word: str) -> dict[str, int]:
        """Places by ward, or by the parts of the city that the wards lie in."""
        sums: dict[str, int] = {}
        for ward, number in of_wards.items():
            code = self.names.get(f"part of {ward}", ward) if word == "committee" else ward
            sums[code] = sums.get(code, 0) + number
        return sums

    def named(self, word: str, code: str) -> str:
        return words.code(word, code, self.names)

    def said(self, word: str, code: str) -> str:
        return words.said(word, code, self.names)

    def larger(self, measure: str, by: By) -> list[tuple[str, str]]:
        """What may tell more than a table that is mostly hidden, and where that is."""
        metric = self.table(measure, by)
        there = [self.tables[name] for name in (metric.larger if metric else ()) if name in self.tables]
        return [(f"{words.listed_by(each.by)}, {time(each)}", link(each)) for each in there]

    def of(self, measure: str, by: By) -> str:
        """For which time a table is."""
        metric = self.table(measure, by)
        return "" if metric is None else when(metric)


def link(metric: MetricPublished) -> str:
    return f"/v1/metrics/{metric.measure}?period={metric.period}&by={','.join(metric.by)}"


def when(metric: MetricPublished) -> str:
    if metric.starts_on is None:
        return f"On {words.day(metric.ends_on)}."
    return f"From {words.day(metric.starts_on)} to {words.day(metric.ends_on)}."


def time(metric: MetricPublished) -> str:
    if metric.starts_on is None:
        return f"end of {metric.ends_on:%B %Y}" if metric.final else "as it stands"
    if not metric.final:
        return "this month so far"
    return "the year to date" if "-to-" in metric.period else f"{metric.ends_on:%B %Y}"


def over(cells: Mapping[Codes, TableCell], at: int) -> dict[str, int]:
    """The published values by one code, added up. It is the sum of what is told, and may be less than there are."""
    sums: dict[str, int] = {}
    for codes, cell in cells.items():
        sums[codes[at]] = sums.get(codes[at], 0) + (cell.value or 0)
    return sums


def hidden_in(cells: Mapping[Codes, TableCell], at: int) -> set[str]:
    """The codes of which some value is hidden."""
    return {codes[at] for codes, cell in cells.items() if cell.hidden}


Maker = Callable[[Numbers], Figure | None]
Finding = Callable[[Numbers, Mapping[Codes, TableCell]], str]
"""What a table says, in a sentence."""


def simple(measure: str, by: By, finding: Finding, means: str = "") -> Maker:
    """A bar for each row of a table; where it counts by kind of help and something else, for each of the latter."""

    def make(numbers: Numbers) -> Figure | None:
        cells, metric = numbers.cells(measure, by), numbers.table(measure, by)
        ordered = _ordered(by, cells)
        if metric is None or not ordered:
            return None
        key, title = _key(measure, by), finding(numbers, cells)
        note = f"{means or BY_NAME[measure].explanation} {when(metric)}"
        bars = _bars(metric, ordered, numbers)
        head: list[str] = [", ".join(WORDS[word] for word in by) or "All", _unit(metric.unit)]
        rows: list[Sequence[str]] = [(bar.label, bar.text) for bar in bars]
        if len(by) == 2 and by[0] in COLUMNS:
            head, rows = _crossed(metric, ordered, numbers)
        if len(by) == 2 and by[0] == "kind":
            bars = _of_all_kinds(numbers, by[1], cells)
            note += ADDED_UP if bars else ""
        return Figure(key, title, note, charts.bars(bars, title, key), head, rows, numbers.larger(measure, by))

    return make


def crossed(measure: str, by: By, down: str, across: str, finding: Finding) -> Maker:
    """A row for each code of one word and a column for each of another, added up whatever else it counts by."""

    def make(numbers: Numbers) -> Figure | None:
        cells, metric = numbers.cells(measure, by), numbers.table(measure, by)
        if metric is None or not cells:
            return None
        at = by.index(down), by.index(across)
        told = _pairs(cells, at)
        columns = sorted({code for _, code in told}, key=lambda code: words.place(across, code))
        lines = _order(down, over(cells, at[0]))
        title, key = finding(numbers, cells), f"{measure}-{down}"
        bars = [
            Bar(f"{numbers.named(down, row)}, {numbers.said(across, column)}", at_least(*found), found[0])
            for row in lines
            for column in columns
            if (found := told.get((row, column), NOBODY))[0]
        ]
        rows = [(numbers.named(down, row), *(at_least(*told.get((row, c), NOBODY)) for c in columns)) for row in lines]
        head = [WORDS[down], *(words.heading(across, code, numbers.names) for code in columns)]
        note = f"{BY_NAME[measure].explanation} {when(metric)}{TWICE if metric.of_people else ''}"
        return Figure(key, title, note, charts.bars(bars, title, key), head, rows, numbers.larger(measure, by))

    return make


NOBODY: Final = (0, False)
TWICE: Final = (
    " Numbers that are shown are added up: who was told in several ways is in each. A + says that there are some more."
)


def _pairs(cells: Mapping[Codes, TableCell], at: tuple[int, int]) -> dict[tuple[str, str], tuple[int, bool]]:
    """What is told of each two codes in all, and whether there are small numbers beside it."""
    told: dict[tuple[str, str], tuple[int, bool]] = {}
    for codes, cell in cells.items():
        pair = codes[at[0]], codes[at[1]]
        number, few = told.get(pair, NOBODY)
        told[pair] = number + (cell.value or 0), few or cell.hidden is not None
    return told


def _bars(metric: MetricPublished, ordered: Sequence[TableCell], numbers: Numbers) -> list[Bar]:
    """Where all rows are of one grant round, their labels leave it to the table."""
    by, rounds = metric.by, {cell.codes[0] for cell in ordered}
    first = 1 if len(by) == 2 and by[0] == "round" and len(rounds) == 1 else 0
    return [
        Bar(words.codes(by[first:], cell.codes[first:], numbers.names), words.value(cell, metric.unit), cell.value)
        for cell in ordered
    ]


ADDED_UP: Final = " Bars add up the numbers that are shown of all kinds of help; a + says that there are some more."


def _of_all_kinds(numbers: Numbers, word: str, cells: Mapping[Codes, TableCell]) -> list[Bar]:
    sums, hidden = over(cells, 1), hidden_in(cells, 1)
    return [
        Bar(numbers.named(word, code), at_least(sums[code], code in hidden), sums[code])
        for code in _order(word, sums)
        if sums[code]
    ]


def _crossed(
    metric: MetricPublished, ordered: Sequence[TableCell], numbers: Numbers
) -> tuple[list[str], list[Sequence[str]]]:
    """A row for each code of one word, and a column for each of the other."""
    across = COLUMNS[metric.by[0]]
    down, over_there = metric.by[1 - across], metric.by[across]
    cells: dict[Codes, TableCell] = {(cell.codes[1 - across], cell.codes[across]): cell for cell in ordered}
    columns = sorted({column for _, column in cells}, key=lambda code: words.place(over_there, code))
    return [WORDS[down], *(words.heading(over_there, code, numbers.names) for code in columns)], [
        (numbers.named(down, row), *(words.value(cells.get((row, column)), metric.unit) for column in columns))
        for row in _order(down, over(cells, 0))
    ]


def _key(measure: str, by: By) -> str:
    return f"{measure}-{'-'.join(by) or 'all'}"


def _unit(unit: str) -> str:
    return {"people": "People", "days": "Days", "places": "Places", "applications": "Applications", "pence": "Pounds"}[
        unit
    ]


def _ordered(by: By, cells: Mapping[Codes, TableCell]) -> list[TableCell]:
    """What has an order of its own keeps it; else the largest first. What is nought in a long list is left out."""
    if by and by[-1] in IN_ORDER:
        known = [codes for codes, cell in cells.items() if "not-known" not in codes or cell.value or cell.hidden]
        return [
            cells[codes]
            for codes in sorted(known, key=lambda codes: [words.place(*each) for each in zip(by, codes, strict=True)])
        ]
    by_size = sorted(
        cells.values(),
        key=lambda cell: (not words.UNSAID.isdisjoint(cell.codes), -(cell.value if cell.value is not None else 1)),
    )
    return [cell for cell in by_size if cell.value != 0 or len(cells) <= len(words.KINDS)]


def _order(word: str, sums: Mapping[str, int]) -> list[str]:
    if word in IN_ORDER:
        return sorted(sums, key=lambda code: words.place(word, code))
    return sorted(sums, key=lambda code: (code in words.UNSAID, -sums[code]))


def at_least(told: int, few: bool) -> str:  # noqa: FBT001 - the two are kept as a pair
    """What is told of several kinds of help, and whether there are small numbers beside it."""
    if not told:
        return "some" if few else "0"
    return f"{told:,}+" if few else f"{told:,}"


def figures(numbers: Numbers, makers: Iterable[Maker]) -> list[Figure]:
    return [figure for make in makers if (figure := make(numbers))]
