"""What every door does: it documents itself truly, refuses with a problem, and lets nobody keep an answer."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from pydantic import BaseModel, SecretStr

from chassis.access import Access
from chassis.door import body_of
from chassis.http import PROBLEM_JSON, Health, Staff, build_app
from chassis.settings import KafkaSettings
from contracts.message import MESSAGES
from contracts.vocabulary import Code

NO_KAFKA = KafkaSettings(bootstrap="", user="", password=SecretStr(""))


class Inner(BaseModel):
    name: Code


class Outer(BaseModel):
    known: str
    first: Inner
    others: list[Inner] = []


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    router = APIRouter()

    @router.put("/things/{known}", openapi_extra=body_of(Outer, "known"))
    async def put(known: Code, _staff: Staff) -> None: ...

    access = Access(NO_KAFKA, "toy", lambda: datetime.now(UTC), read_to_the_end=True, heard_at=float("inf"))
    app = build_app("toy", access, Health("toy", None), [router])  # type: ignore[arg-type]  # nothing here asks for it
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://toy") as client:
        yield client


async def operation(http: httpx2.AsyncClient) -> dict[str, Any]:
    document = (await http.get("/openapi.json")).json()
    described: dict[str, Any] = document["paths"]["/things/{known}"]["put"]
    return described


async def test_a_body_is_documented_without_what_the_address_tells(http: httpx2.AsyncClient) -> None:
    schema = (await operation(http))["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["first"]
    assert set(schema["properties"]) == {"first", "others"}
    assert schema["properties"]["others"]["items"]["properties"]["name"]["pattern"]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_documented_body_refers_to_nothing_outside_itself(name: str) -> None:
    assert "$ref" not in json.dumps(body_of(MESSAGES[name]))


async def test_every_door_documents_how_it_refuses_and_what_key_it_wants(http: httpx2.AsyncClient) -> None:
    described = await operation(http)
    assert list(described["responses"]["default"]["content"]) == [PROBLEM_JSON]
    assert "422" not in described["responses"]
    assert described["security"] == [{"HTTPBearer": []}]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("PUT", "/things/a", 401), ("GET", "/things/a", 405), ("GET", "/nowhere", 404)]
)
async def test_a_refusal_is_a_problem_that_nobody_keeps(
    http: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["status"] == status


async def test_an_answer_says_that_nobody_should_keep_it(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/health")).headers["cache-control"] == "no-store"
