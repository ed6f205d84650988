"""What every door does: it documents itself truly, refuses with a problem, and lets nobody keep an answer."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel, SecretStr, create_model

from chassis.access import Access
from chassis.door import body_of, read
from chassis.http import PROBLEM_JSON, Health, Staff, build_app
from chassis.settings import KafkaSettings
from contracts.message import MESSAGES, Part
from contracts.topics import MAX_RECORD_BYTES
from contracts.vocabulary import Code

NO_KAFKA = KafkaSettings(bootstrap="", user="", password=SecretStr(""))


FOREIGN = create_model("Foreign", __base__=Part, Quillfeather=(int, 0))


class Inner(BaseModel, extra="forbid"):
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

    @router.post("/things", openapi_extra=body_of(Inner))
    async def post(request: Request) -> Inner:
        return await read(request, Inner)

    @router.post("/framework")
    async def framework(limit: int, inner: Inner) -> None: ...

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


@pytest.mark.parametrize(
    ("body", "status", "field", "rule"),
    [
        (b'{"name": "a", "Quillfeather": 1}', 422, "(unknown field)", "unknown-field"),
        (b'{"name": "Quillfeather Quillfeather"}', 422, "name", "string-pattern-mismatch"),
        (b"{", 400, "(message)", "json-invalid"),
        (b"[" * 50_000, 400, "(message)", "json-invalid"),
        (b'{"name": "\xff"}', 400, "(message)", "json-invalid"),
    ],
)
async def test_a_body_that_is_no_message_is_refused_by_field_and_rule_and_not_repeated(
    http: httpx2.AsyncClient, body: bytes, status: int, field: str, rule: str
) -> None:
    answer = await http.post("/things", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["rule"]) == (field, rule)
    assert "Quillfeather" not in answer.text


async def test_a_body_that_is_no_message_is_bounded_too(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/things", content=b" " * (MAX_RECORD_BYTES + 1))).status_code == 413


async def test_what_the_framework_refuses_names_no_field_of_the_sender(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/framework?limit=x", json={"name": "a", "Quillfeather": 1})
    assert {error["field"] for error in answer.json()["errors"]} == {"query.limit", "body.(unknown field)"}
