"""A waiting list that was kept elsewhere, from CSV or JSON lines, row by row through the door of staff."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from deploy.desk import Desk
from deploy.errors import DeployError

AT_MOST: Final = 50 * 1024 * 1024
NEEDED: Final = {"reference", "received_on", "ward", "needs", "name", "channels"}
OF_PERSON: Final = ("name", "born", "phone", "email", "postcode")
OTHERS: Final = {*OF_PERSON, "address", "circumstances", "languages", "agreement_by", "agreement_given_on"}
"""Columns of CSV. Several values of one cell stand with a semicolon between."""


@dataclass(slots=True)
class Imported:
    """How many rows were taken, and which were not: {row, reference, errors}."""

    taken: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def take_over(file: Path, partner: str, reason: str, referrals: Desk, tell: Callable[[str], None]) -> Imported:
    """Raises DeployError where the file cannot be read. What was taken before is taken again, and changes nothing."""
    rows, done = list(read(file)), Imported()
    for number, row in rows:
        reference = str(row.get("reference", ""))
        body = {"partner": partner, "why": reason, "received_on": row.pop("received_on", None), "referral": row}
        key = sha256(f"{partner}/{reference}".encode()).hexdigest()
        answer = referrals.ask("POST", "/v1/staff/imports", body, key)
        if answer.status_code == 202:
            done.taken += 1
        elif answer.status_code in {409, 422, 400}:
            done.refused.append({"row": number, "reference": reference, "errors": answer.json().get("errors", [])})
        else:
            raise DeployError(f"row {number}: referrals answered {answer.status_code}. Look at: furthest status")
        if (done.taken + len(done.refused)) % 100 == 0:
            tell(f"{done.taken + len(done.refused)} of {len(rows)} people")
    return done


def read(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its number, as a referral with `received_on`."""
    try:
        if file.stat().st_size > AT_MOST:
            raise DeployError(f"{file} has more than {AT_MOST} bytes. Cut it into several.")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeployError(f"{file} is not UTF-8. Save it as CSV UTF-8.") from error
    return _csv(text, file) if file.suffix == ".csv" else _json_lines(text, file)


def _json_lines(text: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DeployError(f"{file}, line {number}: this is no JSON. Nothing was taken.") from error
        if not isinstance(row, dict):
            raise DeployError(f"{file}, line {number}: this is no JSON object. Nothing was taken.")
        yield number, row


def _csv(text: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    columns = set(reader.fieldnames or ())
    if lacking := sorted(NEEDED - columns):
        raise DeployError(f"{file} lacks the columns {', '.join(lacking)}. Nothing was taken.")
    if unknown := sorted(columns - NEEDED - OTHERS):
        raise DeployError(f"{file} has columns that nobody knows: {', '.join(unknown)}. Nothing was taken.")
    for number, row in enumerate(reader, start=2):
        yield number, _referral({name: (cell or "").strip() for name, cell in row.items() if name})


def _referral(row: dict[str, str]) -> dict[str, Any]:
    person: dict[str, Any] = {name: row[name] for name in OF_PERSON if row.get(name)}
    return {
        "reference": row["reference"],
        "received_on": row["received_on"],
        "ward": row["ward"],
        "needs": [{"kind": kind} for kind in _several(row["needs"])],
        "languages": _several(row.get("languages", "")),
        "agreement": {
            "by": row.get("agreement_by") or "person",
            "given_on": row.get("agreement_given_on") or row["received_on"],
        },
        "person": {
            **person,
            "address": _several(row.get("address", "")),
            "safe_contact": {"channels": _several(row["channels"])},
            "circumstances": dict.fromkeys(_several(row.get("circumstances", "")), "yes"),
        },
    }


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
