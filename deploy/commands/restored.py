"""`furthest restored` and `furthest contact`: what is owed after a database was put back from a backup."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from deploy import restored as how
from deploy.console import DEFAULT_DIR, AsJson, By, Dir, Reason, ServiceName, Yes, confirm, out, show
from deploy.restored import Compared
from deploy.where import site_of

LetGo = Annotated[bool, typer.Option("--let-go", help="Free what others hold for referrals and keys that are lost.")]

contact = typer.Typer(no_args_is_help=True, help="Whether people may be contacted.")


def restored(
    service: ServiceName, let_go: LetGo = False, yes: Yes = False, dir: Dir = DEFAULT_DIR, as_json: AsJson = False
) -> None:
    """Compare a service's restored database with the log, before it starts; later, list what was not said again.

    What came over Kafka is read again, and said again under the same ids. What stays on the list came by HTTP, from
    staff, or was decided otherwise: it is to be sent or done again.
    """
    site = site_of(dir)
    compared = asyncio.run(how.compare(site, service))  # type: ignore[arg-type]  # checked by the callback
    if let_go:
        if service != "referrals":
            raise typer.BadParameter("Only referrals can let go: what others lost is on the list.")
        if not yes:
            confirm(f"Let go of the lost referrals and keys among {len(compared.owed)} facts?", as_json)
        asyncio.run(how.let_go(site, compared.missing))
    show(compared.document(), as_json, lambda: _show(compared))


@contact.callback()
def about() -> None:
    """Whether people may be contacted."""


@contact.command()
def release(reason: Reason, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Contact people again, after referrals was restored and staff have looked at what they said since."""
    asyncio.run(how.release_contact(site_of(dir), by, reason))
    show({"released_by": by}, as_json, lambda: out.print("People are contacted again."))


def _show(compared: Compared) -> None:
    out.print(f"The log has {compared.said_before:,} facts that the database did not know of.")
    if not compared.owed:
        out.print("All of them were said again since: nothing is owed.")
        return
    table = Table("not said again yet", "number", "then", box=None)
    for kind, seen in compared.document()["kinds"].items():
        table.add_row(kind, str(seen["missing"]), seen["then"] or "")
    out.print(table)
    out.print("Each with its key and partner: --json")
