"""What the pages show: each figure a finding, a chart, and the table that it is made of.

They are made of published tables alone, so they tell nothing that these do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from chassis.disclosure import percentage
from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measures import BY_NAME, WORDS, By, Codes
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar

DEPRIVED: Final = 3
"""Deciles 1 to this are what we call the most deprived wards."""
NAMED: Final = 3
"""So many wards at most are named in a finding; more are counted."""
LOW_REACH: Final = 0.5
"""A deprived ward from which fewer than this share of the usual number are referred."""


@dataclass(frozen=True, slots=True)
class Figure:
    key: str
    title: str
    note: str
    chart: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


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

    def named(self, word: str, code: str) -> str:
        return words.code(word, code, self.names)

    def of(self, measure: str, by: By) -> str:
        """For which time a table is."""
        metric = self.table(measure, by)
        return "" if metric is None else when(metric)


def when(metric: MetricPublished) -> str:
    if metric.starts_on is None:
        return f"On {words.day(metric.ends_on)}."
    return f"From {words.day(metric.starts_on)} to {words.day(metric.ends_on)}."


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
        return Figure(key, title, note, charts.bars(rows, title, key), head, [(row.label, row.text) for row in rows])

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


def wards(numbers: Numbers) -> Figure | None:
    """Need against supply, a tile for each ward."""
    need, supply = numbers.cells("waiting", ("kind", "ward")), numbers.cells("capacity", ("kind", "ward"))
    if not need:
        return None
    waits, places = over(need, 1), over(supply, 1)
    hidden = {codes[1] for codes, cell in need.items() if cell.hidden}
    order = sorted(waits, key=lambda ward: (-waits[ward], ward not in hidden, numbers.named("ward", ward)))
    told = {ward: _waits(waits[ward], few=ward in hidden) for ward in order}
    most = max(waits.values(), default=0) or 1
    tiles = [
        Bar(numbers.named("ward", ward), f"{told[ward]} / {places.get(ward, 0):,}", 0, min(3, 4 * waits[ward] // most))
        for ward in order
    ]
    lacking = [numbers.named("ward", ward) for ward in order if waits[ward] > places.get(ward, 0)]
    title = (
        f"More people wait than there are places for their ward in {_some(lacking)}"
        if lacking
        else "In no ward more people are known to wait than there are places for it"
    )
    note = (
        "Each tile: people waiting / places open for this ward alone, used ones included. Places for the whole city "
        f"({places.get('city-wide', 0):,}) come on top. {numbers.of('waiting', ('kind', 'ward'))}"
    )
    rows = [(numbers.named("ward", ward), told[ward], f"{places.get(ward, 0):,}") for ward in order]
    head = ["Ward", "People waiting", "Places"]
    return Figure("wards", title, note, charts.tiles(tiles, title, "wards"), head, rows)


def _some(names: Sequence[str]) -> str:
    return words.listed(sorted(names)) if len(names) <= NAMED else f"{len(names)} wards"


def _waits(told: int, *, few: bool) -> str:
    """What is told of several kinds of help, and whether there are small numbers beside it."""
    if not told:
        return "a few" if few else "0"
    return f"{told:,}+" if few else f"{told:,}"


def equity(numbers: Numbers) -> Figure | None:
    """The share of need and the share served, by decile, in hundredths of what is told."""
    need, served = numbers.cells("needs", ("kind", "decile")), numbers.cells("served", ("kind", "decile"))
    if not need or not served:
        return None
    asked, helped = over(need, 1), over(served, 1)
    of_asked, of_helped = sum(asked.values()), sum(helped.values())
    shares = {d: (percentage(asked[d], of_asked), percentage(helped.get(d, 0), of_helped)) for d in asked}
    bars = [
        Bar(f"Decile {decile}: {word}", "-" if share is None else f"{share}%", share)
        for decile, both in shares.items()
        if any(both)
        for word, share in zip(("referred", "taken on"), both, strict=True)
    ]
    title = _fair(asked, helped, of_asked, of_helped)
    note = f"Shares of the numbers that are shown. {numbers.of('needs', ('kind', 'decile'))}"
    rows = [(numbers.named("decile", d), *("-" if s is None else f"{s}%" for s in both)) for d, both in shares.items()]
    head = ["Deprivation of the ward", "Share of those referred", "Share of those taken on"]
    return Figure("equity", title, note, charts.bars(bars, title, "equity"), head, rows)


def _fair(asked: Mapping[str, int], helped: Mapping[str, int], of_asked: int, of_helped: int) -> str:
    deprived = {str(decile) for decile in range(1, DEPRIVED + 1)}
    need = percentage(sum(asked.get(d, 0) for d in deprived), of_asked)
    served = percentage(sum(helped.get(d, 0) for d in deprived), of_helped)
    if need is None or served is None:
        return "Too few are shown to compare who is referred with who is taken on"
    return f"The most deprived wards have {need}% of those referred and {served}% of those taken on"


def reach(numbers: Numbers) -> Figure | None:
    """Deprived wards from which few are referred: silence is not no need."""
    referred, deciles = numbers.cells("referrals", ("ward",)), numbers.names
    deprived = [codes[0] for codes in referred if _decile(deciles, codes[0]) in range(1, DEPRIVED + 1)]
    if not deprived:
        return None
    shown = {ward: referred[ward,] for ward in deprived}
    usual = sum(cell.value or 0 for cell in shown.values()) / len(shown)
    low = [ward for ward, cell in shown.items() if (cell.value or 0) < LOW_REACH * usual]
    bars = [
        Bar(numbers.named("ward", ward), words.value(cell, "people"), cell.value)
        for ward, cell in sorted(shown.items(), key=lambda item: item[1].value or 0)
    ]
    title = (
        f"Few are referred from {_some([numbers.named('ward', w) for w in low])}"
        if low
        else "From none of the most deprived wards few are referred"
    )
    note = f"People referred from wards of deciles 1 to {DEPRIVED}. {numbers.of('referrals', ('ward',))}"
    return Figure(
        "reach",
        title,
        note,
        charts.bars(bars, title, "reach"),
        ["Ward", "People referred"],
        [(bar.label, bar.text) for bar in bars],
    )


def _decile(names: Mapping[str, str], ward: str) -> int:
    return int(names.get(f"decile of {ward}", 0))


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
