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

NAMED: Final = 3
"""So many wards at most are named in a finding; more are counted."""


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
        return "as it stands"
    if not metric.final:
        return "this month so far"
    return "the year to date" if "-to-" in metric.period else f"{metric.ends_on:%B %Y}"


def over(cells: Mapping[Codes, TableCell], at: int) -> dict[str, int]:
    """The published values by one code, added up. It is the sum of what is told, and may be less than there are."""
    sums: dict[str, int] = {}
    for codes, cell in cells.items():
        sums[codes[at]] = sums.get(codes[at], 0) + (cell.value or 0)
    return sums


def simple(measure: str, by: By, finding: "Finding") -> "Maker":
    """A bar for each row of a table of one word, or of two where the first is told with the second."""

    def make(numbers: Numbers) -> Figure | None:
        cells, metric = numbers.cells(measure, by), numbers.table(measure, by)
        if metric is None or not cells:
            return None
        ordered = _ordered(by, cells)
        rows = [
            Bar(words.codes(metric, cell, numbers.names), words.value(cell, metric.unit), cell.value)
            for cell in ordered
        ]
        key, title = _key(measure, by), finding(numbers, cells)
        note = f"{BY_NAME[measure].explanation} {when(metric)}"
        head = [", ".join(WORDS[word] for word in by) or "All", _unit(metric.unit)]
        table = [(row.label, row.text) for row in rows]
        return Figure(key, title, note, charts.bars(rows, title, key), head, table, numbers.larger(measure, by))

    return make


Maker = Callable[[Numbers], Figure | None]
Finding = Callable[[Numbers, Mapping[Codes, TableCell]], str]
"""What a table says, in a sentence."""


def _key(measure: str, by: By) -> str:
    return f"{measure}-{'-'.join(by) or 'all'}"


def _unit(unit: str) -> str:
    return {"people": "People", "days": "Days", "places": "Places", "applications": "Applications", "pence": "Pounds"}[
        unit
    ]


def _ordered(by: By, cells: Mapping[Codes, TableCell]) -> list[TableCell]:
    """What has an order of its own keeps it; else the largest first. What is nought in a long list is left out."""
    if by and by[-1] in {"decile", "band", "stage", "round", "money"}:
        known = [codes for codes, cell in cells.items() if "not-known" not in codes or cell.value or cell.hidden]
        return [
            cells[codes]
            for codes in sorted(known, key=lambda codes: [words.place(*each) for each in zip(by, codes, strict=True)])
        ]
    by_size = sorted(cells.values(), key=lambda cell: -(cell.value if cell.value is not None else 1))
    return [cell for cell in by_size if cell.value != 0 or len(cells) <= len(words.KINDS)]


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
    order = sorted(waits, key=lambda code: (-waits[code], code not in hidden, numbers.named(word, code)))
    told = {code: _waits(waits[code], few=code in hidden) for code in order}
    most = max(waits.values(), default=0) or 1
    tiles = [
        Bar(numbers.named(word, code), f"{told[code]} / {places.get(code, 0):,}", 0, min(3, 4 * waits[code] // most))
        for code in order
    ]
    title = _lacking([numbers.named(word, code) for code in order if waits[code] > places.get(code, 0)], word)
    rows = [(numbers.named(word, code), told[code], f"{places.get(code, 0):,}") for code in order]
    note = AREAS[word].format(places.get("city-wide", 0)) + " " + numbers.of("waiting", ("kind", word))
    head = [WORDS[word], "People waiting", "Places"]
    return Figure(
        "wards", title, note, charts.tiles(tiles, title, "wards"), head, rows, numbers.larger("waiting", ("kind", word))
    )


AREAS: Final = {
    "ward": "Each tile: people waiting / places open for this ward alone, used ones included. "
    "Places for the whole city ({:,}) come on top.",
    "committee": "Most wards have so few people waiting that their numbers are hidden: these are the parts of the "
    "city. Each tile: people waiting / places open for wards there. Places for the whole city ({:,}) come on top.",
}


def _lacking(lacking: Sequence[str], word: str) -> str:
    area = "ward" if word == "ward" else "part of the city"
    if lacking:
        return f"More people wait than there are places for their {area} in {some(lacking)}"
    return f"In no {area} more people are known to wait than there are places for it"


def some(names: Sequence[str]) -> str:
    return words.listed(sorted(names)) if len(names) <= NAMED else f"{len(names)} areas"


def _waits(told: int, *, few: bool) -> str:
    """What is told of several kinds of help, and whether there are small numbers beside it."""
    if not told:
        return "a few" if few else "0"
    return f"{told:,}+" if few else f"{told:,}"


def granted(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
    """How much of the budgets was awarded, and what was asked for."""
    pounds = {word: f"£{pence / 100:,.0f}" for word, pence in over(cells, 1).items()}
    budget, asked, awarded = (pounds.get(word, "£0") for word in ("budget", "asked", "awarded"))
    return f"{awarded} of {budget} was awarded, and {asked} was asked for"


def largest(numbers: Numbers, cells: Mapping[Codes, TableCell], word: str, at: int = -1) -> str:
    """The code of the largest count, in words; nothing where none is told."""
    told = {codes: cell.value for codes, cell in cells.items() if cell.value}
    if not told:
        return ""
    most = max(told, key=lambda codes: told[codes])
    return numbers.named(word, most[at])


def figures(numbers: Numbers, makers: Iterable[Maker]) -> list[Figure]:
    return [figure for make in makers if (figure := make(numbers))]
