"""Awards in 360Giving: valid by the schema of the standard, and readable again."""

import csv
import json
import re
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openpyxl import load_workbook
from referencing import Registry, Resource

from services.grants.domain.publication import Awarded, package
from services.grants.handlers.past import read
from services.grants.handlers.spreadsheets import from_csv, from_xlsx, to_csv, to_xlsx

STANDARD = Path(__file__).parent / "standard"
AT = datetime(2026, 12, 20, 23, 30, tzinfo=UTC)
AWARD = Awarded(
    application_id="019aa0c4-0000-7000-8000-000000000006",
    title="Tablets for Armley",
    kinds=["device", "skills"],
    wards=[("E05011400", "Armley"), ("E05011401", "Beeston")],
    amount_pence=5_000_50,
    awarded_pence=4_000_00,
    paid_pence=0,
    decided_at=AT,
    organisation_id="GB-CHC-1110522",
    organisation_name="Armley Helping Hands",
    register="GB-CHC",
    round_id="winter",
    fund_name="Digital fund",
    funder=None,
)
GROUP = Awarded(
    application_id="019aa0c4-0000-7000-8000-000000000007",
    title="=SUM(A1)",
    kinds=["champion"],
    wards=[],
    amount_pence=100_00,
    awarded_pence=100_00,
    paid_pence=100_00,
    decided_at=AT,
    organisation_id="360G-furthest-first-knitters",
    organisation_name="Knitters",
    register=None,
    round_id="winter",
    fund_name="Digital fund",
    funder=("GB-CHC-299963", "A funder"),
)


FORMATS = FormatChecker()


def is_moment(value: object) -> bool:
    """The library checks dates only with another one."""
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*(Z|[+-]\d\d:\d\d)", value))


FORMATS.checks("date-time")(is_moment)


def validator() -> Draft202012Validator:
    """The package schema refers to the grant schema by its address of the version before: both are here."""
    grant = json.loads((STANDARD / "360-giving-schema.json").read_text())
    whole = json.loads((STANDARD / "360-giving-package-schema.json").read_text())
    address = whole["properties"]["grants"]["items"]["$ref"]
    own = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    resource = Resource.from_contents({**grant, **own, "$id": address})
    return Draft202012Validator(
        {**whole, **own},
        registry=Registry().with_resource(address, resource),
        format_checker=FORMATS,
    )


def problems(document: dict[str, Any]) -> list[str]:
    return [error.message for error in validator().iter_errors(document)]


def test_the_package_is_valid_by_the_schema_of_the_standard() -> None:
    assert problems(package([AWARD, GROUP], AT)) == []


def test_a_package_that_is_not_valid_is_seen() -> None:
    broken = package([AWARD], AT)
    del broken["grants"][0]["recipientOrganization"]
    broken["grants"][0]["fromOpenCall"] = "maybe"
    assert len(problems(broken)) >= 2
    assert problems({"grants": []})


def test_an_award_tells_of_organisations_and_places_and_of_no_individual() -> None:
    first, second = package([AWARD, GROUP], AT)["grants"]
    assert first["recipientOrganization"] == [
        {"id": "GB-CHC-1110522", "name": "Armley Helping Hands", "charityNumber": "1110522"}
    ]
    assert (first["amountAwarded"], first["amountAppliedFor"], first["awardDate"]) == (4000, 5000.5, "2026-12-20")
    assert [place["geoCode"] for place in first["beneficiaryLocation"]] == ["E05011400", "E05011401"]
    assert second["fundingOrganization"] == [{"id": "GB-CHC-299963", "name": "A funder"}]
    assert not any("ndividual" in name for name in (*first, *second))


def test_the_day_of_an_award_is_the_day_in_leeds() -> None:
    summer = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
    assert package([AWARD], summer)["issued"] == "2027-07-01"


@pytest.mark.parametrize(("write", "back"), [(to_csv, from_csv), (to_xlsx, from_xlsx)])
def test_a_spreadsheet_holds_the_same_grants(write: Any, back: Any) -> None:
    grants = package([AWARD, GROUP], AT)["grants"]
    awards, bad = read(back(write(grants))["grants"])
    direct, _ = read(grants)
    assert not bad
    assert awards == direct


def test_a_title_is_never_run_as_a_formula() -> None:
    grants = package([GROUP], AT)["grants"]
    rows = list(csv.reader(StringIO(to_csv(grants).decode("utf-8-sig"))))
    assert rows[1][rows[0].index("Title")] == "'=SUM(A1)"
    sheet = load_workbook(BytesIO(to_xlsx(grants))).worksheets[0]
    assert sheet["B2"].data_type == "s"


@pytest.mark.parametrize("content", [b"", b"name,town\nA,B\n", b"\x00\x01\x02"])
def test_what_is_no_table_of_grants_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"Identifier|text"):
        from_csv(content)
    with pytest.raises(ValueError, match="workbook"):
        from_xlsx(content)


def test_columns_come_in_any_order_and_numbered_or_not() -> None:
    text = (
        "Award Date,Recipient Org:0:Name,Recipient Org:Identifier,Identifier,Title,Currency,Amount Awarded,"
        "Funding Org:0:Identifier,Funding Org:0:Name,Colour\n"
        '2020-04-01,A charity,GB-CHC-1110522,360G-x-1,Tablets,GBP,"£2,298.94",GB-CHC-299963,A funder,red\n'
        ",,,,,,,,,\n"
    )
    awards, bad = read(from_csv(text.encode("cp1252"))["grants"])
    assert not bad
    assert [(award.grant_id, award.amount_pence, award.organisation_id) for award in awards] == [
        ("360G-x-1", 2298_94, "GB-CHC-1110522")
    ]
