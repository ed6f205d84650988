"""Areas and their deprivation, from CSV: wards by themselves, or small areas (LSOA) that make up wards."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean


@dataclass(frozen=True, slots=True)
class Area:
    """A ward, or a small area with the ward it lies in. Decile 1 is the most deprived.

    `committee` is a larger part of the city, for those who want to count by it.
    """

    code: str
    name: str
    decile: int
    ward: str | None = None
    committee: str | None = None


class BadAreas(Exception):
    """The file cannot be used; each line tells a row, a column and what is wrong. Nothing was loaded."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


WARDS = {"code", "name", "decile"}
SMALL_AREAS = {"lsoa21cd", "lsoa21nm", "wd25cd", "wd25nm", "imd2025_decile"}


def parse(text: str) -> list[Area]:
    """Reads `code,name,decile` and perhaps `committee`, or the columns of the Indices of Deprivation with wards.

    Raises BadAreas.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = set(reader.fieldnames or ())
    rows = list(enumerate(reader, start=2))
    if columns >= SMALL_AREAS:
        return _small_areas(rows)
    if columns >= WARDS:
        return [
            Area(row["code"], row["name"], _decile(n, row["decile"]), committee=row.get("committee") or None)
            for n, row in _whole(rows, WARDS)
        ]
    raise BadAreas([f"row 1: there should be columns {', '.join(sorted(WARDS))} or {', '.join(sorted(SMALL_AREAS))}"])


def _small_areas(rows: list[tuple[int, dict[str, str]]]) -> list[Area]:
    small = [
        (Area(row["lsoa21cd"], row["lsoa21nm"], _decile(n, row["imd2025_decile"]), row["wd25cd"]), row["wd25nm"])
        for n, row in _whole(rows, SMALL_AREAS)
    ]
    names = {area.ward: ward_name for area, ward_name in small if area.ward}
    wards = [
        Area(code, name, max(1, round(mean(area.decile for area, _ in small if area.ward == code))))
        for code, name in sorted(names.items())
    ]
    return [*wards, *(area for area, _ in small)]


def _whole(rows: list[tuple[int, dict[str, str]]], columns: set[str]) -> list[tuple[int, Mapping[str, str]]]:
    bad = [f"row {n}: {c} is empty" for n, row in rows for c in sorted(columns) if not row.get(c)]
    if bad or not rows:
        raise BadAreas(bad or ["the file has no rows"])
    return [(n, row) for n, row in rows]


def _decile(row: int, text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 10):
        raise BadAreas([f"row {row}: the decile must be a whole number from 1 to 10"])
    return int(text)
