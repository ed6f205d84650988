"""The `furthest` command."""

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, get_args

import asyncpg
import typer
from rich.live import Live

from chassis.errors import Stopped
from chassis.service import act
from chassis.service import run as run_service
from contracts.message import SERVICES
from contracts.vocabulary import Role
from deploy import areas, partners, providers, provision
from deploy.commands import contracts, dead_letters
from deploy.commands.bench import bench
from deploy.commands.rebuild import rebuild
from deploy.console import (
    DEFAULT_DIR,
    AsJson,
    Dir,
    ServiceName,
    err,
    out,
    progress,
    show,
    show_loaded,
    show_partner,
    show_status,
)
from deploy.demo.run import fresh_folder, prepare
from deploy.demo.show import links as show_links
from deploy.demo.show import progress as show_progress
from deploy.demo.show import summary as show_summary
from deploy.embedded.processes import EmbeddedError
from deploy.embedded.stack import Stack, running
from deploy.kafka.admin import AdminError
from deploy.wiring import build, settings_of
from services.referrals.domain.areas import BadAreas
from services.referrals.service import build as build_referrals

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
partner_app = typer.Typer(no_args_is_help=True, help="Partners and their credentials.")
key_app = typer.Typer(no_args_is_help=True, help="Keys for staff, applicants and readers.")
areas_app = typer.Typer(no_args_is_help=True, help="Areas and their deprivation.")
providers_app = typer.Typer(no_args_is_help=True, help="Organisations that give help.")
topics_app = typer.Typer(no_args_is_help=True, help="Topics, users and access of Kafka.")
for name, sub in (
    ("partner", partner_app),
    ("key", key_app),
    ("areas", areas_app),
    ("providers", providers_app),
    ("topics", topics_app),
    ("dead-letters", dead_letters.app),
    ("contracts", contracts.app),
):
    app.add_typer(sub, name=name)
app.command()(bench)
app.command()(rebuild)

Version = Annotated[str | None, typer.Option(help="What to call this set of areas.")]
DEMO_DIR = Path(".furthest/demo")


@app.command()
def up(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Start what is missing, on this machine, and return when all of it is ready."""
    addresses = Stack(dir, progress(as_json)).up()

    def human() -> None:
        for service, where in addresses["services"].items():
            out.print(f"{service:<14} {where['http']}")
        out.print(f"\nAddresses and credentials: {dir / 'run.json'}\nStop it with: furthest down --dir {dir}")

    show(addresses, as_json, human)


@app.command()
def down(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Stop everything; what was kept stays."""
    Stack(dir, progress(as_json)).down()
    show({"status": "down"}, as_json, lambda: out.print("Everything is stopped."))


@app.command()
def status(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show health, lag, outbox and dead letters of each service. Exit code 1 where one serves nobody."""
    seen = Stack(dir).status()
    show(seen, as_json, lambda: show_status(seen))
    if any(service["status"] in {"down", "unavailable"} for service in seen["services"].values()):
        raise typer.Exit(1)


@app.command()
def demo(
    referrals: Annotated[int, typer.Option(min=1, max=100_000, help="How many people are referred.")] = 200,
    file: Annotated[Path | None, typer.Option(help="Send these instead: a referral a line, as JSON.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, with links.")] = False,
    dir: Dir = DEMO_DIR,
    as_json: AsJson = False,
) -> None:
    """Show the main job: start everything, refer people over every door, and count every effect."""
    fresh_folder(dir)
    report = progress(as_json)
    with running(dir, report, keep=keep) as stack:
        report("registering three partners")
        with Live(console=err, refresh_per_second=4, transient=True) if not as_json else nullcontext() as live:
            watch = (lambda seen: live.update(show_progress(seen))) if live else (lambda seen: None)
            shown = prepare(stack, referrals, file, watch)
            asyncio.run(shown.run())
        document = asyncio.run(shown.summary())
        show(document, as_json, lambda: asyncio.run(show_summary(out, shown, document)))
        if keep and not as_json:
            show_links(out, shown)
    if document["lost"] or document["doubled"]:
        raise typer.Exit(1)


@partner_app.command("add")
def partner_add(
    partner: Annotated[str, typer.Argument(help="Its id: lower-case letters, digits and dashes.")],
    name: Annotated[str | None, typer.Option(help="Its name, as others may read it.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Add a partner: its topics, its user and its key. What is printed is shown once."""
    credentials = partners.add_partner(Stack(dir), partner, name)
    show(credentials, as_json, lambda: show_partner(credentials))


@key_app.command("add")
def key_add(
    role: Annotated[str, typer.Option(help=f"One of: {', '.join(get_args(Role))}.")],
    principal: Annotated[str, typer.Option(help="Whose key it is, such as a member of staff.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Add a key. It is shown once."""
    if role not in get_args(Role):
        raise typer.BadParameter(f"'{role}' is no role. There are: {', '.join(get_args(Role))}.")
    key = partners.add_key(Stack(dir), role, principal)  # type: ignore[arg-type]  # just checked
    show(
        key, as_json, lambda: out.print(f"{key['api_key']}   ({role}, until {key['expires_at'][:10]})", soft_wrap=True)
    )


@areas_app.command("load")
def areas_load(
    file: Annotated[Path, typer.Argument(help="CSV: code,name,decile; or LSOAs with their wards.")],
    version: Version = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Replace the areas and their deprivation."""
    stack = Stack(dir)
    settings = stack.settings("referrals", stack.addresses())
    try:
        loaded = areas.read(file, version)
    except (OSError, UnicodeDecodeError, BadAreas) as error:
        raise EmbeddedError(f"{file} cannot be loaded; nothing was changed.\n{error}") from error
    asyncio.run(act(build_referrals(settings), settings, loaded))
    wards = sum(1 for area in loaded.areas if area.ward is None)
    document = {"version": loaded.version, "wards": wards, "small_areas": len(loaded.areas) - wards}
    show(document, as_json, lambda: out.print(f"{wards} wards and {document['small_areas']} small areas are loaded."))


@providers_app.command("load")
def providers_load(
    file: Annotated[Path, typer.Argument(help="JSON of Open Referral UK 3.0: a record, a list or a page.")],
    partner: Annotated[str, typer.Option(help="Who speaks for these providers.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Register the organisations of a directory as providers. May be repeated; exit code 1 where some were left out."""
    loaded = providers.load(file, partner, Stack(dir).addresses())
    show(loaded.document(), as_json, lambda: show_loaded(loaded))
    if not loaded.is_whole:
        raise typer.Exit(1)


@topics_app.command("apply")
def topics_apply(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Make the topics, users and rights that the catalogue asks for. May be repeated."""
    stack = Stack(dir)
    addresses = stack.addresses()
    admin = stack.admin(addresses)
    provision.apply_topics(admin)
    for service in SERVICES:
        admin.grant(service, provision.service_access(service))
    for partner in addresses["partners"]:
        provision.apply_partner(admin, partner)
    topics = admin.partitions()
    show(topics, as_json, lambda: out.print(f"{len(topics)} topics are as they should be."))


@app.command()
def migrate(service: ServiceName, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Apply the migrations that a service's database lacks."""
    stack = Stack(dir)
    port = stack.addresses()["postgres"]["port"]
    applied = asyncio.run(provision.migrate_service(service, stack.roles(service, port)))  # type: ignore[arg-type]  # checked by the callback
    show({"applied": applied}, as_json, lambda: out.print("\n".join(applied) or "Nothing was missing."))


@app.command()
def run(service: ServiceName) -> None:
    """Run one process of a service, with settings from the environment, until SIGTERM."""
    settings = settings_of(service).load()
    asyncio.run(run_service(build(service, settings), settings))


def main() -> None:
    """Runs the command: 0 done, 1 failed with a sentence on standard error, 2 used wrongly."""
    try:
        app()
    except (EmbeddedError, AdminError, Stopped) as error:
        err.print(f"[bold red]furthest:[/bold red] {error}", highlight=False)
        sys.exit(1)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        err.print(
            f"[bold red]furthest:[/bold red] a server does not answer ({type(error).__name__}). See: furthest status",
            highlight=False,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)


if __name__ == "__main__":
    main()
