"""What the command says on a terminal: results on standard output, progress and errors on standard error."""

import getpass
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contracts.message import SERVICES
from deploy.providers import Loaded

Dir = Annotated[Path, typer.Option("--dir", help="The folder that the deployment lives in.", envvar="FURTHEST_DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
DEFAULT_DIR = Path(".furthest")


def known_service(service: str) -> str:
    if service not in SERVICES:
        raise typer.BadParameter(f"There is no service {service}. There are: {', '.join(SERVICES)}.")
    return service


ServiceName = Annotated[str, typer.Argument(callback=known_service, help=f"One of: {', '.join(SERVICES)}.")]


def sentence(text: str | None) -> str | None:
    if text is None:
        return None
    if not text.strip() or len(text) > 300 or not text.isprintable():
        raise typer.BadParameter("Write 1 to 300 letters, on one line.")
    return text.strip()


def _user() -> str:
    """Who works here, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


Reason = Annotated[str, typer.Option(callback=sentence, help="Why, for the audit; name no person.")]
By = Annotated[str, typer.Option(default_factory=_user, callback=sentence, help="Who wants it, for the audit.")]

out = Console()
err = Console(stderr=True, soft_wrap=True)


def progress(as_json: bool = False) -> Callable[[str], None]:
    """Says what is being done, on standard error, so that standard output stays what was asked for."""
    return (lambda line: None) if as_json else (lambda line: err.print(f"[dim]… {line}[/dim]"))


def confirm(question: str, as_json: bool, first: str = "") -> None:
    if as_json or not sys.stdin.isatty():
        raise typer.BadParameter(" ".join(f"Nobody can be asked here: {first} say --yes.".split()))
    typer.confirm(question, abort=True, err=True)


def show(document: Any, as_json: bool, human: Callable[[], None]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    else:
        human()


def show_status(seen: dict[str, Any]) -> None:
    table = Table("service", "status", "lag", "unsent", "oldest, s", "dead letters", "degraded", box=None)
    for service, s in seen["services"].items():
        letters = sum(s.get("dead_letters", {}).values())
        degraded = ", ".join(s.get("degraded", ())) or s.get("reason", "")
        age = str(s.get("unsent_age_seconds", "-"))
        table.add_row(
            service, s["status"], str(s.get("lag", "-")), str(s.get("unsent", "-")), age, str(letters), degraded
        )
    out.print(table)
    if "servers" in seen:
        out.print("servers: " + ", ".join(f"{server} {state}" for server, state in seen["servers"].items()))


def show_key(key: dict[str, Any]) -> None:
    out.print(f"{key['api_key']}   ({key['role']}, until {key['expires_at'][:10]})", soft_wrap=True)
    for name, value in key.get("kafka", {}).items():
        out.print(f"  kafka {name:<11}{value}", highlight=False, soft_wrap=True)
    for name in ("topic", "group_prefix"):
        if name in key:
            out.print(f"  {name:<17}{key[name]}", highlight=False, soft_wrap=True)


def show_partner(credentials: dict[str, Any]) -> None:
    kafka = credentials["kafka"]
    out.print(f"Partner {credentials['id']}. Hand these over safely:", soft_wrap=True)
    for label, value in (
        ("HTTP key", credentials["api_key"]),
        ("Kafka", f"{kafka['bootstrap']} {kafka['protocol']} {kafka['mechanism']}"),
        ("Kafka user", f"{kafka['user']} {kafka['password']}"),
        ("writes", credentials["inbox"]),
        ("reads", f"{credentials['outbox']}, groups {credentials['group_prefix']}*"),
        ("seals persons with", json.dumps(credentials["public_key"])),
    ):
        out.print(f"  {label:<20}{value}", soft_wrap=True, highlight=False)


def show_revoked(gone: dict[str, Any]) -> None:
    out.print(f"Partner {gone['id']}: {gone['kafka_users']} Kafka users and {gone['keys']} keys open nothing any more.")


def show_loaded(loaded: Loaded) -> None:
    out.print(f"Providers loaded: {loaded.loaded}.")
    for fault in loaded.faults:
        kept = "record left out" if fault.left_out else "record kept"
        err.print(f"  record {fault.position}, {fault.field}: {fault.message} ({kept})", highlight=False)
    for each in loaded.refused:
        for error in each["errors"]:
            err.print(f"  provider {each['provider_id']}, {error['field']}: {error['message']} {error['mend']}")
