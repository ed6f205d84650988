"""What the public page says. It is made of published tables alone, so it tells nothing that they do not."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from contracts.calendar import LONDON
from contracts.reporting import Cell, MetricPublished
from contracts.vocabulary import NeedStatus
from services.reporting.domain.measures import MEASURES, Measure, name_of

HIDDEN: Final = "1 to 7 people"

STATUS_WORDS: Final[dict[str, str]] = {
    "requested": "Received",
    "on-hold": "Waiting for help",
    "offered": "Offered to a supporting organisation",
    "accepted": "Taken on by a supporting organisation",
    "in-progress": "Being helped now",
    "completed": "Help has ended",
    "failed": "Could not be reached or helped",
    "rejected": "Not accepted",
    "cancelled": "Withdrawn",
}
KIND_WORDS: Final[dict[str, str]] = {
    "device": "A device",
    "connectivity": "Mobile data or broadband",
    "skills": "A course in digital skills",
    "champion": "A Digital Champion",
}
PLACE_WORDS: Final[dict[str, str]] = {
    "no-fixed-address": "No fixed address",
    "temporary": "Temporary address",
    "institution": "Lives in an institution",
    "protected": "Address is protected",
}
HEADLINES: Final[tuple[tuple[str, frozenset[NeedStatus]], ...]] = (
    ("Waiting or on offer", frozenset({"requested", "on-hold", "offered"})),
    ("Taken on", frozenset({"accepted", "in-progress"})),
    ("Help has ended", frozenset({"completed"})),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; the `width` of its bar is in hundredths of the longest, and 0 where the count is hidden."""

    label: str
    text: str
    width: float
    hidden: bool


@dataclass(frozen=True, slots=True)
class Headline:
    label: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    column: str
    intro: str
    rows: Sequence[Row]


def render(published: Mapping[str, MetricPublished], area_names: Mapping[str, str]) -> str:
    return _TEMPLATE.render(
        style=STYLE,
        headlines=_headlines(published),
        tables=_tables(published, area_names),
        changed=_moment(max((metric.as_of for metric in published.values()), default=None)),
        hidden=HIDDEN,
    )


def _cells(published: Mapping[str, MetricPublished], measure: Measure) -> list[Cell]:
    metric = published.get(name_of(measure))
    return metric.cells if metric else []


def _headlines(published: Mapping[str, MetricPublished]) -> list[Headline]:
    if not published:
        return []
    kinds = _cells(published, "needs-by-kind")
    statuses = _cells(published, "needs-by-status")
    return [
        _headline("Needs in all", kinds),
        *(_headline(label, [cell for cell in statuses if cell.status in codes]) for label, codes in HEADLINES),
    ]


def _headline(label: str, cells: Sequence[Cell]) -> Headline:
    seen = sum(cell.count or 0 for cell in cells)
    hidden = sum(cell.count is None for cell in cells)
    if not hidden:
        return Headline(label, f"{seen:,}", "")
    if seen:
        return Headline(label, f"{seen:,}", "and a few more, in numbers too small to show")
    return Headline(label, "A few", "in numbers too small to show")


def _tables(published: Mapping[str, MetricPublished], area_names: Mapping[str, str]) -> list[Table]:
    statuses, kinds, wards = (_cells(published, measure) for measure in MEASURES)
    in_wards = [(_place(cell, area_names), cell) for cell in wards]
    return [
        Table(
            "How far the needs have come",
            "Stage",
            "Each need stands in one row, where it is today.",
            _rows([(STATUS_WORDS.get(cell.status or "", cell.status or ""), cell) for cell in statuses]),
        ),
        Table(
            "What people need",
            "Kind of help",
            "A person may need several kinds of help, and is then counted in each.",
            _rows([(KIND_WORDS.get(cell.kind or "", cell.kind or ""), cell) for cell in kinds]),
        ),
        Table(
            "Where people need help",
            "Ward",
            "By the ward a person lives in, most needs first.",
            _rows(sorted(in_wards, key=lambda row: (-_size(row[1]), row[0]))),
        ),
    ]


def _place(cell: Cell, area_names: Mapping[str, str]) -> str:
    code = cell.area or ""
    return PLACE_WORDS.get(code) or area_names.get(code, code)


def _size(cell: Cell) -> int:
    """For the order of rows: one that is hidden comes before nought and after all others."""
    return 1 if cell.count is None else cell.count


def _rows(cells: Sequence[tuple[str, Cell]]) -> list[Row]:
    longest = max((cell.count or 0 for _, cell in cells), default=0) or 1
    return [_row(label, cell.count, longest) for label, cell in cells]


def _row(label: str, count: int | None, longest: int) -> Row:
    if count is None:
        return Row(label, HIDDEN, 0, hidden=True)
    return Row(label, f"{count:,}", round(100 * count / longest, 1), hidden=False)


def _moment(at: datetime | None) -> str | None:
    if at is None:
        return None
    here = at.astimezone(LONDON)
    return f"{here.day} {here:%B %Y} at {here:%H:%M}"


STYLE: Final = (files("services.reporting") / "pages" / "dashboard.css").read_text(encoding="utf-8")
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TEMPLATE: Final = Environment(
    loader=PackageLoader("services.reporting", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("dashboard.html")
