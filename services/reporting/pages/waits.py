"""The waiting list: over time, and against places by area."""

from collections.abc import Sequence
from typing import Final

from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measures import BY_NAME
from services.reporting.domain.words import WORDS
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar
from services.reporting.pages.figures import OF_SHOWN, Figure, Numbers, at_least, hidden_in, over


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
    note = f"{BY_NAME['waiting'].explanation} Columns add up the numbers that are shown; hidden ones are not in them."
    title = _trend(totals, hidden=any(cell.hidden for metric in tables[-2:] for cell in metric.cells))
    head = ["When", *words.SHORT.values()]
    return Figure("waiting", title, note, charts.columns(bars[-13:], title, "waiting"), head, rows)


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
    told = {code: at_least(waits[code], few=code in hidden) for code in order}
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
    "Places for the whole city ({:,}) come on top. A + says that some more wait.",
    "committee": "Most wards have so few people waiting that their numbers are hidden: these are the parts of the "
    "city. Each tile: people waiting / places open for wards there. Places for the whole city ({:,}) come on top. "
    "A + says that some more wait.",
}


def _lacking(lacking: Sequence[str], word: str) -> str:
    area = "ward" if word == "ward" else "part of the city"
    if lacking:
        return f"More people wait than there are places for their {area} in {words.some(lacking)}"
    return f"In no {area} more people are known to wait than there are places for it"
