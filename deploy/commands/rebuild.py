"""`furthest rebuild`: a projection made anew from the log."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.table import Table

from chassis.logs import configure
from chassis.rebuild import Rebuilt
from chassis.rebuild import rebuild as make_anew
from contracts.message import Service
from deploy.console import DEFAULT_DIR, AsJson, Dir, ServiceName, err, out, show
from deploy.errors import DeployError
from deploy.site import Site
from deploy.where import site_of
from deploy.wiring import build

TELL_EVERY = 2.0

Accept = Annotated[bool, typer.Option("--accept", help="Switch even where the tables differ: the log is right.")]


def rebuild(service: ServiceName, accept: Accept = False, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Make a projection anew from the log, compare it with the live one, and switch where they are the same.

    The service goes on meanwhile. Exit code 1 where the tables differ and nothing was switched.
    """
    configure(service, sys.stderr)
    rebuilt = asyncio.run(_rebuild(site_of(dir), service, accept=accept))  # type: ignore[arg-type]  # checked by its callback
    show(rebuilt.document(), as_json, lambda: _show(rebuilt))
    if not rebuilt.switched:
        err.print(
            "Nothing was switched. Where the log is right and the live tables are wrong: "
            f"furthest rebuild {service} --accept"
        )
        raise typer.Exit(1)


async def _rebuild(site: Site, service: Service, *, accept: bool) -> Rebuilt:
    settings, owner = site.settings(service), site.roles(service).owner
    built = build(service, settings)
    try:
        return await make_anew(built, settings, owner, f"services.{service}", accept=accept, progress=_progress())
    except KafkaError as error:
        raise DeployError(f"Kafka does not answer ({type(error).__name__}). See: furthest status") from error


def _progress() -> Callable[[int, int], None]:
    """Also with --json: it may take minutes, and standard error is for this."""
    told = time.monotonic()

    def tell(read: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            err.print(f"[dim]… {read:,} of {total:,} records[/dim]", highlight=False)

    return tell


def _show(rebuilt: Rebuilt) -> None:
    table = Table("table", "rows", "live lacks", "live has too many", "live has otherwise", "", box=None)
    for name, seen in rebuilt.tables.items():
        counts = (str(n) if n else "" for n in (seen.missing, seen.extra, seen.changed))
        table.add_row(name, str(seen.rows), *counts, "same" if seen.same else "differs")
    out.print(table)
    out.print(f"{rebuilt.records:,} records were read; {rebuilt.dead_letters:,} of them have no effect.")
    if rebuilt.switched:
        out.print("The new tables are live.")
