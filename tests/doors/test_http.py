"""Every door over HTTP takes whatever anybody may send: it is done, or refused as a problem, and nothing breaks."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from chassis.http import PROBLEM_JSON
from contracts.message import SERVICES
from tests.deployment import Deployment
from tests.doors.bodies import MARK, TIMES, bytes_of, drawn, whole
from tests.doors.conftest import Tried, lives_on

schemathesis.serializer.alias("message/rfc822", "text/plain")

ROLES = ("nobody", "partner", "applicant", "staff")
CASES = 3 * TIMES
BODIES = 30 * TIMES
PAGE = "text/html; charset=utf-8"
FOR_PEOPLE = ("/l/", "/status")
"""What people open in a browser says in a page what is wrong."""


def assert_in_order(status: int, content_type: str, body: bytes, door: str) -> None:
    """Done, or refused as a problem that says what to do next, and repeats nothing of what was sent."""
    assert status < 500, door
    assert MARK.encode() not in body, door
    if status >= 400:
        assert content_type in {PROBLEM_JSON, *([PAGE] if any(page in door for page in FOR_PEOPLE) else [])}, door


@pytest.fixture(scope="module")
def documents(deployment: Deployment) -> dict[str, Any]:
    return {service: httpx2.get(f"{deployment.url(service)}/openapi.json", timeout=60).json() for service in SERVICES}


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("service", SERVICES)
def test_what_a_door_documents_and_what_it_forbids_is_done_or_refused(
    deployment: Deployment, tried: Tried, documents: dict[str, Any], service: str, who: str
) -> None:
    schema, key = schemathesis.openapi.from_dict(documents[service]), {"Authorization": f"Bearer {tried.keys[who]}"}
    for operation in (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)):
        modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        for case in drawn(st.one_of(modes), CASES):
            answer = case.call(deployment.url(service), headers=key)
            kind = answer.headers.get("content-type", [""])[0]
            assert_in_order(answer.status_code, kind, answer.content, operation.label)


def with_body(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The method, the path and the schema of each door that takes a message."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if message := content.get("application/json"):
                yield method, path, message["schema"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_body_is_taken_or_refused_wherever_it_is_broken(
    deployment: Deployment, tried: Tried, documents: dict[str, Any], service: str
) -> None:
    for method, path, schema in with_body(documents[service]):
        with httpx2.Client(base_url=deployment.url(service), timeout=60) as client:
            bodies = drawn(bytes_of(whole(schema, tried.known)), BODIES)
            for number, (who, body) in enumerate(product(("partner", "staff", "applicant"), bodies)):
                heads = {"Authorization": f"Bearer {tried.keys[who]}", "Idempotency-Key": f"body-{number}"}
                answer = client.request(method, tried.address(path), content=body, headers=heads)
                assert_in_order(answer.status_code, answer.headers["content-type"], answer.content, f"{method} {path}")


STRANGE_HEADERS: tuple[dict[str, str | bytes], ...] = (
    {"Authorization": "Bearer"},
    {"Authorization": "Basic bm9ib2R5Og=="},
    {"Authorization": b"Bearer \xff\xfe"},
    {"Authorization": "Bearer " + "x" * 20_000},
    {"Idempotency-Key": f"{MARK} {MARK}"},
    {"Idempotency-Key": b"\xff"},
    {"Idempotency-Key": "x" * 65},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "text/plain; charset=utf-16"},
    {"Content-Encoding": "gzip"},
    {"Accept": MARK},
    {"X-Forwarded-For": MARK, "Host": "elsewhere.example"},
)


@pytest.mark.parametrize("service", SERVICES)
def test_no_method_and_no_header_breaks_a_door(
    deployment: Deployment, tried: Tried, documents: dict[str, Any], service: str
) -> None:
    doors = product(("get", "put", "post", "delete", "patch", "head", "trace"), documents[service]["paths"])
    with httpx2.Client(base_url=deployment.url(service), timeout=60) as client:
        for method, path in doors:
            for strange in STRANGE_HEADERS:
                key = {"Authorization": f"Bearer {tried.keys['partner']}"}
                heads: dict[Any, Any] = {**key, **strange}
                answer = client.request(method, tried.address(path), content=b"{}", headers=heads)
                kind = answer.headers.get("content-type", "")
                assert_in_order(answer.status_code, kind, answer.content, f"{method} {path} {list(strange)}")


async def test_after_all_of_this_somebody_is_referred(
    deployment: Deployment, tried: Tried, processes: dict[str, int]
) -> None:
    await lives_on(deployment, tried, processes)
