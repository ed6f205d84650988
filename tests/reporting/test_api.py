"""The public page, the public tables, and exact counts for staff, through the real app on a real database."""

import hashlib
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running, Service
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded
from contracts.vocabulary import Role
from services.reporting.domain.measures import MEASURES, name_of
from services.reporting.handlers.publishing import PublishMetrics
from tests.reporting.builders import ARMLEY, areas, moved, received, reporting
from tests.support import NOON, Clock, Stage

Put = Callable[[Service], Awaitable[Stage]]


def _access(**keys: Role) -> Access:
    access = Access(
        KafkaSettings(bootstrap="", user="", password=SecretStr("")), "reporting", Clock(), read_to_the_end=True
    )
    access.heard_at = time.monotonic()
    for number, (key, role) in enumerate(keys.items()):
        digest = hashlib.sha256(key.encode()).hexdigest()
        access.keys[digest] = KeyAdded(
            key_id=UUID(int=number), sha256=digest, role=role, principal=key, expires_at=NOON + timedelta(days=1)
        )
    return access


@pytest_asyncio.fixture
async def on(stage: Put) -> Stage:
    return await stage(reporting())


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
    await on.result(PublishMetrics(names=[name_of(measure) for measure in MEASURES]))


async def test_every_table_is_read_with_the_time_of_its_last_change(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    body = (await client.get("/v1/metrics")).json()
    assert [metric["name"] for metric in body["metrics"]] == sorted(name_of(measure) for measure in MEASURES)
    assert {metric["as_of"] for metric in body["metrics"]} == {"2026-11-20T12:00:00Z"}


async def test_one_table_is_read_by_its_measure(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    body = (await client.get("/v1/metrics/needs-by-kind")).json()
    assert [(cell["kind"], cell["count"]) for cell in body["cells"]] == [
        ("device", 15),
        ("connectivity", 0),
        ("skills", 0),
        ("champion", 15),
    ]


async def test_an_unknown_measure_is_answered_with_those_there_are(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/metrics/needs-by-shoe-size")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(measure in answer.json()["detail"] for measure in MEASURES)
    assert "shoe" not in answer.text


async def test_a_measure_that_was_never_counted_is_no_empty_success(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/metrics/needs-by-kind")
    assert answer.status_code == 404
    assert "Nothing was counted yet" in answer.json()["detail"]


async def test_the_page_tells_numbers_in_words_and_names_wards(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    page = (await client.get("/")).text
    assert "Gipton &amp; Harehills" in page
    assert "1 to 7 people" in page
    assert "20 November 2026 at 12:00" in page
    assert "A Digital Champion" in page


async def test_a_small_number_stands_nowhere_on_the_page(on: Stage, client: httpx2.AsyncClient) -> None:
    """13 people in one ward and 1 in another: neither 13 nor 1, nor their sum, is said."""
    await _some(on)
    page = (await client.get("/")).text
    numbers = re.findall(r'class="(?:count|number)">([\d,]+)<', page)
    assert len(numbers) > 10
    assert all(int(number.replace(",", "")) % 5 == 0 for number in numbers)


async def test_text_of_others_is_escaped(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    assert "Armley &lt;b&gt;" in (await client.get("/")).text


async def test_the_page_runs_no_script_and_asks_nobody_else(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    answer = await client.get("/")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style
    digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<link|<img|style=|https?:|url\(|@import", answer.text)


async def test_the_page_says_so_when_nothing_was_counted(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    assert "There are no numbers yet" in answer.text


async def test_staff_read_exact_counts(on: Stage, client: httpx2.AsyncClient) -> None:
    await _some(on)
    body = (await client.get("/v1/counts", headers={"Authorization": "Bearer staffkey"})).json()
    assert body["for_publication"] is False
    assert body["counts"]["referrals"] == {"open": 14}
    assert body["counts"]["needs"] == {"completed": 1, "on-hold": 9, "requested": 17}


@pytest.mark.parametrize(("key", "status"), [("partnerkey", 403), ("unknown", 401), ("", 401)])
async def test_nobody_else_reads_exact_counts(client: httpx2.AsyncClient, key: str, status: int) -> None:
    answer = await client.get("/v1/counts", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert "referrals" not in answer.text
