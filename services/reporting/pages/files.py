"""Published tables as files: a row for each value, and a data dictionary that says what each column means."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from contracts.reporting import MetricPublished
from services.reporting.domain.measure import Measure
from services.reporting.domain.measures import PUBLISHED
from services.reporting.domain.words import WORDS
from services.reporting.pages import words

COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "measure": ("string", "Which measure; the data dictionary lists them"),
    "period": ("string", "now, month-so-far, a month such as 2026-11, or the financial year up to the end of one"),
    "starts_on": ("date32", "First day, Europe/London; empty of what is counted as it stands"),
    "ends_on": ("date32", "Last day, or the day on which it was looked at"),
    "by": ("string", "What the table counts by, joined with +"),
    **{word: ("string", means) for word, means in WORDS.items()},
    "value": ("int64", "The value; empty where it is hidden. Counts of people are rounded to 5"),
    "hidden": ("string", "small: 1 to 7 people; kept-back: a small count could be had from it; too-few: of days"),
    "unit": ("string", "people, days, places, applications or pence"),
    "final": ("bool", "Whether only a correction changes it"),
    "version": ("int32", "1, and one more with each correction"),
    "corrected": ("bool", "Whether this value was corrected"),
    "was": ("int64", "What it was before it was corrected"),
    "as_of": ("timestamp", "When it was published"),
}
"""The columns of CSV and Parquet, with their types and what they mean."""


def rows(metrics: Iterable[MetricPublished]) -> Iterator[dict[str, Any]]:
    for metric in metrics:
        head = {name: getattr(metric, name) for name in ("measure", "period", "starts_on", "ends_on", "unit", "final")}
        head |= {"version": metric.version, "as_of": metric.as_of, "by": "+".join(metric.by)}
        for cell in metric.cells:
            codes = dict(zip(metric.by, cell.codes, strict=True))
            told = {name: getattr(cell, name) for name in ("value", "hidden", "corrected", "was")}
            yield dict.fromkeys(COLUMNS) | head | codes | told


def as_csv(metrics: Iterable[MetricPublished]) -> bytes:
    return _csv(list(COLUMNS), rows(metrics))


def as_parquet(metrics: Iterable[MetricPublished]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - half as much memory as all else, and only who asks for this needs it
    from pyarrow import parquet  # noqa: PLC0415 - the same

    types = {"timestamp": pa.timestamp("us", tz="UTC")}
    schema = pa.schema(
        [
            pa.field(name, types.get(kind) or pa.type_for_alias(kind), metadata={"means": means})
            for name, (kind, means) in COLUMNS.items()
        ]
    )
    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(list(rows(metrics)), schema=schema), out)
    return bytes(out.getvalue())


def dictionary() -> list[dict[str, Any]]:
    """What every measure, column and code means."""
    return [
        *({"what": "measure", "name": m.name, "title": m.title, "means": m.explanation, **_of(m)} for m in PUBLISHED),
        *({"what": "column", "name": name, "means": means} for name, (_, means) in COLUMNS.items()),
        *(
            {"what": word, "name": code, "means": means}
            for word, codes in words.CODES.items()
            for code, means in codes.items()
        ),
    ]


def _of(measure: Measure) -> dict[str, Any]:
    tables = (*measure.tables, *measure.in_year)
    return {
        "unit": measure.unit,
        "of_people": measure.is_of_people,
        "tables": "; ".join("+".join(by) or "total" for by in tables),
    }


def dictionary_csv() -> bytes:
    return _csv(["what", "name", "title", "means", "unit", "of_people", "tables"], dictionary())


def _csv(columns: Sequence[str], those: Iterable[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(those)
    return out.getvalue().encode()
