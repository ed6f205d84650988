"""What organisations attach to a draft. It is in no event, and goes nowhere but to who may read the application."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from chassis.access import Caller
from chassis.door import body_at_most
from chassis.http import NOT_FOUND, Problem
from chassis.postgres import Conn
from chassis.service import Running
from services.grants.api.shapes import Anybody, Applicant, FileLine
from services.grants.domain.attachments import AT_MOST, AT_MOST_BYTES, TOO_LARGE, TOO_MANY, media_type_of
from services.grants.domain.organisation import known_as
from services.grants.store import Store, views

BYTES: Final = {"type": "string", "format": "binary"}
SAFE: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}


def add(router: APIRouter, running: Running) -> None:
    @router.put(
        "/applications/{application_id}/attachments/{file}",
        openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BYTES}}}},
    )
    async def attach(request: Request, application_id: UUID, file: str, applicant: Applicant) -> FileLine:
        """Attaches a file to a draft, or puts it in the place of the one with that name: at most 5, of 5 MiB each."""
        content = await body_at_most(request, AT_MOST_BYTES, TOO_LARGE.message)
        media_type = media_type_of(file, content)
        if not isinstance(media_type, str):
            raise Problem(422, "The file was not attached.", [media_type])
        async with running.database.acquire() as conn, conn.transaction():
            store, at = Store(conn), running.clock()
            draft = (await store.applications.drafts([application_id])).get(application_id)
            if draft is None or draft.organisation_id != known_as(applicant.principal):
                raise NOT_FOUND
            if not await store.applications.attach(application_id, file, media_type, content, at, AT_MOST):
                raise Problem(422, "The file was not attached.", [TOO_MANY])
        return FileLine(name=file, media_type=media_type, bytes=len(content), at=at)

    @router.get("/applications/{application_id}/attachments/{file}", response_class=Response)
    async def get_attachment(application_id: UUID, file: str, caller: Anybody) -> Response:
        """A file, for who may read the application. Browsers are told to save it, never to run it."""
        async with running.database.acquire() as conn:
            if not await _may_read(conn, application_id, caller):
                raise NOT_FOUND
            found = await views.attachment(conn, application_id, file)
        if found is None:
            raise NOT_FOUND
        headers = {**SAFE, "Content-Disposition": f'attachment; filename="{file}"'}
        return Response(found["content"], media_type=found["media_type"], headers=headers)


async def _may_read(conn: Conn, application_id: UUID, caller: Caller) -> bool:
    if caller.role == "assessor":
        return bool(await views.assigned_to(conn, caller.principal, application_id))
    found = await views.application(conn, application_id) or await views.draft(conn, application_id)
    if found is None:
        return False
    return caller.role != "applicant" or bool(found["organisation_id"] == known_as(caller.principal))
