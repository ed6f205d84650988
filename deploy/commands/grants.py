"""`furthest grants`: opens a round and moves it on, and shows what became of it."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deploy.commands import grants_applying, grants_deciding, grants_judging
from deploy.console import DEFAULT_DIR, AsJson, By, Dir, out, show
from deploy.errors import DeployError
from deploy.grant_files import read_json
from deploy.grant_office import Amount, Round, ask, at_work, pence
from deploy.grant_tables import (
    moment,
    pounds,
    show_applications,
    show_history,
    show_imported,
    show_ledger,
    show_rounds,
)
from deploy.where import site_of
from services.grants.handlers.past import ImportResult, load
from services.grants.handlers.spreadsheets import from_csv, from_xlsx

app = typer.Typer(no_args_is_help=True, help="Grants: rounds, applications, scores, awards.")

Stage = Literal["assessing", "deciding", "finished", "cancelled"]
MOVED: dict[Stage, str] = {
    "assessing": "is being assessed: what each application is worth to those who wait is frozen",
    "deciding": "is being decided",
    "finished": "is finished: payments and reports go on",
    "cancelled": "is cancelled",
}
FILE_AT_MOST = 200 * 1024 * 1024


@app.command()
def rounds(by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """List the rounds, the latest deadline first."""
    found = ask(dir, by, "GET", "/v1/rounds")
    show(found, as_json, lambda: show_rounds(found))


@app.command("open")
def open_round(
    file: Annotated[Path, typer.Argument(help='JSON: {"fund": {"fund_id", "name"}, "round": {...}}, as over HTTP.')],
    by: By,
    why: Annotated[str | None, typer.Option(help="For the history, where it has opened already.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Open a round with its fund, or amend it: once it has opened, with a reason."""
    asked = read_json(file)
    try:
        fund, round_ = dict(asked["fund"]), dict(asked["round"])
        fund_id, round_id = fund.pop("fund_id"), round_.pop("round_id")
    except (KeyError, TypeError, ValueError) as error:
        raise DeployError(f'{file} needs a "fund" with its "fund_id" and a "round" with its "round_id".') from error
    ask(dir, by, "PUT", f"/v1/funds/{fund_id}", fund)
    body = {"fund_id": fund_id, **round_, **({"why": why} if why else {})}
    opened = ask(dir, by, "PUT", f"/v1/rounds/{round_id}", body)
    show(opened, as_json, lambda: _show_opened(opened))


def _show_opened(opened: dict[str, Any]) -> None:
    times = f"from {moment(opened['opens_at'])} until before {moment(opened['closes_at'])}, London"
    out.print(f"Round {opened['round_id']} has £{pounds(opened['budget_pence'])}.", highlight=False)
    out.print(f"It takes applications {times}.", highlight=False)


@app.command("list")
def list_applications(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """List the applications of a round, in the order in which they came."""
    found = ask(dir, by, "GET", f"/v1/rounds/{round_id}")
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
    moved = ask(dir, by, "POST", f"/v1/rounds/{round_id}/stage", {"to": to, "why": why})
    show(moved, as_json, lambda: out.print(f"Round {round_id} {MOVED[to]}."))


@app.command("top-up")
def top_up(
    round_id: Round,
    amount: Amount,
    by: By,
    funder: Annotated[str, typer.Option(help="The id of who gives it, such as GB-CHC-1110522.")],
    name: Annotated[str, typer.Option(help="The name of who gives it.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Add what another funder gives. The reserve list moves up."""
    body = {"amount_pence": pence(amount), "funder": {"id": funder, "name": name}}
    told = ask(dir, by, "POST", f"/v1/rounds/{round_id}/top-ups", body)
    show(
        told, as_json, lambda: out.print(f"Round {round_id} has £{pounds(told['budget_pence'])} now.", highlight=False)
    )


@app.command()
def history(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show every decision about a round and its applications: who, when, why."""
    found = ask(dir, by, "GET", f"/v1/rounds/{round_id}/history")
    show(found, as_json, lambda: show_history(found))


@app.command()
def ledger(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show which grant opened which places, and which gaps that closed."""
    found = ask(dir, by, "GET", f"/v1/rounds/{round_id}/ledger")
    show(found, as_json, lambda: show_ledger(found))


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
    content = at_work(dir, by, lambda grants: grants.do("GET", f"/v1/awards{query}").content)
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
    return read_json(file)


for part in (grants_applying, grants_judging, grants_deciding):
    app.add_typer(part.app)
