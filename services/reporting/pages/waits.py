"""The waiting list: over time, and against places by area."""

from collections.abc import Collection, Sequence
from typing import Final

from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measures import BY_NAME
from services.reporting.domain.words import WORDS
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar
from services.reporting.pages.figures import OF_SHOWN, Figure, Numbers, at_least, hidden_in, over

LATELY: Final = 13
"""Now, and the ends of so many months but one, are shown."""


def waiting(numbers: Numbers) -> Figure | None:
    """The waiting list over time."""
    tables = sorted(
        (metric for metric in numbers.tables.values() if (metric.measure, metric.by) == ("waiting", ["kind"])),
        key=lambda metric: (metric.ends_on, not metric.final),
    )[-LATELY:]
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
    note = f"{BY_NAME['waiting'].explanation} Columns add up the numbers that are shown; hidden ones are not in them."
    title = _trend(totals, hidden=any(cell.hidden for metric in tables[-2:] for cell in metric.cells))
    head = ["When", *words.SHORT.values()]
    return Figure("waiting", title, note, charts.columns(bars, title, "waiting"), head, rows)


def _of_kind(metric: MetricPublished, kind: str) -> TableCell | None:
    return next((cell for cell in metric.cells if cell.codes == [kind]), None)


def _trend(totals: Sequence[int], *, hidden: bool) -> str:
    """`hidden` says that the last two totals are not of all."""
    if not totals[-1]:
        return "How many waits for help are open is not shown" if hidden else "No waits for help are open"
    last, of_shown = f"About {totals[-1]:,} waits for help are open", OF_SHOWN if hidden else ""
    if len(totals) == 1:
        return last + of_shown
    before = totals[-2]
    if totals[-1] == before:
        return f"{last}, as many as at the end of the last month{of_shown}"
    return f"{last}, {'up' if totals[-1] > before else 'down'} from {before:,} at the end of the last month{of_shown}"


def areas(numbers: Numbers) -> Figure | None:
    """Need against supply, a tile for each ward; for each part of the city where most wards have too few to be told."""
    metric = numbers.table("waiting", ("kind", "ward"))
    if metric is None:
        return None
    word: str = "committee" if metric.larger and numbers.table("waiting", ("kind", "committee")) else "ward"
    need, supply = numbers.cells("waiting", ("kind", word)), numbers.cells("capacity", ("kind", "ward"))
    waits, places = over(need, 1), numbers.places(over(supply, 1), word)
    hidden = hidden_in(need, 1)
    order = sorted(
        waits, key=lambda code: (not _is_place(code), -waits[code], code not in hidden, numbers.named(word, code))
    )
    told = {code: at_least(waits[code], code in hidden) for code in order}
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


USED: Final = {"on-offer", "taken-on", "being-helped"}
"""How far help has come while it uses a place."""


def capacity(numbers: Numbers) -> Figure | None:
    """Places that are open, and people who use them."""
    supply, stages = numbers.cells("capacity", ("kind",)), numbers.cells("stages", ("kind", "stage"))
    places = over(supply, 0)
    if not any(places.values()):
        return None
    using = {codes: cell for codes, cell in stages.items() if codes[1] in USED}
    used, hidden = over(using, 0), hidden_in(using, 0)
    told = {kind: at_least(used.get(kind, 0), kind in hidden) for kind in words.KINDS}
    bars = [
        Bar(f"{words.SHORT[kind]}: {word}", text, number)
        for kind in words.KINDS
        for word, text, number in (
            ("places", f"{places.get(kind, 0):,}", places.get(kind, 0)),
            ("people", told[kind], used.get(kind, 0)),
        )
    ]
    title = _used(sum(places.values()), sum(used.values()), hidden)
    rows = [(name, f"{places.get(kind, 0):,}", told[kind]) for kind, name in words.KINDS.items()]
    note = f"{BY_NAME['capacity'].explanation} {USES} {numbers.of('capacity', ('kind',))}"
    head = [WORDS["kind"], "Places", "People"]
    return Figure("capacity", title, note, charts.bars(bars, title, "capacity"), head, rows)


USES: Final = (
    "Used ones are included. People are those who are offered such help or get it now, of those referred in this "
    "financial year and the one before; who got a device or data for good is not among them. A + says that there are "
    "some more."
)


def _used(places: int, people: int, hidden: Collection[str]) -> str:
    are_open = f"{places:,} places are open"
    if not people:
        return f"{are_open}; how many people use them is not shown" if hidden else f"{are_open}, and nobody uses one"
    return f"{are_open}, and about {people:,} people{' or more' if hidden else ''} use one or are offered one"


def _is_place(code: str) -> bool:
    return code not in words.CODES["ward"] and code not in words.UNSAID


AREAS: Final = {
    "ward": "Each tile: people waiting / places open for this ward alone, used ones included. "
    "Places for the whole city ({:,}) come on top. A + says that some more wait.",
    "committee": "Most wards have so few people waiting that their numbers are hidden: these are the parts of the "
    "city. Each tile: people waiting / places open for wards there. Places for the whole city ({:,}) come on top. "
    "A + says that some more wait.",
}


def _lacking(lacking: Sequence[str], word: str) -> str:
    area = "ward" if word == "ward" else "part of the city"
    if lacking:
        return f"More people wait than there are places for their {area} in {words.some(lacking)}"
    return f"No {area} is known to have more people waiting than places of its own"
