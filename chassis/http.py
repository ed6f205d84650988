"""The HTTP side of a service: problems (RFC 9457), keys, one door for partners, health, metrics, offline docs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from chassis.access import Access, Caller
from chassis.decode import SUBMISSION_ID, Prepare, is_submission_id, partner_event
from chassis.errors import Refused, field_errors, is_unavailable, refuse
from chassis.facts import Fact
from chassis.ids import uuid7
from chassis.logs import logger
from chassis.metrics import DEAD_LETTERS, DEGRADED, REGISTRY, REQUESTS
from chassis.postgres import Database
from chassis.relay import measure
from chassis.tokens import Tokens
from chassis.work import Worker
from contracts.message import Message
from contracts.refusal import FieldError, MessageRefused
from contracts.topics import MAX_RECORD_BYTES

log = logger("http")

PROBLEM_JSON = "application/problem+json"


class Problem(Exception):
    """A request that is answered with an RFC 9457 problem. The detail says what to do next."""

    def __init__(self, status: int, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors

    def response(self) -> JSONResponse:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [error.model_dump() for error in self.errors]
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(self.status)
        return JSONResponse(body, self.status, headers=headers, media_type=PROBLEM_JSON)


NOT_FOUND = Problem(404, "There is nothing here, or it is not yours.")


def _busy() -> Problem:
    return Problem(503, "The service cannot reach its database or Kafka. Nothing was changed: try again in a moment.")


async def caller(request: Request, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """Who presents the key of this request."""
    access: Access = request.app.state.access
    if not access.fresh:
        raise Problem(503, "The keys cannot be checked just now. Try again in a moment.")
    scheme, _, key = (authorization or "").partition(" ")
    known = access.caller(key) if scheme.lower() == "bearer" else None
    if known is None:
        raise Problem(401, "Send `Authorization: Bearer <key>` with a key that is live.")
    return known


def role(*roles: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets only these roles pass."""

    async def check(known: Annotated[Caller, Depends(caller)]) -> Caller:
        if known.role not in roles:
            raise Problem(403, f"This needs a key with the role {' or '.join(roles)}.")
        return known

    return check


Partner = Annotated[Caller, Depends(role("partner"))]
Staff = Annotated[Caller, Depends(role("staff"))]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key")]


def peer(service: str, tokens: Tokens, clock: Callable[[], datetime]) -> Callable[..., Awaitable[str]]:
    """A dependency that lets only other services pass, and names the one that asks."""

    async def check(authorization: Annotated[str | None, Header()] = None) -> str:
        scheme, _, token = (authorization or "").partition(" ")
        known = tokens.who(token, service, clock()) if scheme.lower() == "bearer" else None
        if known is None:
            raise Problem(401, "Send `Authorization: Bearer <token>` with a service token that is live.")
        return known

    return check


@dataclass(slots=True)
class Door:
    """Takes partners' messages over HTTP: the same bodies, checks and effects as over Kafka."""

    worker: Worker
    clock: Callable[[], datetime]
    prepare: Mapping[str, Prepare] = field(default_factory=dict)

    async def accept(
        self, request: Request, model: type[Message], partner: str, submission_id: str | None, **from_path: str | UUID
    ) -> BaseModel | None:
        """Does what a message asks and returns what its sender is told. Raises Problem where it is refused.

        `from_path` are fields that the address of the request names.
        """
        if submission_id is None:
            submission_id = str(uuid7(self.clock()))
        elif not is_submission_id(submission_id):
            raise Problem(400, "The Idempotency-Key cannot be used.", [SUBMISSION_ID])
        data = self._read(model, await _body(request), from_path)
        event = partner_event(partner, submission_id, data, model.spec.type, self.clock())
        outcome = await self.worker.request(event)
        told = next(
            (s.data for s in outcome.said if isinstance(s, Fact) and s.is_answer and s.cause.id == event.id), None
        )
        if isinstance(told, MessageRefused):
            raise Problem(_status(told), "The message had no effect.", told.errors)
        return told

    def _read(self, model: type[Message], body: bytes, from_path: Mapping[str, Any]) -> Message:
        kind = model.spec.type
        try:
            data = read_body(model, body, from_path)
            return self.prepare[kind](data) if kind in self.prepare else data
        except Refused as error:
            raise Problem(422, "The message had no effect.", error.errors) from None


def read_body(model: type[Message], body: bytes, from_path: Mapping[str, Any] | None = None) -> Any:
    """Validates a body as Kafka's door does. Raises Problem that names each field and rule."""
    try:
        if not from_path:
            return model.model_validate_json(body)
        sent = _AnyObject.model_validate_json(body or b"{}").model_extra or {}
        named = {name: str(value) for name, value in from_path.items()}
        return model.model_validate({**sent, **named}, strict=False)
    except ValidationError as error:
        errors = field_errors(error, model)
        status = 400 if errors[0].rule == "json-invalid" else 422
        raise Problem(status, "The message had no effect.", errors) from None


class _AnyObject(BaseModel, extra="allow"):
    """Any JSON object."""


def _status(refused: MessageRefused) -> int:
    """The status for a refusal by a handler: what is not theirs looks like what is not there."""
    rules = {error.rule for error in refused.errors}
    if "not-found" in rules:
        return 404
    return 409 if rules & {"same-id-other-body", "illegal-move", "over-budget"} else 422


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_RECORD_BYTES:
            raise Problem(413, f"A message has at most {MAX_RECORD_BYTES} bytes. Send less in one.")
    return bytes(body)


@dataclass(slots=True)
class Health:
    """What `/ready` looks at. Only Postgres makes a service unready: the rest is degraded, and said."""

    service: str
    database: Database

    async def ready(self) -> tuple[int, dict[str, Any]]:
        try:
            async with self.database.acquire(timeout=2) as conn:
                rows = await conn.fetch(
                    "select kind, count(*) as n from dead_letter where settled_at is null group by kind", timeout=2
                )
                await measure(conn)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return 503, {"service": self.service, "status": "unavailable", "reason": "no answer from Postgres"}
        letters = {row["kind"]: row["n"] for row in rows}
        for kind in ("unreadable", "unexpected", "parked"):
            DEAD_LETTERS.labels(kind=kind).set(letters.get(kind, 0))
        degraded = [s.labels["part"] for metric in DEGRADED.collect() for s in metric.samples if s.value]
        body = {
            "service": self.service,
            "status": "degraded" if degraded else "ok",
            "degraded": degraded,
            "unsent": int(REGISTRY.get_sample_value("furthest_outbox_unsent_rows") or 0),
            "unsent_age_seconds": round(REGISTRY.get_sample_value("furthest_outbox_age_seconds") or 0.0, 3),
            "lag": int(sum(s.value for m in REGISTRY.collect() if m.name == "furthest_lag_records" for s in m.samples)),
            "dead_letters": letters,
        }
        return 200, body


def build_app(title: str, access: Access, health: Health, routers: Sequence[APIRouter]) -> FastAPI:
    app: FastAPI = FastAPIOffline(title=f"Furthest First: {title}", version="1")
    app.state.access = access
    _add_probes(app, health)
    return _with_doors(app, routers)


def build_internal_app(routers: Sequence[APIRouter]) -> FastAPI:
    """The doors for other services."""
    return _with_doors(FastAPI(openapi_url=None), routers)


def _with_doors(app: FastAPI, routers: Sequence[APIRouter]) -> FastAPI:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.middleware("http")(_observe)
    for router in routers:
        app.include_router(router)
    return app


def _add_probes(app: FastAPI, health: Health) -> None:
    @app.get("/health", tags=["operations"])
    async def alive() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok"}

    @app.get("/ready", tags=["operations"])
    async def ready() -> JSONResponse:
        """503 without Postgres; else 200, with what is degraded."""
        status, body = await health.ready()
        return JSONResponse(body, status)

    @app.get("/metrics", tags=["operations"])
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _observe(request: Request, call_next: RequestResponseEndpoint) -> Response:
    try:
        response = await call_next(request)
    except Exception as error:
        if is_unavailable(error):
            log.warning("request_unavailable", error=type(error).__name__)
            response = _busy().response()
        else:
            log.error("request_failed", exc_info=error)
            response = Problem(500, "Something is wrong on our side. Nothing was changed.").response()
    route = request.scope.get("route")
    path = getattr(route, "path", "(none)")
    REQUESTS.labels(method=request.method, route=path, status=response.status_code).inc()
    return response


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
    return error.response()


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    return Problem(error.status_code, str(error.detail)).response()


async def _on_invalid(_request: Request, error: Exception) -> Response:
    """FastAPI's own text repeats the input; ours names field and rule."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    errors = [
        refuse(
            ".".join(str(part) for part in detail["loc"] if isinstance(part, str) and part.isidentifier()),
            str(detail["type"]).replace("_", "-"),
            f"{detail['msg']}.",
            "Correct the value.",
        )
        for detail in error.errors()[:20]
        if detail["type"] != "json_invalid"
    ]
    return Problem(422, "The request cannot be used.", errors).response()
