"""A stand-in for GOV.UK Notify, which the real client drives: its answers, statuses and callbacks."""

import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from deploy.embedded.ports import free_port
from tests.notifications.standins import served

SERVICE, SECRET = "26785a09-ab16-4eb0-8407-a37497a57506", "3d844edf-8d35-48ac-975b-e847b4f122b0"
API_KEY = f"test-{SERVICE}-{SECRET}"
CALLBACK_TOKEN = "notify-says-so"
UNDERWAY = {"created", "sending", "pending", "sent", "pending-virus-check"}


def error(status: int, rule: str, message: str) -> JSONResponse:
    return JSONResponse({"status_code": status, "errors": [{"error": rule, "message": message}]}, status)


REFUSALS = {
    "no-such-number": (400, "ValidationError", "phone_number Not a valid phone number"),
    "trial": (403, "BadRequestError", "this service is in trial mode"),
    "rate": (429, "RateLimitError", "Exceeded rate limit for key type live of 3000 requests per 60 seconds"),
    "daily": (429, "TooManyRequestsError", "Exceeded send limits (250,000) for today"),
    "broken": (500, "Exception", "Internal server error"),
}


@dataclass
class StandInNotify:
    """Keeps what it takes. `answers` says by address how it misbehaves: a refusal, `hangs_up`, `takes_and_hangs_up`."""

    port: int = field(default_factory=free_port)
    answers: dict[str, str] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def references(self) -> list[str]:
        return [each["reference"] for each in self.kept]

    def how(self, to: str, reference: str) -> str:
        return self.answers.get(to, "")

    def callback(self, reference: str, status: str) -> dict[str, Any]:
        """What Notify would send of a message, with the address as it does."""
        kept = next(each for each in self.kept if each["reference"] == reference)
        if kept["status"] in UNDERWAY:
            kept["status"] = status
        return {
            "id": kept["id"],
            "reference": reference,
            "to": kept["to"],
            "status": status,
            "created_at": "2026-11-20T12:00:00.000000Z",
            "completed_at": "2026-11-20T12:00:02.000000Z",
            "sent_at": "2026-11-20T12:00:01.000000Z",
            "notification_type": kept["type"],
            "template_id": str(uuid4()),
            "template_version": 1,
        }

    async def send(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        sent, kind = await request.json(), request.path_params["kind"]
        to = sent.get("email_address") or sent.get("phone_number") or "letter"
        how = self.how(to, sent["reference"])
        if how in REFUSALS:
            return error(*REFUSALS[how])
        if how != "hangs_up":
            self._keep(kind, to, sent)
        if how in {"hangs_up", "takes_and_hangs_up"}:
            return StreamingResponse(_hang_up(), 201, {"content-type": "application/json", "content-length": "1000"})
        return JSONResponse({"id": self.kept[-1]["id"], "reference": sent["reference"], "content": {}}, 201)

    def _keep(self, kind: str, to: str, sent: dict[str, Any]) -> None:
        status = "pending-virus-check" if kind == "letter" else "created"
        words = sent.get("personalisation", {})
        pdf = base64.b64decode(sent.get("content", ""))
        self.kept.append(
            {"id": str(uuid4()), "reference": sent["reference"], "type": kind, "status": status, "to": to}
            | {"words": words, "pdf": pdf, "email_address": to if kind == "email" else None}
        )

    async def find(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        reference = request.query_params["reference"]
        self.asked.append(reference)
        names = ("id", "reference", "type", "status", "email_address")
        found = [{name: each[name] for name in names} for each in self.kept if each["reference"] == reference]
        return JSONResponse({"notifications": found, "links": {"current": "/v2/notifications"}})

    def _refused(self, request: Request) -> Response | None:
        if self.is_down:
            return JSONResponse({}, 503)
        token = request.headers["authorization"].removeprefix("Bearer ")
        if jwt.decode(token, SECRET, algorithms=["HS256"])["iss"] != SERVICE:
            return error(403, "AuthError", "Invalid token: API key not found")
        return None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        send = Route("/v2/notifications/{kind}", self.send, methods=["POST"])
        find = Route("/v2/notifications", self.find, methods=["GET"])
        async with served(Starlette(routes=[send, find]), self.port):
            yield self


async def _hang_up() -> AsyncIterator[bytes]:
    yield b"{"
    raise ConnectionAbortedError
