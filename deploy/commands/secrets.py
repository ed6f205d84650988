"""`furthest secrets`: passwords, keys and certificates of a deployment in containers."""

import asyncio
import base64
import os
import re
import secrets as random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from chassis.postgres import connect_pool
from chassis.sealing import Vault
from contracts.message import SERVICES
from deploy import certificates, keys
from deploy import renew as anew
from deploy.console import DEFAULT_DIR, AsJson, Dir, out, show
from deploy.errors import DeployError
from deploy.secrets import keep, password, write
from deploy.site import SECRETS, Site
from deploy.where import site_of
from services.referrals.handlers.rewrap import rewrap as rewrap_keys

app = typer.Typer(no_args_is_help=True, help="Passwords, keys and certificates of a deployment in containers.")

OURS: Final = 10001
OWNERS: Final[dict[str, int]] = {
    "kafka": 1000,
    "postgres": 999,
    "backup": 999,
    "backups": 999,
    "backups/base": 999,
    "backups/wal": 999,
    "edge": 101,
    "erasures": OURS,
}
"""The user of each container whose image is not ours. A folder is mounted in its container alone."""

Folder = Annotated[Path, typer.Option(envvar=SECRETS, help="Where they are kept: a folder for each container.")]
Host = Annotated[str, typer.Option(envvar="FURTHEST_HOST", help="Names and addresses of this host, with commas.")]
Tls = Annotated[Path | None, typer.Option(help="A folder with your own ca.pem, cert.pem and key.pem.")]


def _known(names: list[str]) -> list[str]:
    if unknown := [name for name in names if name not in anew.NAMES]:
        raise typer.BadParameter(f"There is no {unknown[0]} to renew. There are: {', '.join(anew.NAMES)}.")
    return names


@app.command()
def make(secrets: Folder, host: Host = "localhost", tls: Tls = None, as_json: AsJson = False) -> None:
    """Make what is missing; what is there stays. May be repeated."""
    _make(secrets, host, tls)
    show({"secrets": str(secrets)}, as_json, lambda: out.print(f"Secrets are in {secrets}."))


@app.command()
def renew(
    names: Annotated[list[str], typer.Argument(callback=_known, help=f"Some of: {', '.join(anew.NAMES)}.")],
    secrets: Folder,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take the one before away: nobody uses it any more.")
    ] = False,
    host: Host = "localhost",
    tls: Tls = None,
    as_json: AsJson = False,
) -> None:
    """Make secrets anew. Where others have to change over, the one before stays good until --finish.

    Who uses them takes them up as docs/ops/rotate.md says for each.
    """
    for name in names:
        (anew.finish if finish else anew.renew)(secrets, name)
    _make(secrets, host, tls)
    show(
        {"renewed": names}, as_json, lambda: out.print(f"{', '.join(names)}: take them up as docs/ops/rotate.md says.")
    )


@app.command()
def rewrap(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Wrap every person's key with the newest programme key. May be repeated; the service runs meanwhile."""
    seen, done = asyncio.run(_rewrap(site_of(dir)))
    document = {"persons": seen, "rewrapped": done}
    show(document, as_json, lambda: out.print(f"{done} of {seen} keys were wrapped anew; all others were before."))


async def _rewrap(site: Site) -> tuple[int, int]:
    settings = site.settings("referrals")
    async with await connect_pool(settings.database) as database:
        return await rewrap_keys(database, Vault(settings.programme_key))


def _make(secrets: Path, host: str, tls: Path | None) -> None:
    keys.make_secrets(secrets)
    admin = password(secrets / "kafka-admin")
    password(secrets / "kafka" / "kafka-broker")
    keep(secrets / "kafka" / "kafka-cluster", base64.urlsafe_b64encode(random.token_bytes(16)).decode().rstrip("="))
    write(secrets / "kafka" / "kafka-admin", admin)
    write(secrets / "postgres" / "password", password(secrets / "postgres-admin"))
    write(secrets / "backup" / "furthest_backup", password(keys.of_database(secrets, *keys.BACKUP)))
    _certificates(secrets, host.split(","), tls)
    if (secrets / "backups").exists():
        for folder in ("base", "wal"):
            (secrets / "backups" / folder).mkdir(mode=0o700, exist_ok=True)
    if (secrets / "erasures").exists():  # a list that is missing later is one that was lost
        (secrets / "erasures" / "list.jsonl").touch()
    _own(secrets)


@app.command()
def put(
    name: Annotated[str, typer.Argument(help="Its file, such as notifications/furthest_smtp_password.")],
    secrets: Folder,
    as_json: AsJson = False,
) -> None:
    """Keep a secret that somebody else made, read from standard input. A restart of the container takes it up."""
    folder, _, file = name.partition("/")
    if folder not in SERVICES or not re.fullmatch(r"furthest_[a-z_]+", file):
        raise typer.BadParameter("Name a service and a setting, such as notifications/furthest_smtp_password.")
    text = sys.stdin.read(10_000).strip()
    if not text:
        raise DeployError("Nothing came on standard input. Say: furthest secrets put NAME < FILE")
    write(secrets / name, text)
    _own(secrets)
    show({"kept": name}, as_json, lambda: out.print(f"{name} is kept."))


def _certificates(secrets: Path, names: list[str], given: Path | None) -> None:
    """Kafka and the edge show the same one, each from a folder of its own."""
    if given and any(given.iterdir()):
        missing = [file for file in certificates.FILES if not (given / file).is_file()]
        if missing:
            raise DeployError(f"{given} lacks {', '.join(missing)}. Put all of it there, or nothing.")
    else:
        given = secrets / "tls"
        certificates.make(given, [*names, "localhost", "127.0.0.1"], datetime.now(UTC))
    for folder in ("kafka", "edge"):
        for file in ("cert.pem", "key.pem"):
            write(secrets / folder / file, (given / file).read_text())
    write(secrets / "ca.pem", (given / "ca.pem").read_text())


def _own(secrets: Path) -> None:
    """Gives each container's folder to its user; nothing to do where all run as one."""
    if os.geteuid() != 0:
        return
    named = (secrets / name for name in (*SERVICES, *OWNERS, "databases", "tls"))
    for folder in (secrets, *filter(Path.exists, named)):
        owner = OWNERS.get(str(folder.relative_to(secrets)), OURS)
        for path in (folder, *(file for file in folder.iterdir() if file.is_file())):
            os.chown(path, owner, owner)
            path.chmod(0o700 if path.is_dir() else 0o600 if folder.name == "erasures" else 0o400)
