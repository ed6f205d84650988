"""What the pages show: each figure a finding, a chart, and the table that it is made of.

They are made of published tables alone, so they tell nothing that these do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measures import BY_NAME, By, Codes
from services.reporting.domain.words import WORDS
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar

COLUMNS: Final[Mapping[str, int]] = {"kind": 0, "asked": 1, "round": 1}
"""Which of two words stands in the columns of a table, by the first of them."""
IN_ORDER: Final = {
    *("decile", "band", "stage", "round", "money", "state", "asked", "goal", "online", "age", "disability"),
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


Maker = Callable[[Numbers], Figure | None]
Finding = Callable[[Numbers, Mapping[Codes, TableCell]], str]
"""What a table says, in a sentence."""


def simple(measure: str, by: By, finding: Finding) -> Maker:
    """A bar for each row of a table; where it counts by kind of help and something else, for each of the latter."""

    def make(numbers: Numbers) -> Figure | None:
        cells, metric = numbers.cells(measure, by), numbers.table(measure, by)
        ordered = _ordered(by, cells)
        if metric is None or not ordered:
            return None
        key, title, note = _key(measure, by), finding(numbers, cells), f"{BY_NAME[measure].explanation} {when(metric)}"
        labels = [words.codes(metric, cell, numbers.names) for cell in ordered]
        bars = [
            Bar(each, words.value(cell, metric.unit), cell.value) for each, cell in zip(labels, ordered, strict=True)
        ]
        head: list[str] = [", ".join(WORDS[word] for word in by) or "All", _unit(metric.unit)]
        rows: list[Sequence[str]] = [(bar.label, bar.text) for bar in bars]
        if len(by) == 2 and by[0] in COLUMNS:
            head, rows = _crossed(metric, ordered, numbers)
        if len(by) == 2 and by[0] == "kind":
            bars = _of_all_kinds(numbers, by[1], cells)
            note += ADDED_UP if bars else ""
        return Figure(key, title, note, charts.bars(bars, title, key), head, rows, numbers.larger(measure, by))

    return make


ADDED_UP: Final = " Bars add up the numbers that are shown of all kinds of help; a + says that there are a few more."


def _of_all_kinds(numbers: Numbers, word: str, cells: Mapping[Codes, TableCell]) -> list[Bar]:
    sums, hidden = over(cells, 1), {codes[1] for codes, cell in cells.items() if cell.hidden}
    return [
        Bar(numbers.named(word, code), _waits(sums[code], few=code in hidden), sums[code])
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


def waiting(numbers: Numbers) -> Figure | None:
    """The waiting list over time."""
    tables = sorted(
        (metric for metric in numbers.tables.values() if (metric.measure, metric.by) == ("waiting", ["kind"])),
        key=lambda metric: (metric.ends_on, not metric.final),
    )
    if not tables:
        return None
    totals = [sum(cell.value or 0 for cell in metric.cells) for metric in tables]
    bars = [
        Bar(f"{metric.ends_on:%b %Y}" if metric.final else "Now", f"{total:,}", total)
        for metric, total in zip(tables, totals, strict=True)
    ]
    rows = [
        (
            f"End of {metric.ends_on:%B %Y}" if metric.final else "Now",
            *(words.value(_of_kind(metric, kind), "people") for kind in words.KINDS),
        )
        for metric in tables
    ]
    note = f"{BY_NAME['waiting'].explanation} Columns add up the numbers that are shown; small ones are not in them."
    title = _trend(totals)
    head = ["When", *words.SHORT.values()]
    return Figure("waiting", title, note, charts.columns(bars[-13:], title, "waiting"), head, rows)


def _of_kind(metric: MetricPublished, kind: str) -> TableCell | None:
    return next((cell for cell in metric.cells if cell.codes == [kind]), None)


def _trend(totals: Sequence[int]) -> str:
    last = f"About {totals[-1]:,} waits for help are open"
    if len(totals) == 1:
        return last
    before = totals[-2]
    if totals[-1] == before:
        return f"{last}, as many as at the end of the last month"
    return f"{last}, {'up' if totals[-1] > before else 'down'} from {before:,} at the end of the last month"


def areas(numbers: Numbers) -> Figure | None:
    """Need against supply, a tile for each ward; for each part of the city where most wards have too few to be told."""
    metric = numbers.table("waiting", ("kind", "ward"))
    if metric is None:
        return None
    word: str = "committee" if metric.larger and numbers.table("waiting", ("kind", "committee")) else "ward"
    need, supply = numbers.cells("waiting", ("kind", word)), numbers.cells("capacity", ("kind", "ward"))
    waits, places = over(need, 1), numbers.places(over(supply, 1), word)
    hidden = {codes[1] for codes, cell in need.items() if cell.hidden}
    order = sorted(
        waits, key=lambda code: (not _is_place(code), -waits[code], code not in hidden, numbers.named(word, code))
    )
    told = {code: _waits(waits[code], few=code in hidden) for code in order}
    most = max(waits.values(), default=0) or 1
    tiles = [
        Bar(numbers.named(word, code), f"{told[code]} / {places.get(code, 0):,}", 0, min(3, 4 * waits[code] // most))
        for code in order
    ]
    lacking = [code for code in order if _is_place(code) and waits[code] > places.get(code, 0)]
    title = _lacking([numbers.named(word, code) for code in lacking], word)
    rows = [(numbers.named(word, code), told[code], f"{places.get(code, 0):,}") for code in order]
    note = AREAS[word].format(places.get("city-wide", 0)) + " " + numbers.of("waiting", ("kind", word))
    head = [WORDS[word], "People waiting", "Places"]
    return Figure(
        "wards", title, note, charts.tiles(tiles, title, "wards"), head, rows, numbers.larger("waiting", ("kind", word))
    )


def _is_place(code: str) -> bool:
    return code not in words.CODES["ward"] and code not in words.UNSAID


AREAS: Final = {
    "ward": "Each tile: people waiting / places open for this ward alone, used ones included. "
    "Places for the whole city ({:,}) come on top. A + says that a few more wait.",
    "committee": "Most wards have so few people waiting that their numbers are hidden: these are the parts of the "
    "city. Each tile: people waiting / places open for wards there. Places for the whole city ({:,}) come on top. "
    "A + says that a few more wait.",
}


def _lacking(lacking: Sequence[str], word: str) -> str:
    area = "ward" if word == "ward" else "part of the city"
    if lacking:
        return f"More people wait than there are places for their {area} in {words.some(lacking)}"
    return f"In no {area} more people are known to wait than there are places for it"


def _waits(told: int, *, few: bool) -> str:
    """What is told of several kinds of help, and whether there are small numbers beside it."""
    if not told:
        return "a few" if few else "0"
    return f"{told:,}+" if few else f"{told:,}"


def figures(numbers: Numbers, makers: Iterable[Maker]) -> list[Figure]:
    return [figure for make in makers if (figure := make(numbers))]
