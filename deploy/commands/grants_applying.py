"""`furthest grants`: for an organisation that applies, and staff who look at what it sent."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.calendar import LONDON
from deploy.console import DEFAULT_DIR, AsJson, By, Dir, out, show
from deploy.grant_files import read_json
from deploy.grant_office import Application, ask, ask_about, pence, short
from deploy.grant_tables import moment, pounds, show_application

app = typer.Typer()

For = Annotated[str, typer.Option("--for", help="The organisation, by its number or its programme id.")]


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The application in JSON, as over HTTP.")],
    organisation: For,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Apply for an organisation that cannot do so itself: what is wrong is told with every reason."""
    told = ask(dir, organisation, "POST", "/v1/applications", read_json(file), "applicant")
    done = f"{short(told['application_id'])}: {told['organisation_id']} asks for £{pounds(told['amount_pence'])}."
    show(told, as_json, lambda: out.print(done, highlight=False))


@app.command("show")
def show_one(application: Application, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show all of one application: what it asks for, which need it meets, what was decided and paid."""
    found = ask_about(dir, by, application, "")
    show(found, as_json, lambda: show_application(found))


@app.command()
def changes(
    application: Application,
    by: By,
    what: Annotated[str, typer.Option(help="What is to be changed, in words for them.")],
    until: Annotated[datetime, typer.Option(help="In London.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Ask an organisation to change its application. What was submitted stands if nothing comes."""
    told = ask_about(
        dir, by, application, "/changes", {"what": what, "until": until.replace(tzinfo=LONDON).isoformat()}
    )
    show(told, as_json, lambda: out.print(f"It may be changed until {moment(told['until'])}.", highlight=False))


@app.command()
def withdraw(
    application: Application,
    by: By,
    reason: Annotated[str, typer.Option(help="A code, such as project-stopped.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Record that an organisation gives up its application, or its award. The reserve list moves up."""
    told = ask_about(dir, by, application, "/withdrawal", {"reason": reason})
    free = f"; £{pounds(told['released_pence'])} comes free" if told["released_pence"] else ""
    show(told, as_json, lambda: out.print(f"{application} is withdrawn{free}.", highlight=False))


@app.command()
def report(
    application: Application,
    organisation: For,
    due_on: Annotated[str, typer.Option("--due", help="The day of the report, such as 2027-03-31.")],
    spent: Annotated[float, typer.Option(min=0, help="In pounds.")],
    helped: Annotated[int, typer.Option(min=0, help="How many people.")],
    account: Annotated[str, typer.Option(help="How it went.")],
    by: By,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Report for an organisation that cannot do so itself."""
    body = {"due_on": due_on, "spent_pence": pence(spent), "people_helped": helped, "account": account}
    told = ask_about(dir, by, application, "/reports", body, "applicant", organisation)
    show(told, as_json, lambda: out.print(f"The report of {told['due_on']} is kept."))
