"""`furthest grants`: runs a round, from its opening to what is published of it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Column, Table

from deploy.console import DEFAULT_DIR, AsJson, By, Dir, out, show
from deploy.desk import Desk, desk
from deploy.errors import DeployError
from deploy.grant_tables import pounds, show_applications, show_imported, show_ranking, show_scores
from deploy.where import site_of
from services.grants.handlers.past import ImportResult, load
from services.grants.handlers.spreadsheets import from_csv, from_xlsx

app = typer.Typer(no_args_is_help=True, help="Grants: rounds, applications, scores, awards.")

Round = Annotated[str, typer.Argument(help="The id of the round.")]
Application = Annotated[str, typer.Argument(help="The id of the application.")]
Amount = Annotated[float, typer.Argument(min=0.01, help="In pounds.")]
Stage = Literal["assessing", "deciding", "finished", "cancelled"]
Form = Literal["json", "csv", "xlsx"]
FILE_AT_MOST = 200 * 1024 * 1024


def _pence(amount: float) -> int:
    return round(amount * 100)


def _do(dir: Path, by: str, work: Callable[[Desk], Any]) -> Any:
    with desk(site_of(dir), "grants", "staff", by) as grants:
        return work(grants)


@app.command()
def rounds(by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """List the rounds, the latest deadline first."""
    found = _do(dir, by, lambda grants: grants.do("GET", "/v1/rounds").json())
    table = Table("round", "fund", "is", "deadline", Column("budget, £", justify="right"), "applied", box=None)
    for each in found:
        applied = str(each["applications"])
        table.add_row(
            each["round_id"], each["fund_name"], each["phase"], each["deadline"], pounds(each["budget_pence"]), applied
        )
    show(found, as_json, lambda: out.print(table))


@app.command("open")
def open_round(
    file: Annotated[Path, typer.Argument(help='JSON: {"fund": {"fund_id", "name"}, "round": {...}}, as over HTTP.')],
    by: By,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Open a round with its fund, or amend it: once it has opened, with a `why`."""
    asked = _json(file)
    try:
        fund, round_ = dict(asked["fund"]), dict(asked["round"])
        paths = f"/v1/funds/{fund.pop('fund_id')}", f"/v1/rounds/{round_.pop('round_id')}"
    except (KeyError, TypeError, ValueError) as error:
        raise DeployError(f'{file} needs a "fund" with its "fund_id" and a "round" with its "round_id".') from error

    def work(grants: Desk) -> Any:
        grants.do("PUT", paths[0], fund)
        return grants.do("PUT", paths[1], {"fund_id": paths[0].rpartition("/")[2], **round_}).json()

    opened = _do(dir, by, work)
    show(opened, as_json, lambda: out.print(f"Round {opened['round_id']} takes applications until its deadline."))


@app.command("list")
def list_applications(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """List the applications of a round, in the order in which they came."""
    found = _do(dir, by, lambda grants: grants.do("GET", f"/v1/rounds/{round_id}").json())
    show(found, as_json, lambda: show_applications(found))


@app.command()
def move(
    round_id: Round,
    to: Annotated[Stage, typer.Argument(help="Where to.")],
    by: By,
    why: Annotated[str | None, typer.Option(help="For the history.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Open the assessment of a closed round, then its decisions, and finish it; or cancel it."""
    body = {"to": to, "why": why}
    moved = _do(dir, by, lambda grants: grants.do("POST", f"/v1/rounds/{round_id}/stage", body).json())
    show(moved, as_json, lambda: out.print(f"Round {round_id} is {to}."))


@app.command()
def assessor(
    name: Annotated[str, typer.Argument(help="As their key names them: furthest key add --role assessor.")],
    by: By,
    organisation: Annotated[list[str] | None, typer.Option(help="They work for it. May be repeated.")] = None,
    interest: Annotated[list[str] | None, typer.Option(help="In a councillor's register. May be repeated.")] = None,
    ward: Annotated[list[str] | None, typer.Option(help="A councillor's ward. May be repeated.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="They are given nothing more.")] = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Name an assessor with all their interests, in the place of what was said before."""
    body = {
        "organisations": organisation or [],
        "interests": interest or [],
        "wards": ward or [],
        "is_active": not stop,
    }
    _do(dir, by, lambda grants: grants.do("PUT", f"/v1/assessors/{name}", body))
    show({"assessor": name, **body}, as_json, lambda: out.print(f"{name} {'stops' if stop else 'may assess'}."))


@app.command()
def assign(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Give every application the assessors it lacks: evenly, and to nobody with an interest in it."""
    rows = _do(dir, by, lambda grants: grants.do("POST", f"/v1/rounds/{round_id}/assignment").json())
    show(rows, as_json, lambda: show_scores(rows))


@app.command()
def scores(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show the scores of a round side by side."""
    rows = _do(dir, by, lambda grants: grants.do("GET", f"/v1/rounds/{round_id}/scores").json())
    show(rows, as_json, lambda: show_scores(rows))


@app.command()
def ranking(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Rank a round, with the line where its budget ends."""
    found = _do(dir, by, lambda grants: grants.do("GET", f"/v1/rounds/{round_id}/ranking").json())
    show(found, as_json, lambda: show_ranking(found))


@app.command()
def award(
    application: Application,
    amount: Amount,
    by: By,
    under: Annotated[str | None, typer.Option(help="The delegated decision that it rests on.")] = None,
    reserve: Annotated[bool, typer.Option("--reserve", help="Put it on the reserve list instead.")] = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Promise money to an application, or put it on the reserve list. Schedules and reports go over HTTP."""
    body = {"amount_pence": _pence(amount), "decided_under": under}
    path = f"/v1/applications/{application}/{'reserve' if reserve else 'award'}"
    told = _do(dir, by, lambda grants: grants.do("POST", path, body).json())
    done = "is on the reserve list for" if reserve else "is awarded"
    show(told, as_json, lambda: out.print(f"{application} {done} £{pounds(told['amount_pence'])}."))


@app.command()
def decline(
    application: Application,
    by: By,
    reason: Annotated[str, typer.Option(help="A code, such as outside-budget.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Turn an application down."""
    path = f"/v1/applications/{application}/decline"
    told = _do(dir, by, lambda grants: grants.do("POST", path, {"reason": reason}).json())
    show(told, as_json, lambda: out.print(f"{application} is declined: {reason}."))


@app.command()
def pay(
    application: Application,
    amount: Amount,
    by: By,
    instalment: Annotated[int, typer.Option(min=1, help="Which of its schedule.")] = 1,
    evidence: Annotated[str | None, typer.Option(help="What was shown for it.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Record that an instalment was paid."""
    body = {"instalment": instalment, "amount_pence": _pence(amount), "evidence": evidence}
    path = f"/v1/applications/{application}/payments"
    told = _do(dir, by, lambda grants: grants.do("POST", path, body).json())
    show(told, as_json, lambda: out.print(f"£{pounds(told['paid_pence'])} of {application} is paid."))


@app.command()
def history(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show every decision about a round and its applications: who, when, why."""
    found = _do(dir, by, lambda grants: grants.do("GET", f"/v1/rounds/{round_id}/history").json())
    table = Table(*(Column(name, overflow="fold") for name in ("when", "who", "did", "application", "why")), box=None)
    for each in found:
        table.add_row(each["at"][:19], each["by"], each["what"], each["application_id"] or "", each["why"] or "")
    show(found, as_json, lambda: out.print(table))


@app.command()
def ledger(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show which grant opened which places, and which gaps that closed."""
    found = _do(dir, by, lambda grants: grants.do("GET", f"/v1/rounds/{round_id}/ledger").json())
    table = Table("organisation", Column("award, £", justify="right"), "place", "area", "gaps closed", box=None)
    for each in found:
        people = "1 to 7" if each["people"] is None else str(each["people"])
        table.add_row(
            each["organisation_name"], pounds(each["awarded_pence"]), each["place_id"], each["area"] or "", people
        )
    show(found, as_json, lambda: out.print(table))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write it: .json, .csv or .xlsx.")],
    by: By,
    round_id: Annotated[str | None, typer.Option("--round", help="Of this round alone.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Write what was awarded, in 360Giving 1.4.3."""
    form = file.suffix.removeprefix(".")
    if form not in {"json", "csv", "xlsx"}:
        raise typer.BadParameter("Name a file that ends with .json, .csv or .xlsx.")
    query = f"?format={form}" + (f"&round_id={round_id}" if round_id else "")
    content = _do(dir, by, lambda grants: grants.do("GET", f"/v1/awards{query}").content)
    file.write_bytes(content)
    show({"file": str(file), "bytes": len(content)}, as_json, lambda: out.print(f"Written: {file}"))


@app.command("import")
def import_past(
    file: Annotated[Path, typer.Argument(help="Grants made before, by anybody: 360Giving in .json, .csv or .xlsx.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Load past grants. Good records are kept, bad ones listed; the same file again changes nothing."""
    document = _grants(file)
    done = asyncio.run(_load(dir, document))
    bad = [{"row": each.row, "field": each.field, "rule": each.rule, "message": each.message} for each in done.bad]
    told = {"loaded": done.loaded, "known": done.known, "bad": bad}
    show(told, as_json, lambda: show_imported(told))
    if bad:
        raise typer.Exit(1)


async def _load(dir: Path, document: dict[str, Any]) -> ImportResult:
    async with site_of(dir).connected("grants") as conn:
        return await load(conn, document)


def _grants(file: Path) -> dict[str, Any]:
    if file.stat().st_size > FILE_AT_MOST:
        raise DeployError(f"{file} is larger than {FILE_AT_MOST >> 20} MiB. Load it in parts.")
    try:
        if file.suffix == ".csv":
            return from_csv(file.read_bytes())
        if file.suffix == ".xlsx":
            return from_xlsx(file.read_bytes())
    except ValueError as error:
        raise DeployError(f"{file} cannot be loaded; nothing was changed. {error}") from error
    return _json(file)


def _json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DeployError(f"{file} is no JSON; nothing was changed.") from error
    return read if isinstance(read, dict) else {}
