"""The door for messages over HTTP: the same bodies, checks and effects as over Kafka."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ValidationError

from chassis.decode import SUBMISSION_ID, Prepare, is_submission_id, partner_event
from chassis.errors import Refused, field_errors
from chassis.facts import Fact
from chassis.http import Problem, schema_of
from chassis.ids import uuid7
from chassis.work import Worker
from contracts.message import Message
from contracts.refusal import MessageRefused
from contracts.topics import MAX_RECORD_BYTES

B = TypeVar("B", bound=BaseModel)


@dataclass(slots=True)
class Door:
    """Takes messages over HTTP."""

    worker: Worker
    clock: Callable[[], datetime]
    prepare: Mapping[str, Prepare] = field(default_factory=dict)

    async def accept(
        self, request: Request, model: type[Message], partner: str, submission_id: str | None, **known: str | UUID
    ) -> BaseModel | None:
        """Does what a message asks and returns what its sender is told. Raises Problem where it is refused.

        `known` are fields that the address or the key tells: a body cannot say otherwise.
        """
        if submission_id is None:
            submission_id = str(uuid7(self.clock()))
        elif not is_submission_id(submission_id):
            raise Problem(400, "The Idempotency-Key cannot be used.", [SUBMISSION_ID])
        data = self._read(model, await body_at_most(request), known)
        event = partner_event(partner, submission_id, data, model.spec.type, self.clock())
        outcome = await self.worker.request(event)
        told = next(
            (s.data for s in outcome.said if isinstance(s, Fact) and s.is_answer and s.cause.id == event.id), None
        )
        if isinstance(told, MessageRefused):
            raise Problem(_status(told), "The message had no effect.", told.errors)
        return told

    def _read(self, model: type[Message], body: bytes, known: Mapping[str, Any]) -> Message:
        kind = model.spec.type
        try:
            data = read_body(model, body, known)
            return self.prepare[kind](data) if kind in self.prepare else data
        except Refused as error:
            raise Problem(422, "The message had no effect.", error.errors) from None


def read_body(model: type[BaseModel], body: bytes, known: Mapping[str, Any]) -> Any:
    """Validates a body as Kafka's door does. Raises Problem that names each field and rule."""
    try:
        if not known:
            return model.model_validate_json(body)
        sent = _AnyObject.model_validate_json(body or b"{}").model_extra or {}
        named = {name: str(value) for name, value in known.items()}
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
    return 409 if rules & {"same-id-other-body", "erased", "illegal-move", "over-budget"} else 422


async def read(request: Request, model: type[B]) -> B:
    """The body of a request that is no message: checked in the same way, and bounded. Raises Problem."""
    body: B = read_body(model, await body_at_most(request), {})
    return body


async def body_at_most(
    request: Request,
    limit: int = MAX_RECORD_BYTES,
    else_say: str = f"A message has at most {MAX_RECORD_BYTES} bytes. Send less in one.",
) -> bytes:
    """Raises Problem as soon as it is more."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, else_say)
    return bytes(body)


def body_of(model: type[BaseModel], *known: str) -> dict[str, Any]:
    """What the docs show of a body that a `Door` reads: all but what is `known` from the address or the key."""
    schema = schema_of(model)
    schema["properties"] = {name: part for name, part in schema["properties"].items() if name not in known}
    schema["required"] = [name for name in schema.get("required", ()) if name not in known]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
