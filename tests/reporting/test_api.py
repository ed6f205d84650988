"""The public page, the public tables, and exact counts for staff, through the real app on a real database."""

import csv
import hashlib
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx2
import pyarrow as pa
import pytest
import pytest_asyncio
from pyarrow import parquet as pq
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded
from contracts.vocabulary import Role
from services.reporting.domain.measures import MEASURES
from tests.reporting.builders import ARMLEY, areas, moved, published, received
from tests.support import NOON, Clock, Stage


def _access(**keys: Role) -> Access:
    access = Access(
        KafkaSettings(bootstrap="", user="", password=SecretStr("")), "reporting", Clock(), read_to_the_end=True
    )
    access.heard_at = float("inf")
    for number, (key, role) in enumerate(keys.items()):
        digest = hashlib.sha256(key.encode()).hexdigest()
        access.keys[digest] = KeyAdded(
            key_id=UUID(int=number), sha256=digest, role=role, principal=key, expires_at=NOON + timedelta(days=1)
        )
    return access


@pytest_asyncio.fixture
async def client(on: Stage) -> AsyncIterator[httpx2.AsyncClient]:
    running = Running("reporting", on.database, on.worker, Door(on.worker, on.clock), on.clock)
    app = build_app(
        "reporting",
        _access(staffkey="staff", partnerkey="partner"),
        Health("reporting", on.database),
        on.service.routers(running),
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://reporting") as client:
        yield client


async def _some(on: Stage) -> None:
    await on.hear(areas(E05011400="Gipton & Harehills", E05011387="Armley <b>"))
    await on.hear(*(received(number, ("device", "champion")) for number in range(1, 14)), received(14, area=ARMLEY))
    await on.hear(*(moved(number, "on-hold") for number in range(1, 10)), moved(10, "completed"))
    await published(on)


async def test_every_table_is_read_page_by_page(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    seen, after = [], ""
    while after is not None:
        body = (await client.get("/v1/metrics", params={"limit": 3, "after": after})).json()
        seen += [metric["name"] for metric in body["metrics"]]
        after = body["next"]
    assert len(seen) > 10
    assert seen == sorted(set(seen))


async def test_one_table_is_read_and_some_rows_of_it(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    body = (await client.get("/v1/metrics/waiting?by=kind")).json()
    told = {cell["codes"][0]: cell["value"] for cell in body["cells"]}
    assert told == {"device": 15, "connectivity": 0, "skills": 0, "champion": 15}
    rows = (await client.get("/v1/metrics/waiting?by=kind,ward&ward=E05011387&kind=device")).json()["cells"]
    assert [(cell["codes"], cell["hidden"]) for cell in rows] == [(["device", ARMLEY], "small")]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/v1/metrics/needs-by-shoe-size", 404, "There is no such measure. There are referrals, needs"),
        ("/v1/metrics/waiting?period=2019-01", 404, "There is no such period of waiting. There are now."),
        ("/v1/metrics/waiting?by=ward", 422, "would be mostly hidden, or disclose small numbers"),
        ("/v1/metrics/waiting?by=kind&ward=E05011387", 422, "This table does not count by ward"),
        ("/v1/metrics/waiting?by=kind&kind=shoe", 422, "No row has that. There are kind: champion, connectivity"),
        ("/v1/metrics/waiting?colour=red", 422, "One of the filters is not known here"),
        ("/v1/metrics/outcomes", 404, "Nothing was published yet of outcomes"),
        ("/v1/metrics?after=zzzz", 404, "There is no page after this"),
        ("/v1/metrics?limit=0", 422, "cannot be used"),
        ("/v1/metrics?measure=shoe", 404, "There is no such measure"),
        ("/v1/data.csv?period=2019-01", 404, "Periods are month-so-far, now"),
        ("/v1/data.csv?period=%00", 422, "cannot be used"),
        ("/v1/metrics?after=%00", 422, "cannot be used"),
        ("/v1/metrics/waiting?by=kind&kind=device&kind=skills", 422, "One of the filters is there twice"),
        ("/v1/dictionary?measure=waiting", 422, "One of the filters is not known here. There are none."),
    ],
)
async def test_what_is_not_there_is_refused_in_plain_words(
    on: Stage, client: httpx2.AsyncClient, path: str, status: int, says: str
) -> None:
    await _some(on)
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert "shoe" not in answer.text


async def test_who_has_the_newest_is_told_so(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    etag = (await client.get("/v1/metrics/waiting")).headers["etag"]
    again = await client.get("/v1/metrics/waiting", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    await on.hear(*(received(number) for number in range(20, 40)))
    await published(on)
    assert (await client.get("/v1/metrics/waiting", headers={"If-None-Match": etag})).status_code == 200
    refused = await client.get("/v1/metrics/waiting", headers={"If-None-Match": "yesterday"})
    assert (refused.status_code, "ETag" in refused.json()["detail"]) == (400, True)


async def test_files_hold_what_the_tables_say_and_the_dictionary_every_column(
    on: Stage, client: httpx2.AsyncClient
) -> None:
    await _some(on)
    rows = list(csv.DictReader(io.StringIO((await client.get("/v1/data.csv")).text)))
    table = pq.read_table(pa.BufferReader((await client.get("/v1/data.parquet")).content)).to_pylist()
    assert len(rows) == len(table) > 100
    (one,) = [r for r in rows if (r["measure"], r["by"], r["kind"]) == ("waiting", "kind", "device")]
    assert (one["value"], one["hidden"], one["unit"], one["final"]) == ("15", "", "people", "False")
    explained = csv.DictReader(io.StringIO((await client.get("/v1/dictionary.csv")).text))
    named = {(row["what"], row["name"]) for row in explained}
    assert {("column", name) for name in rows[0]} | {("measure", m.name) for m in MEASURES} <= named
    explained_too = await client.get("/v1/dictionary")
    assert len(explained_too.json()["dictionary"]) == len(named)
    again = await client.get("/v1/dictionary", headers={"If-None-Match": explained_too.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/", "/funders", "/scrutiny", "/measures"])
async def test_pages_say_so_when_nothing_was_published(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert "There are no numbers yet" in answer.text


@pytest.mark.parametrize("path", ["/", "/funders", "/scrutiny", "/measures"])
async def test_pages_tell_numbers_in_words_and_no_small_one(on: Stage, client: httpx2.AsyncClient, path: str) -> None:
    """13 people in one ward and 1 in another: neither 13 nor 1, nor their sum, is said."""
    await _some(on)
    answer = await client.get(path)
    numbers = re.findall(r'class="(?:govuk-table__cell[^"]*|ff-number)">([\d,]+)<', answer.text)
    assert all(int(number.replace(",", "")) % 5 == 0 for number in numbers)
    assert "Published on 20 November 2026" in answer.text
    assert "Armley <b>" not in answer.text


async def test_the_dashboard_names_wards_and_kinds(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    text = (await client.get("/")).text
    for said in ("Gipton &amp; Harehills", "Armley &lt;b&gt;", "A Digital Champion", "1 to 7", "About 30 waits"):
        assert said in text


async def test_what_is_mostly_hidden_names_what_tells_more_and_pages_show_that(
    on: Stage, client: httpx2.AsyncClient
) -> None:
    """4 people in each of two wards: their numbers are hidden, and those of larger areas are not."""
    await on.hear(areas(E05011400="Gipton & Harehills", E05011387="Armley"))
    await on.hear(
        *(received(number) for number in range(4)), *(received(number, area=ARMLEY) for number in range(4, 8))
    )
    await published(on)
    wards = (await client.get("/v1/metrics/waiting?by=kind,ward")).json()
    assert wards["larger"] == ["waiting/now/kind-by-committee", "waiting/now/kind"]
    assert (await client.get("/v1/metrics/waiting?by=kind")).json()["larger"] == []
    text = (await client.get("/")).text
    assert "Most wards have so few people waiting that their numbers are hidden" in text
    measures = (await client.get("/measures")).text
    assert '<a class="govuk-link" href="/v1/metrics/waiting?period=now&amp;by=kind">as it stands</a>' in measures
    assert "as it stands (mostly hidden)" in measures


async def test_a_page_runs_no_script_and_asks_nobody_else(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    answer = await client.get("/")
    assert "default-src 'none'; style-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|<img|style=|https?:|@import", answer.text)
    (style,) = re.findall(r'<link rel="stylesheet" href="(/assets/[^"]+)">', answer.text)
    sheet = await client.get(style)
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in sheet.text


async def test_staff_read_exact_counts_and_that_is_written_down(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    body = (await client.get("/v1/counts", headers={"Authorization": "Bearer staffkey"})).json()
    assert body["for_publication"] is False
    assert body["counts"]["referrals"] == {"open": 14}
    assert body["counts"]["needs"] == {"completed": 1, "on-hold": 9, "requested": 17}
    assert await on.rows("select who, what from staff_view") == [{"who": "staffkey", "what": "counts"}]


async def test_staff_read_what_happened_by_the_days_and_weeks_of_london(on: Stage, client: httpx2.AsyncClient) -> None:
    late_on_sunday = NOON.replace(day=15, hour=23, minute=30)
    await on.hear(received(1, received_at=NOON), received(2, received_at=late_on_sunday))
    days = {"first": "2026-11-01", "last": "2026-11-30"}
    auth = {"Authorization": "Bearer staffkey"}
    by_day = (await client.get("/v1/counts/by-day", params=days, headers=auth)).json()["counts"]
    assert by_day == {"referred": {"2026-11-15": 1, "2026-11-20": 1}}
    by_week = (await client.get("/v1/counts/by-week", params=days, headers=auth)).json()["counts"]
    assert by_week == {"referred": {"2026-11-09": 1, "2026-11-16": 1}}
    assert await on.rows("select what from staff_view") == [{"what": "counts by day"}, {"what": "counts by week"}]


@pytest.mark.parametrize(("first", "last"), [("2026-11-02", "2026-11-01"), ("2020-01-01", "9999-12-31")])
async def test_staff_are_told_which_days_they_may_ask_for(client: httpx2.AsyncClient, first: str, last: str) -> None:
    auth, days = {"Authorization": "Bearer staffkey"}, {"first": first, "last": last}
    wrong = await client.get("/v1/counts/by-day", params=days, headers=auth)
    assert (wrong.status_code, "a day before" in wrong.json()["detail"]) == (422, True)
    days = {"first": "9999-12-30", "last": "9999-12-31"}
    assert (await client.get("/v1/counts/by-day", params=days, headers=auth)).json()["counts"] == {}


@pytest.mark.parametrize(("key", "status"), [("partnerkey", 403), ("unknown", 401), ("", 401)])
async def test_nobody_else_reads_exact_counts(client: httpx2.AsyncClient, key: str, status: int) -> None:
    answer = await client.get("/v1/counts", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert "referrals" not in answer.text
