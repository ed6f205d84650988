"""Pages for people without a key: to say how it went, by a link, and to see how a referral stands, by a code.

A page that is looked at changes nothing: mail programs open links by themselves. Only what is sent does.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from chassis.door import body_at_most
from chassis.http import Problem
from chassis.service import Running
from services.referrals.domain.codes import is_code, plain
from services.referrals.handlers.contacting import GiveFeedback
from services.referrals.handlers.gate import Gate, hashed
from services.referrals.store import Store

STYLE: Final = files("services.referrals.pages").joinpath("people.css").read_text(encoding="utf-8")
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_TEMPLATE: Final = Environment(
    loader=PackageLoader("services.referrals", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
).get_template("people.html")
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    text: str
    answers: tuple[tuple[str, str], ...]


QUESTIONS: Final = (
    Question(
        "goal_met",
        "Did you get what you wanted?",
        (("yes", "Yes"), ("partly", "In part"), ("no", "No"), ("not-said", "I do not want to say")),
    ),
    Question("online", "Are you online now?", (("yes", "Yes"), ("no", "No"), ("not-said", "I do not want to say"))),
)
GONE: Final = "This link does not work any more. You can tell the person who put you in touch with us."
ASK_CODE: Final = "How does my referral stand?"
NO_CODE: Final = "There is no such code. Look at it again: it has 10 letters and digits."
OFF: Final = "This code does not work any more. You can ask us by phone."
SLOW_DOWN: Final = "Too many codes were tried that are none. Try again in an hour, or ask us by phone."
STATUS: Final = {
    "requested": "received",
    "on-hold": "waiting for help",
    "offered": "somebody is asked to help",
    "accepted": "somebody has agreed to help",
    "in-progress": "help has begun",
    "completed": "done",
    "failed": "it could not be done",
    "rejected": "not taken on",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
}
KIND: Final = {"device": "Device", "connectivity": "Internet", "skills": "Skills", "champion": "Digital Champion"}


def page(title: str, status: int = 200, **given: Any) -> HTMLResponse:
    shown = {"error": "", "lines": (), "needs": (), "questions": (), "ask_code": False, **given}
    return HTMLResponse(_TEMPLATE.render(title=title, style=STYLE, **shown), status, headers=HEADERS)


def routes(running: Running, gate: Gate) -> APIRouter:
    router = APIRouter(tags=["people"], default_response_class=HTMLResponse)
    _answers(router, running)
    _status(router, running, gate)
    return router


def _answers(router: APIRouter, running: Running) -> None:
    @router.get("/l/{token}")
    async def ask(token: str) -> HTMLResponse:
        """Asks how it went. Looking at it changes nothing."""
        if await _link(running, token) is None:
            return page("How did it go?", 404, error=GONE)
        return page("How did it go?", lines=("You do not have to answer.",), questions=QUESTIONS)

    @router.post("/l/{token}")
    async def answer(token: str, request: Request) -> HTMLResponse:
        """Keeps the answers, the first time."""
        link = await _link(running, token)
        if link is None:
            return page("How did it go?", 404, error=GONE)
        sent = await _form(request)
        said = {each.name: _choice(each, sent.get(each.name)) for each in QUESTIONS}
        await running.act(GiveFeedback.model_validate({**dict(link), **said}))
        return page("Thank you", lines=("We have your answer. You can close this page.",))


def _status(router: APIRouter, running: Running, gate: Gate) -> None:
    @router.get("/status")
    async def ask_code() -> HTMLResponse:
        """Asks for a status code."""
        return page(ASK_CODE, ask_code=True)

    @router.post("/status")
    async def show(request: Request) -> HTMLResponse:
        """The status of each need of a referral, and nothing else, for who has its code."""
        code, at = plain((await _form(request)).get("code", "")), running.clock()
        if not is_code(code):
            return page(ASK_CODE, 404, error=NO_CODE, ask_code=True)
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            if await store.contacting.is_guessed_at(at):
                return page(ASK_CODE, 429, error=SLOW_DOWN)
            referral = await store.contacting.referral_of(hashed(code), at)
            if referral is None:
                await store.contacting.note_guess(at)
                return page(ASK_CODE, 404, error=NO_CODE, ask_code=True)
            if await gate.is_neutral(store, referral):
                return page(ASK_CODE, 404, error=OFF)
            needs = await store.contacting.status(referral)
        shown = [
            {"kind": KIND[n["kind"]], "status": STATUS[n["status"]], "since": f"{n['changed_at']:%d.%m.%Y}"}
            for n in needs
        ]
        return page("How your referral stands", needs=shown)


async def _link(running: Running, token: str) -> Any:
    async with running.database.acquire() as conn:
        return await Store(conn).contacting.link(hashed(token[:100]), running.clock())


def _choice(question: Question, sent: str | None) -> str:
    return sent if sent in dict(question.answers) and sent else "not-said"


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field; nothing of a body that is too long, or no form."""
    try:
        body = await body_at_most(request, LONGEST)
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=20)
    except (Problem, ValueError):
        return {}
    return {name: values[0] for name, values in fields.items()}
