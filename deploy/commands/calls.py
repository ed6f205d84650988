"""`furthest calls`: who is to be rung, visited or written to by hand."""

import os
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import httpx2
import typer
from rich.table import Table

from contracts.message import Service
from deploy.console import DEFAULT_DIR, AsJson, Dir, out, show
from deploy.errors import DeployError
from deploy.where import site_of

KEY: Final = "FURTHEST_STAFF_KEY"
WITHIN: Final = 20.0

app = typer.Typer(no_args_is_help=True, help="People who are to be rung, visited or written to by hand.")

KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help=f"A file with your key of staff; or put the key into {KEY}.")
]
TaskId = Annotated[UUID, typer.Argument(help="Its id, from the list.")]


@app.command("list")
def list_calls(
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the oldest first.")] = 50,
    after: Annotated[UUID | None, typer.Option(help="Go on after this one.")] = None,
    key_file: KeyFile = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """List the tasks that are open."""
    given = {"limit": limit, **({"after": str(after)} if after else {})}
    page = _tasks(dir, key_file, "GET", "", params=given)
    show(page, as_json, lambda: _show_list(page["tasks"]))


@app.command()
def claim(task: TaskId, key_file: KeyFile = None, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Take a task, and read how to reach the person now. What is printed is personal: keep it nowhere."""
    taken = _tasks(dir, key_file, "POST", f"/{task}/claim")
    show(taken, as_json, lambda: _show_task(taken))


@app.command()
def outcome(
    task: TaskId,
    code: Annotated[str, typer.Argument(help="reached, no-answer, wrong-number, declined, sent, given-up.")],
    answer: Annotated[
        str | None, typer.Option(help="What the person says to the help that was found: yes, no, not-now.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Not now, until this day.")] = None,
    key_file: KeyFile = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Tell how a task went that you took. Where nobody answered it may be open again, for later."""
    day = until.date().isoformat() if until else None
    given = {"outcome": code, "answer": answer, "until": day}
    told = _tasks(dir, key_file, "POST", f"/{task}/outcome", json=given)
    again = f"It is open again from {told['not_before']}." if not told["closed_at"] else "It is closed."
    show(told, as_json, lambda: out.print(again))


@app.command()
def feedback(
    referral: Annotated[UUID, typer.Argument(help="The referral of the task.")],
    need: Annotated[UUID, typer.Argument(help="The need of the task.")],
    asked: Annotated[str, typer.Argument(help="closing, 3-months, 6-months.")],
    goal_met: Annotated[str, typer.Option(help="Did they get what they wanted: yes, partly, no.")] = "not-said",
    online: Annotated[str, typer.Option(help="Are they online: yes, no.")] = "not-said",
    key_file: KeyFile = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Tell how it went, as a person told you whom you asked. The first answer counts."""
    given = {"need_id": str(need), "asked": asked, "goal_met": goal_met, "online": online}
    path = f"/v1/staff/referrals/{referral}/feedback"
    told: dict[str, Any] = ask(dir, key_file, "POST", path, service="referrals", json=given).json()
    show(told, as_json, lambda: out.print("Recorded."))


def _tasks(folder: Path, key_file: Path | None, method: str, path: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ask(folder, key_file, method, f"/v1/call-tasks{path}", **given).json()
    return answer


def ask(
    folder: Path,
    key_file: Path | None,
    method: str,
    path: str,
    *,
    service: Service = "notifications",
    passed: Collection[int] = (),
    **given: Any,
) -> httpx2.Response:
    """What a service answers one of the staff. Raises DeployError with what is to be done, unless `passed`."""
    key = key_file.read_text().strip() if key_file else os.environ.get(KEY, "")
    if not key:
        raise DeployError(f"Put your key of staff into {KEY}, or name its file with --key-file.")
    url = site_of(folder).urls[service] + path
    try:
        response = httpx2.request(method, url, headers={"Authorization": f"Bearer {key}"}, timeout=WITHIN, **given)
        answer = response.json() if response.status_code >= 400 else {}
    except (httpx2.HTTPError, ValueError) as error:
        raise DeployError(f"{service} does not answer ({type(error).__name__}). See: furthest status") from error
    if response.status_code >= 400 and response.status_code not in passed:
        mends = [f"{error['message']} {error['mend']}" for error in answer.get("errors", ())]
        raise DeployError(" ".join(mends) or answer.get("detail", f"It was refused: {response.status_code}."))
    return response


def _show_list(tasks: list[Mapping[str, Any]]) -> None:
    if not tasks:
        out.print("There is nothing to do.")
        return
    table = Table("task", "by", "whom", "about", "since", "not before", "tries", "taken by", "why", box=None)
    for task in tasks:
        since, later = task["created_at"][:16], (task["not_before"] or "")[:16]
        taken, why = task["claimed_by"] or "", task["reason"] or ""
        table.add_row(
            task["id"], task["channel"], task["audience"], task["about"], since, later, str(task["tries"]), taken, why
        )
    out.print(table)


def _show_task(task: Mapping[str, Any]) -> None:
    tell = task["tell"]
    if tell is None:
        whom = {"person": "the person", "referrer": "who referred them"}.get(task["audience"], "the organisation")
        of = f"Application {task['application_id']}" if task["application_id"] else f"Referral {task['referral_id']}"
        out.print(f"{of}: find a way to tell {whom}. Why: {task['reason']}.", highlight=False)
        return
    for name in ("name", "address", "through", "formats", "languages"):
        if tell[name]:
            value = ", ".join(tell[name]) if isinstance(tell[name], list) else tell[name]
            out.print(f"  {name:<12}{value}", highlight=False, markup=False, soft_wrap=True)
    out.print(f"  neutral     {'yes: say to nobody else what it is about' if tell['neutral'] else 'no'}")
    out.print(f"  voicemail   {'yes' if tell['voicemail'] else 'no: leave no message'}")
    out.print(f"\n{tell['words']}", highlight=False, markup=False)
    if task["asks"]:
        out.print("Ask what they say to it, and tell it with the outcome: --answer yes, no or not-now (with --until).")
    if task["about"].startswith("feedback-"):
        told = f"{task['referral_id']} {task['need_id']} {task['about'].removeprefix('feedback-')}"
        out.print(f"Ask it yourself, and tell what they say: furthest calls feedback {told}", soft_wrap=True)
