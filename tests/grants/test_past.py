import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.grants.handlers.past import ImportResult, load
from tests.grants.conftest import City
from tests.support import DATA

pytestmark = pytest.mark.servers

REAL: Path = DATA / "360giving" / "covid19-grants-april-2020.json"


def a_grant(**changed: object) -> dict[str, Any]:
    return {
        "id": "360G-example-1",
        "title": "Tablets",
        "description": "For the library",
        "currency": "GBP",
        "amountAwarded": 2298.94,
        "awardDate": "2020-04-01T00:00:00+00:00",
        "fundingOrganization": [{"id": "GB-CHC-299963", "name": "A funder"}],
        "recipientOrganization": [{"id": "GB-CHC-GB-CHC-1110522", "name": "A charity"}],
        "beneficiaryLocation": [{"name": "Leeds", "geoCode": "E08000035", "geoCodeType": "MD"}, {"name": "UK"}],
        **changed,
    }


async def loaded(city: City, *grants: object) -> ImportResult:
    async with city.stage.database.acquire() as conn:
        return await load(conn, {"grants": list(grants)})


async def test_a_past_award_is_kept_with_its_odd_identifier_normalised_beside_the_original(city: City) -> None:
    assert await loaded(city, a_grant()) == ImportResult(1, 0, [])
    (row,) = await city.stage.rows("select * from past_award")
    assert json.loads(row.pop("data")) == {
        "description": "For the library",
        "funder": {"id": "GB-CHC-299963", "name": "A funder"},
        "programmes": [],
    }
    del row["loaded_at"]
    assert row == {
        "grant_id": "360G-example-1",
        "organisation_id": "GB-CHC-1110522",
        "organisation_original": "GB-CHC-GB-CHC-1110522",
        "organisation_name": "A charity",
        "register": "GB-CHC",
        "title": "Tablets",
        "amount_pence": 2298_94,
        "award_date": date(2020, 4, 1),
        "geo_codes": ["E08000035"],
    }


async def test_bad_records_are_listed_by_row_and_field_and_good_ones_kept(city: City) -> None:
    result = await loaded(
        city,
        a_grant(id="1", amountAwarded=-1),
        a_grant(id="2"),
        a_grant(id="3", currency="USD"),
        a_grant(id="4", awardDate="20200401"),
        a_grant(id="5", recipientOrganization=[]),
        a_grant(id="6", recipientIndividual=[{"id": "x", "name": "A person"}]),
        a_grant(id="7", amountAwarded=1.005),
        a_grant(id="8", title="a\x00b"),
        a_grant(id="9", title="\ud800"),
        a_grant(id="10", recipientOrganization=[{"id": "GB-CHC-1110522"}]),
        a_grant(id="2"),
        "not a record",
        {},
        a_grant(id="14"),
    )
    assert (result.loaded, result.known) == (2, 0)
    assert [(bad.row, bad.field, bad.rule) for bad in result.bad if bad.row < 13] == [
        (1, "amountAwarded", "greater-than-equal"),
        (3, "currency", "literal-error"),
        (4, "awardDate", "value-error"),
        (5, "recipientOrganization", "too-short"),
        (6, "recipientIndividual", "none-required"),
        (7, "amountAwarded", "decimal-max-places"),
        (8, "title", "string-pattern-mismatch"),
        (9, "title", "string-unicode"),
        (10, "recipientOrganization.0.name", "missing"),
        (11, "id", "twice"),
        (12, "(record)", "model-type"),
    ]
    assert {bad.row for bad in result.bad} == {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
    assert "A person" not in str(result)
    assert await city.stage.rows("select grant_id from past_award order by 1") == [
        {"grant_id": "14"},
        {"grant_id": "2"},
    ]


async def test_empty_numbers_and_unknown_fields_do_not_spoil_a_record(city: City) -> None:
    recipient = {"id": "360G-x-1", "name": "A group", "charityNumber": "", "companyNumber": 7132758, "url": "x"}
    result = await loaded(city, a_grant(recipientOrganization=[recipient], colour="red"))
    assert not result.bad
    assert await city.stage.rows("select organisation_id from past_award") == [{"organisation_id": "GB-COH-07132758"}]


async def test_the_largest_record_that_is_taken_fits(city: City) -> None:
    worst = "\x01" * 500
    result = await loaded(
        city,
        a_grant(
            description="\x01" * 20_000,
            grantProgramme=[{"title": f"a{worst[:499]}"} for _ in range(20)],
            fundingOrganization=[{"id": "x" * 200, "name": f"a{worst[:499]}"}],
        ),
    )
    assert (result.loaded, list(result.bad)) == (1, [])


async def test_a_document_without_grants_is_said_to_be_one(city: City) -> None:
    documents: list[dict[str, Any]] = [{}, {"grants": None}, {"grants": {}}]
    async with city.stage.database.acquire() as conn:
        results = [await load(conn, document) for document in documents]
    assert [[(bad.row, bad.field) for bad in result.bad] for result in results] == [[(0, "grants")]] * 3


@pytest.mark.skipif(not REAL.exists(), reason="real data lies beside the project: ../shared/data/360giving")
async def test_the_96_real_grants_are_loaded_once_however_often_they_come(city: City) -> None:
    document = json.loads(REAL.read_text())  # noqa: ASYNC240 - nothing else runs in this test
    async with city.stage.database.acquire() as conn:
        assert await load(conn, document) == ImportResult(96, 0, [])
        before = await conn.fetch("select * from past_award order by grant_id")
        assert await load(conn, document) == ImportResult(0, 96, [])
        assert await conn.fetch("select * from past_award order by grant_id") == before
    assert sum(row["register"] is None for row in before) == 10
    assert sum(row["amount_pence"] for row in before) == round(
        sum(grant["amountAwarded"] * 100 for grant in document["grants"])
    )
