"""Whether the furthest are served first: shares of need and of help, and where few come from."""

from collections.abc import Mapping
from typing import Final

from chassis.disclosure import percentage
from services.reporting.pages import charts, words
from services.reporting.pages.charts import Bar
from services.reporting.pages.figures import Figure, Numbers, hidden_in, over

DEPRIVED: Final = 3
"""Deciles 1 to this are what we call the most deprived wards."""
HIDDEN: Final = words.HIDDEN["kept-back"]
LOW_REACH: Final = 0.5
"""A deprived ward from which fewer than this share of the usual number are referred."""


def equity(numbers: Numbers) -> Figure | None:
    """The share of need and the share served, by decile, in hundredths of what is told."""
    need, served = numbers.cells("needs", ("kind", "decile")), numbers.cells("served", ("kind", "decile"))
    if not need or not served:
        return None
    asked, helped = over(need, 1), over(served, 1)
    of_asked, of_helped = sum(asked.values()), sum(helped.values())
    shares = {d: (percentage(asked[d], of_asked), percentage(helped.get(d, 0), of_helped)) for d in asked}
    hidden = [hidden_in(cells, 1) for cells in (need, served)]
    told = {
        decile: [_share(share, hidden=decile in those) for share, those in zip(both, hidden, strict=True)]
        for decile, both in shares.items()
    }
    bars = [
        Bar(f"Decile {decile}: {word}", text, share)
        for decile, both in shares.items()
        if any(both)
        for word, text, share in zip(("referred", "taken on"), told[decile], both, strict=True)
        if share or text != HIDDEN
    ]
    title = _fair(asked, helped, of_asked, of_helped)
    note = f"Shares of the numbers that are shown. {numbers.of('needs', ('kind', 'decile'))}"
    rows = [(numbers.named("decile", decile), *both) for decile, both in told.items()]
    head = ["Deprivation of the ward", "Of those referred", "Of those taken on"]
    return Figure("equity", title, note, charts.bars(bars, title, "equity"), head, rows)


def _share(share: int | None, *, hidden: bool) -> str:
    return HIDDEN if share is None or (hidden and not share) else f"{share}%"


def _fair(asked: Mapping[str, int], helped: Mapping[str, int], of_asked: int, of_helped: int) -> str:
    deprived = {str(decile) for decile in range(1, DEPRIVED + 1)}
    need = percentage(sum(asked.get(d, 0) for d in deprived), of_asked)
    served = percentage(sum(helped.get(d, 0) for d in deprived), of_helped)
    if need is None or served is None:
        return "Too few are shown to compare who is referred with who is taken on"
    return (
        f"Of the numbers shown, the most deprived wards have {need}% of those referred and {served}% of those taken on"
    )


REACHED: Final = {
    "Offered to an organisation": ("on-offer", "taken-on", "being-helped", "helped"),
    "Taken on": ("taken-on", "being-helped", "helped"),
    "Help began": ("being-helped", "helped"),
    "Helped": ("helped",),
}
"""How far it came at least, by how far it has come. What ended without help may have come as far."""


def conversion(numbers: Numbers) -> Figure | None:
    """Of all needs of those referred lately, how many came at least so far."""
    stages = over(numbers.cells("stages", ("kind", "stage")), 1)
    whole = sum(stages.values())
    if not whole:
        return None
    shares = {name: percentage(sum(stages.get(s, 0) for s in those), whole) or 0 for name, those in REACHED.items()}
    bars = [Bar(name, f"{share}%", share) for name, share in shares.items()]
    title = f"Of all that people need, {shares['Taken on']}% was taken on, and {shares['Helped']}% ended with help"
    note = (
        "Shares of the numbers that are shown of people referred in this financial year and the one before; those that "
        f"ended without help count as not having come so far. {numbers.of('stages', ('kind', 'stage'))}"
    )
    rows = [(bar.label, bar.text) for bar in bars]
    chart = charts.bars(bars, title, "conversion")
    return Figure("conversion", title, note, chart, ["How far it came at least", "Share"], rows)


def reach(numbers: Numbers) -> Figure | None:
    """Deprived wards from which few are referred: silence is not no need."""
    referred, deciles = numbers.cells("referrals", ("ward",)), numbers.names
    deprived = [codes[0] for codes in referred if _decile(deciles, codes[0]) in range(1, DEPRIVED + 1)]
    if not deprived:
        return None
    shown = {ward: referred[ward,] for ward in deprived}
    counts = {ward: cell.value or 0 for ward, cell in shown.items() if cell.hidden != "kept-back"}
    usual = sum(counts.values()) / max(1, len(counts))
    low = [ward for ward, count in counts.items() if count < LOW_REACH * usual]
    bars = [
        Bar(numbers.named("ward", ward), words.value(cell, "people"), cell.value)
        for ward, cell in sorted(shown.items(), key=lambda item: item[1].value or 0)
    ]
    title = (
        _low([numbers.named("ward", ward) for ward in low])
        if usual
        else "Too few numbers of the most deprived wards are shown to compare them"
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


def _low(wards: list[str]) -> str:
    if wards:
        return f"Few are referred from {words.some(wards)}"
    return "From none of the most deprived wards are far fewer people referred than usual"


def _decile(names: Mapping[str, str], ward: str) -> int:
    return int(names.get(f"decile of {ward}", 0))
