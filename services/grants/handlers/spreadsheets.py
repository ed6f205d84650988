"""360Giving as people keep it: the same grants in CSV and in Excel workbooks, by the column titles of the standard."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

COLUMNS: Final[dict[str, str]] = {
    "Identifier": "id",
    "Title": "title",
    "Description": "description",
    "Currency": "currency",
    "Amount Applied For": "amountAppliedFor",
    "Amount Awarded": "amountAwarded",
    "Amount Disbursed": "amountDisbursed",
    "Award Date": "awardDate",
    "Recipient Org:Identifier": "recipientOrganization.id",
    "Recipient Org:Name": "recipientOrganization.name",
    "Recipient Org:Charity Number": "recipientOrganization.charityNumber",
    "Recipient Org:Company Number": "recipientOrganization.companyNumber",
    "Funding Org:Identifier": "fundingOrganization.id",
    "Funding Org:Name": "fundingOrganization.name",
    "Grant Programme:Code": "grantProgramme.code",
    "Grant Programme:Title": "grantProgramme.title",
    "From An Open Call?": "fromOpenCall",
    "Beneficiary Location:Name": "beneficiaryLocation.name",
    "Beneficiary Location:Country Code": "beneficiaryLocation.countryCode",
    "Beneficiary Location:Geographic Code": "beneficiaryLocation.geoCode",
    "Beneficiary Location:Geographic Code Type": "beneficiaryLocation.geoCodeType",
}
"""The title of each column, and where its value stands in JSON. Of a list, the standard numbers each entry."""

_PATHS: Final = {title.lower(): path for title, path in COLUMNS.items()}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS: Final = frozenset({"amountAppliedFor", "amountAwarded", "amountDisbursed"})
ROWS_AT_MOST: Final = 100_001


def to_csv(grants: Sequence[Mapping[str, Any]]) -> bytes:
    """With a mark of its encoding, which Excel needs. What a spreadsheet would run as a formula is kept as text."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows([_unformulated(cell) for cell in row] for row in _table(grants))
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(grants: Sequence[Mapping[str, Any]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("grants")
    for row in _table(grants):
        cells = [WriteOnlyCell(sheet, value) for value in row]
        for cell in cells:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
        sheet.append(cells)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def from_csv(content: bytes) -> dict[str, Any]:
    """The grants of a CSV file. Raises ValueError, with a sentence, where it is none."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ValueError("The file is no text that can be read: save it as CSV in UTF-8.")
    return _grants(csv.reader(StringIO(text, newline="")))


def from_xlsx(content: bytes) -> dict[str, Any]:
    """The grants of the first sheet of a workbook. Raises ValueError, with a sentence, where it is none."""
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parts raise
        raise ValueError("The file is no Excel workbook.") from error
    return _grants([_plain(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True))


def _table(grants: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    most = max((len(grant["beneficiaryLocation"]) for grant in grants), default=0)
    single = [(title, path) for title, path in COLUMNS.items() if not path.startswith("beneficiaryLocation")]
    places = [(title, path) for title, path in COLUMNS.items() if path.startswith("beneficiaryLocation")]
    numbered = [(title.replace(":", f":{n}:"), path, n) for n in range(most) for title, path in places]
    yield [*(title for title, _ in single), *(title for title, _, _ in numbered)]
    for grant in grants:
        yield [*(_at(grant, path, 0) for _, path in single), *(_at(grant, path, n) for _, path, n in numbered)]


def _at(grant: Mapping[str, Any], path: str, nth: int) -> Any:
    name, _, part = path.partition(".")
    value = grant.get(name)
    if not part:
        return value
    entries: list[Any] = value if isinstance(value, list) else []
    return entries[nth].get(part) if nth < len(entries) else None


def _unformulated(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _plain(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.date().isoformat() if isinstance(cell, datetime) else str(cell)


def _grants(rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    lines = iter(rows)
    paths = [_path(title) for title in next(lines, ())]
    if not any(path and path[0] == "id" for path in paths):
        raise ValueError("The first row has no column `Identifier`: these are no 360Giving grants.")
    grants: list[dict[str, Any]] = []
    for line in lines:
        if any(cell.strip() for cell in line):
            grants.append(_grant(zip(paths, line, strict=False)))
        if len(grants) > ROWS_AT_MOST:
            break
    return {"grants": grants}


def _path(title: str) -> tuple[str, str, int] | None:
    """(name, part, number) of a column that we read, or none."""
    numbered = re.search(r":(\d+):", title)
    known = _PATHS.get(re.sub(r":\d+:", ":", title).strip().lower())
    if known is None:
        return None
    name, _, part = known.partition(".")
    return name, part, int(numbered[1]) if numbered else 0


def _grant(cells: Iterable[tuple[tuple[str, str, int] | None, str]]) -> dict[str, Any]:
    grant: dict[str, Any] = {}
    for path, cell in cells:
        value = cell.strip().removeprefix("'") if cell else ""
        if path is None or not value:
            continue
        name, part, nth = path
        if not part:
            grant[name] = value.replace(",", "").removeprefix("£") if name in _NUMBERS else value
        elif nth < 200:
            entries: list[dict[str, Any]] = grant.setdefault(name, [])
            entries.extend({} for _ in range(nth + 1 - len(entries)))
            entries[nth][part] = value
    return grant
