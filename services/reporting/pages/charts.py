"""Charts as SVG that scale with the page and need no script: lengths in hundredths of the width, letters in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

ROW: Final = 46
LINE: Final = 20
LABEL: Final = 34
"""Letters of a label and its value that fit beside each other on a narrow page."""
COLUMN: Final = 180
FEW: Final = 5
"""Columns are no wider than if there were so many."""
TILE: Final = 72
ACROSS: Final = 3
NAME: Final = 15
"""Letters of a name that fit in a line of a tile."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`size` is none where the value is not told; `shade` says how dark, 0 to 3."""

    label: str
    text: str
    size: int | None
    shade: int = 2


def bars(rows: Sequence[Bar], title: str, key: str) -> Markup:
    """A bar under each label whose value is told; nothing where all are nought. Long labels have their value below."""
    told = [row for row in rows if row.size is not None]
    longest = max((row.size or 0 for row in told), default=0) or 1
    lower = LINE if any(len(row.label + row.text) > LABEL for row in told) else 0
    body = Markup("").join(
        Markup(
            '<text x="0" y="{y}">{label}</text><text x="{x}" y="{value_y}" text-anchor="{anchor}">{text}</text>'
            '<rect class="track" x="0" y="{top}" width="100%" height="12"/>'
            '<rect class="bar" x="0" y="{top}" width="{width}%" height="12"/>'
        ).format(
            y=n * (ROW + lower) + 18,
            value_y=n * (ROW + lower) + 18 + lower,
            top=n * (ROW + lower) + 25 + lower,
            x="0" if lower else "100%",
            anchor="start" if lower else "end",
            label=row.label,
            text=row.text,
            width=round(100 * (row.size or 0) / longest, 1),
        )
        for n, row in enumerate(told)
    )
    return _svg(body, len(told) * (ROW + lower), title, key) if any(row.size for row in told) else Markup("")


def columns(rows: Sequence[Bar], title: str, key: str) -> Markup:
    """A column over each label, in the order of time; labels stand under some of them where there are many. One column
    alone would say nothing."""
    if len(rows) < 2:
        return Markup("")
    tallest = max((row.size or 0 for row in rows), default=0) or 1
    wide, every = 100 / max(FEW, len(rows)), -(-len(rows) // 6)
    body = Markup("").join(
        Markup('<rect class="bar" x="{x}%" y="{top}" width="{width}%" height="{height}"/>').format(
            x=round(n * wide + wide * 0.1, 2),
            top=COLUMN - _tall(row, tallest) + 24,
            width=round(wide * 0.8, 2),
            height=_tall(row, tallest),
        )
        + (
            Markup(
                '<text x="{x}%" y="{under}" text-anchor="middle">{label}</text>'
                '<text x="{x}%" y="{over}" text-anchor="middle">{text}</text>'
            ).format(
                x=round((n + 0.5) * wide, 2),
                under=COLUMN + 44,
                over=COLUMN - _tall(row, tallest) + 18,
                label=row.label,
                text=row.text,
            )
            if n % every == (len(rows) - 1) % every
            else Markup("")
        )
        for n, row in enumerate(rows)
    )
    base = Markup('<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/>').format(y=COLUMN + 24)
    return _svg(body + base, COLUMN + 54, title, key)


def _tall(row: Bar, tallest: int) -> float:
    return round(COLUMN * (row.size or 0) / tallest, 1)


def tiles(rows: Sequence[Bar], title: str, key: str) -> Markup:
    """A tile for each place: the darker, the more."""
    wide = 100 / ACROSS
    body = Markup("").join(_tile(row, n % ACROSS * wide, n // ACROSS * TILE, wide) for n, row in enumerate(rows))
    return _svg(body, -(-len(rows) // ACROSS) * TILE, title, key)


def _tile(row: Bar, left: float, top: int, wide: float) -> Markup:
    words = Markup("").join(
        Markup('<text class="small" x="{x}%" dx="8" y="{y}">{line}</text>').format(
            x=round(left, 2), y=top + 20 + 15 * n, line=line
        )
        for n, line in enumerate(_lines(row.label))
    )
    return Markup(
        '<g class="tile shade-{shade}"><rect x="{x}%" y="{y}" width="{width}%" height="{height}"/>{words}'
        '<text x="{x}%" dx="8" y="{text_y}">{text}</text></g>'
    ).format(
        shade=row.shade,
        x=round(left, 2),
        y=top,
        width=round(wide - 0.8, 2),
        height=TILE - 4,
        words=words,
        text_y=top + TILE - 13,
        text=row.text,
    )


def _lines(label: str) -> list[str]:
    """At most two lines that fit in a tile."""
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > NAME and len(lines) < 2:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _svg(body: Markup, height: int, title: str, key: str) -> Markup:
    return Markup(
        '<svg role="img" aria-labelledby="{key}-title" width="100%" height="{height}" class="chart">'
        '<title id="{key}-title">{title}</title>{body}</svg>'
    ).format(key=key, height=height, title=title, body=body)
