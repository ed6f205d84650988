"""The HTTP side of a service: problems (RFC 9457), keys, health, metrics, offline docs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from chassis.access import Access, Caller
from chassis.errors import is_unavailable, told
from chassis.logs import logger
from chassis.metrics import DEAD_LETTERS, DEGRADED, REGISTRY, REQUESTS
from chassis.postgres import Database
from chassis.relay import measure
from chassis.settings import SAFEGUARDING
from chassis.tokens import Tokens
from contracts.refusal import FieldError

log = logger("http")

PROBLEM_JSON = "application/problem+json"

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="The `api_key` that you were handed.")),
]


class ProblemDetails(BaseModel):
    """Why a request was refused (RFC 9457), and what to do next. It repeats nothing of the request."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Problem(Exception):
    """A request that is answered with an RFC 9457 problem. The detail says what to do next."""

    def __init__(self, status: int, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors

    def response(self) -> JSONResponse:
        title, errors = HTTPStatus(self.status).phrase, list(self.errors)
        body = ProblemDetails(type="about:blank", title=title, status=self.status, detail=self.detail, errors=errors)
        headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(self.status)
        content = body.model_dump(exclude_defaults=True)
        return JSONResponse(content, self.status, headers=headers, media_type=PROBLEM_JSON)


NOT_FOUND = Problem(404, "There is nothing here, or it is not yours.")


def _busy() -> Problem:
    return Problem(503, "The service cannot reach its database or Kafka. Nothing was changed: try again in a moment.")


async def caller(request: Request, shown: Bearer) -> Caller:
    """Who presents the key of this request."""
    access: Access = request.app.state.access
    if not access.fresh:
        raise Problem(503, "The keys cannot be checked just now. Try again in a moment.")
    known = access.caller(shown.credentials) if shown else None
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

    async def check(shown: Bearer) -> str:
        known = tokens.who(shown.credentials, service, clock()) if shown else None
        if known is None:
            raise Problem(401, "Send `Authorization: Bearer <token>` with a service token that is live.")
        return known

    return check


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


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A JSON schema that stands by itself: the document that it is put into has other definitions."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(each) for each in part]
        if not isinstance(part, dict):
            return part
        named = parts[part["$ref"].rpartition("/")[2]] if "$ref" in part else {}
        return {name: inlined(each) for name, each in {**named, **part}.items() if name != "$ref"}

    whole: dict[str, Any] = inlined(schema)
    return whole


_REFUSED: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "The request had no effect.",
        "content": {PROBLEM_JSON: {"schema": schema_of(ProblemDetails)}},
    }
}


NO_PLACE_TO_REPORT: Final = "This is not a place to report that somebody is not safe: nobody may read it in time."


def build_app(
    title: str, access: Access, health: Health, routers: Sequence[APIRouter], safeguarding: str = SAFEGUARDING
) -> FastAPI:
    app: FastAPI = FastAPIOffline(
        title=f"Furthest First: {title}",
        version="1",
        description=f"{NO_PLACE_TO_REPORT} {safeguarding}",
        responses=_REFUSED,
    )
    app.state.access = access
    _add_probes(app, health)

    @app.get("/v1/safeguarding", tags=["public"])
    async def where_to_report() -> dict[str, str]:
        """Where a worry about somebody's safety goes."""
        return {"not_here": NO_PLACE_TO_REPORT, "route": safeguarding}

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
    response.headers.setdefault("Cache-Control", "no-store")
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
    details = error.errors()
    ours = frozenset(
        str(part)
        for detail in details
        for part in (detail["loc"][:-1] if detail["type"] == "extra_forbidden" else detail["loc"])
    )
    return Problem(422, "The request cannot be used.", told(details, ours)).response()
