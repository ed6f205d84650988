"""The call tasks, for staff: list, claim, tell how it went. And where GOV.UK Notify tells what became of a message."""

import hmac
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, computed_field

from chassis.door import body_at_most, body_of, read
from chassis.due import NotCalled
from chassis.errors import Refused, refuse
from chassis.http import NOT_FOUND, Bearer, Problem, Staff
from chassis.service import Running
from contracts.notifications import Audience
from contracts.vocabulary import PersonsAnswer
from services.notifications.clients.letters import NotPrintable, letter
from services.notifications.clients.referrals import clear
from services.notifications.clients.teller import Teller
from services.notifications.domain.bounces import bounced
from services.notifications.domain.gate import Call, Wait
from services.notifications.domain.ladder import BOUNCED, CLAIM_LASTS, Outcome, TaskChannel
from services.notifications.domain.telling import CarrierSaid, TellApplicant, Telling, asks, attempt
from services.notifications.handlers.tasks import AskGateAgain, TellOutcome
from services.notifications.store import Store


class CallTask(BaseModel):
    """Somebody is to be told, by `channel`, of `about`. `staff` is to find a way: `reason` says why there is none.

    `audience` is the person, or the referrer, who has no system; or an organisation that applied for a grant. Where it
    `asks`, tell with the outcome what the person says to the help that was found.
    """

    id: UUID
    referral_id: UUID | None
    need_id: UUID | None
    application_id: UUID | None
    message_id: UUID
    audience: Audience | Literal["applicant"]
    channel: TaskChannel
    about: str
    reason: str | None
    rung: int
    tries: int
    created_at: AwareDatetime
    not_before: AwareDatetime | None
    claimed_by: str | None
    claimed_at: AwareDatetime | None
    outcome: str | None
    answer: PersonsAnswer | None
    answer_until: date | None
    closed_at: AwareDatetime | None

    @computed_field  # type: ignore[prop-decorator]  # as pydantic has it
    @property
    def asks(self) -> bool:
        return self.audience != "applicant" and asks(self.audience, self.about)


class ToTell(BaseModel):
    """How to reach the person at this moment, and in which words. It is shown to who took the task, and kept nowhere.

    Where `neutral`, say to nobody else what it is about; leave a message on a machine only where `voicemail`. Ask for
    `through` instead of the person, where it is there. `formats` are needs, such as interpreter or text-relay.
    """

    name: str | None
    address: str | None
    through: str | None
    neutral: bool
    voicemail: bool
    formats: tuple[str, ...]
    languages: tuple[str, ...]
    subject: str
    words: str


class ClaimedTask(CallTask):
    """`tell` is none of a task by `staff`; but an applicant is told these words, as long as they are news."""

    tell: ToTell | None


class CallTasks(BaseModel):
    """One page; `next` is the `after` of the next one, none on the last."""

    tasks: list[CallTask]
    next: UUID | None


class Told(BaseModel):
    """How it went: codes and nothing else, so that no note about a person is kept here.

    `answer` is what they say to the help that was found, where the task asks: yes, no, or not now, until a day.
    """

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    answer: PersonsAnswer | None = None
    until: date | None = None


class Callback(BaseModel):
    """What Notify says of a message, by its status or as a letter that came back. The address in it is dropped here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    reference: str | None = Field(default=None, max_length=100)
    status: str = Field(default="returned-letter", pattern=r"^[a-z-]{1,40}$")


STATUS: Final = {"not-found": 404, "not-claimed": 409, "illegal-move": 409, "not-yet": 503}
NO_REPORT: Final = refuse(
    "(message)", "no-failure", "It does not say that a mail of ours failed.", "Nothing: send reports of failure alone."
)
Tellers = Mapping[type[BaseModel], Teller]
TAKEN = Problem(409, "Claim another: this one is closed, not due yet, or not yours.")


def routes(running: Running, tellers: Tellers, callback_token: SecretStr | None) -> APIRouter:
    router = APIRouter(prefix="/v1/call-tasks", tags=["call tasks"])
    _list(router, running)
    _claim(router, running, tellers)
    _letter(router, running, tellers)

    @router.post("/{task_id}/outcome", openapi_extra=body_of(Told))
    async def close(task_id: UUID, request: Request, staff: Staff) -> CallTask:
        """Tells how a task went that you claimed. Where nobody answered, it may be open again, for a later time."""
        told = await read(request, Told)
        await _do(running, TellOutcome(task_id=task_id, who=staff.principal, **told.model_dump()))
        return _task(await _load(running, task_id))

    outer = APIRouter()
    outer.include_router(router)
    _callback(outer, running, callback_token)
    _bounces(outer, running)
    return outer


def _list(router: APIRouter, running: Running) -> None:
    @router.get("")
    async def list_open(
        _staff: Staff, limit: Annotated[int, Query(ge=1, le=200)] = 50, after: UUID | None = None
    ) -> CallTasks:
        """The tasks that nobody has closed, oldest first."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).open_tasks(after, limit)
        tasks = [_task(row) for row in rows]
        return CallTasks(tasks=tasks, next=tasks[-1].id if len(tasks) == limit else None)


def _claim(router: APIRouter, running: Running, tellers: Tellers) -> None:
    @router.post("/{task_id}/claim")
    async def claim(task_id: UUID, staff: Staff) -> ClaimedTask:
        """Makes the task yours, so that nobody else rings too, and tells how to reach the person now.

        Referrals is asked once more: where the rule was changed meanwhile, the task is closed and another way is looked
        for. Claiming it again shows it again. What another took a day ago, and told nothing of, is free again.
        """
        task = await _load(running, task_id)
        if task["closed_at"] or not _is_free(task, staff.principal, running.clock()):
            raise TAKEN
        tell = await _to_tell(running, tellers, task)
        async with running.database.acquire() as conn, conn.transaction():
            row = await Store(conn).claim_task(task_id, staff.principal, running.clock())
        if row is None:
            raise TAKEN
        return ClaimedTask.model_validate({**dict(row), "tell": tell})


def _is_free(task: asyncpg.Record, who: str, at: datetime) -> bool:
    return task["claimed_by"] in {None, who} or task["claimed_at"] <= at - CLAIM_LASTS


def _letter(router: APIRouter, running: Running, tellers: Tellers) -> None:
    @router.get("/{task_id}/letter", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
    async def pdf(task_id: UUID, staff: Staff) -> Response:
        """The letter of a task that you claimed, as PDF, for a window envelope that says nothing."""
        task = await _load(running, task_id)
        if task["channel"] != "letter" or task["claimed_by"] != staff.principal or task["closed_at"]:
            raise Problem(409, "Claim a task by letter first.")
        tell = await _tell_of(running, task)
        contact = await _allowed(running, tellers, task, tell)
        text, at = tellers[type(tell)].write(tell, contact), running.clock()
        address = (clear(contact.address) or "").split("\n")
        try:
            return Response(letter(text, address, contact.formats, at), media_type="application/pdf")
        except NotPrintable:
            raise Problem(409, "The name or address has letters that we cannot print: write it by hand.") from None


def _callback(router: APIRouter, running: Running, token: SecretStr | None) -> None:
    @router.post("/v1/notify-callbacks", status_code=204, tags=["carriers"], openapi_extra=body_of(Callback))
    async def heard(request: Request, shown: Bearer) -> Response:
        """What became of a message, by GOV.UK Notify: repeated and in any order, it has one effect."""
        if token is None or not shown or not hmac.compare_digest(shown.credentials, token.get_secret_value()):
            raise Problem(401, "Send `Authorization: Bearer <token>` with the token that was agreed with Notify.")
        told = await read(request, Callback)
        known = attempt(told.reference or "")
        if known is None:
            raise NOT_FOUND
        await _do(running, CarrierSaid(message_id=known[0], rung=known[1], status=told.status))
        return Response(status_code=204)


def _bounces(router: APIRouter, running: Running) -> None:
    @router.post(
        "/v1/bounces",
        status_code=204,
        tags=["carriers"],
        openapi_extra={"requestBody": {"content": {"message/rfc822": {"schema": {"type": "string"}}}}},
    )
    async def came_back(request: Request, _staff: Staff) -> Response:
        """A mail server's report on a mail that it could not deliver (RFC 3464). What it repeats of it is dropped."""
        report = bounced(await body_at_most(request))
        if report is None:
            raise Problem(422, "The report had no effect.", [NO_REPORT])
        known = attempt(report.reference)
        if known is None:
            raise NOT_FOUND
        await _do(running, CarrierSaid(message_id=known[0], rung=known[1], status=BOUNCED + report.status))
        return Response(status_code=204)


async def _to_tell(running: Running, tellers: Tellers, task: asyncpg.Record) -> ToTell | None:
    tell = await _tell_of(running, task)
    if task["channel"] == "staff" and not isinstance(tell, TellApplicant):
        return None
    contact = await _allowed(running, tellers, task, tell)
    if isinstance(tell, TellApplicant) and contact.standing is None:
        return None
    text = tellers[type(tell)].write(tell, contact)
    return ToTell(
        name=clear(contact.name),
        address=clear(contact.address),
        through=clear(contact.through),
        neutral=contact.neutral,
        voicemail=contact.voicemail,
        formats=contact.formats,
        languages=tell.languages,
        subject=text.subject,
        words=text.body if task["channel"] == "staff" else text.by(task["channel"]),
    )


async def _allowed(running: Running, tellers: Tellers, task: asyncpg.Record, tell: Telling) -> Any:
    """What the rule says now. Raises Problem where it says anything else than when the task was made."""
    try:
        (contact,) = await tellers[type(tell)].ask([tell])
    except NotCalled:
        raise Problem(503, "Who knows them cannot be asked just now. Nothing was changed: try again soon.") from None
    step = contact.step(running.clock(), ())
    if isinstance(step, Wait):
        raise Problem(409, f"Not now: the person may be reached from {step.until.isoformat(timespec='minutes')}.")
    if task["channel"] != "staff" and step != Call(task["channel"]):
        await _do(running, AskGateAgain(task_id=task["id"]))
        raise Problem(409, "Do not tell them so: the rule has changed, or the news. What is due is told otherwise.")
    return contact


async def _tell_of(running: Running, task: asyncpg.Record) -> Any:
    async with running.database.acquire() as conn:
        tells = await Store(conn).tells([task["message_id"]])
    if not tells:
        raise NOT_FOUND
    return tells[task["message_id"]]


async def _load(running: Running, task_id: UUID) -> asyncpg.Record:
    async with running.database.acquire() as conn:
        task = await Store(conn).task(task_id)
    if task is None or task["channel"] == "via-referrer":
        raise NOT_FOUND
    return task


async def _do(running: Running, act: BaseModel) -> None:
    """Raises Problem where it is refused."""
    try:
        await running.act(act)
    except Refused as refused:
        status = STATUS.get(refused.errors[0].rule, 422)
        raise Problem(status, "The request had no effect.", refused.errors) from None


def _task(row: asyncpg.Record) -> CallTask:
    return CallTask.model_validate(dict(row))
