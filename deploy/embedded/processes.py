"""Detached child processes as values that survive in JSON: a pid counts only with the time it began."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import psutil  # type: ignore[import-untyped, unused-ignore]

from deploy.errors import DeployError

SAME_START = 2.0
POLL = 0.02
START_WITHIN = 180.0
"""Seconds for a machine that is slow and does other things. Who dies while starting is told of at once."""

T = TypeVar("T")


class EmbeddedError(DeployError):
    """An embedded server could not do what was asked."""


class StartError(EmbeddedError):
    """A process could not be started, or ended while it was starting."""


class StopError(EmbeddedError):
    """A process could not be stopped."""


class TooLateError(EmbeddedError):
    """A condition was not met in time; the message says what was seen last."""


class NotYetError(Exception):
    """Raised by a condition that is not met, to say what it saw."""


@dataclass(frozen=True)
class Process:
    """`started` is in seconds since the epoch, as the operating system tells it."""

    pid: int
    started: float


def spawn(name: str, argv: Sequence[str | Path], *, dir: Path, env: Mapping[str, str] | None = None) -> Process:
    """
    Start `argv` in a session of its own, output appended to `dir/logs/<name>.log`, `env` added to ours.

    Raises StartError.
    """
    log = log_file(dir, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as out:
            child = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
    except OSError as error:
        raise StartError(f"{name} did not start: {error}. Check that {argv[0]} is there and may run.") from error
    process = Process(child.pid, psutil.Process(child.pid).create_time())
    child.returncode = 0  # it is meant to outlive us: no ResourceWarning when the handle goes
    _remember(dir, name, process)
    return process


def recall(dir: Path, name: str) -> Process | None:
    """The one that was spawned last under this name, if it still lives."""
    kept = _memory(dir, name)
    process = Process(**json.loads(kept.read_text())) if kept.exists() else None
    return process if process and alive(process) else None


def _remember(dir: Path, name: str, process: Process) -> None:
    kept = _memory(dir, name)
    kept.parent.mkdir(exist_ok=True)
    new = kept.with_suffix(".new")
    new.write_text(json.dumps(asdict(process)))
    new.replace(kept)


def _memory(dir: Path, name: str) -> Path:
    return dir / "processes" / f"{name}.json"


def alive(process: Process) -> bool:
    try:
        found = psutil.Process(process.pid)
        same = abs(float(found.create_time()) - process.started) < SAME_START
        ended = found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    if same and ended:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
    return same and not ended


def stop(process: Process, grace: float, first: signal.Signals = signal.SIGTERM) -> None:
    """
    Ask with `first`, wait `grace` seconds, then kill. One whose pid is another's by now is left alone.

    Raises StopError.
    """
    for sent, wait in ((first, grace), (signal.SIGKILL, 10.0)):
        if alive(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, sent)
        deadline = time.monotonic() + wait
        while alive(process) and time.monotonic() < deadline:
            time.sleep(POLL)
    if alive(process):
        raise StopError(f"Process {process.pid} did not end when killed. Look at it: ps -fp {process.pid}")


def wait_until(condition: Callable[[], T | None], within: float, what: str, log: Path | None = None) -> T:
    """
    Return what `condition` returns, once that is true. It may raise NotYetError to say what it saw.

    Raises TooLateError after `within` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            value = condition()
            if value:
                return value
            seen = repr(value)
        except NotYetError as error:
            seen = str(error)
        if time.monotonic() > deadline:
            raise TooLateError(f"Waited {within:g} s for {what}. Last seen: {seen}.{tail(log)}")
        time.sleep(POLL)


def must_live(process: Process, what: str, log: Path) -> None:
    """Raise StartError, with the end of the log, when the process has ended."""
    if not alive(process):
        raise StartError(f"{what} ended while it was starting.{tail(log)}")


def log_file(dir: Path, name: str) -> Path:
    return dir / "logs" / f"{name}.log"


def tail(log: Path | None, lines: int = 8) -> str:
    if log is None or not log.exists():
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return f" Its log is {log}; it ends with:\n" + "\n".join(f"  {line}" for line in last)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it, the file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
