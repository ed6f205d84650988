"""The jars of Apache Kafka: pinned in jars.txt, fetched once into a cache, checked at every start."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver
from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import track

from deploy.embedded.processes import EmbeddedError, locked

PINS = Path(__file__).with_name("jars.txt")
ATTEMPTS = 3
AT_ONCE = 6
STAGING = ".fetching-"

T = TypeVar("T")


class JarError(EmbeddedError):
    """A jar could not be fetched."""


class JarMismatchError(JarError):
    """A jar is not the one that is pinned."""


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def cache() -> Path:
    """Where what was fetched is kept: `$FURTHEST_CACHE`, or the user's cache directory."""
    given = os.environ.get("FURTHEST_CACHE")
    return Path(given).resolve() if given else user_cache_path("furthest-first")


def pinned(pins: Path = PINS) -> list[Jar]:
    """Lines of `group:artifact:version sha256`."""
    return [Jar(*line.replace(" ", ":").split(":")) for line in pins.read_text().splitlines() if line]


def class_path(jars: Sequence[Jar] | None = None) -> list[Path]:
    """Every pinned jar, in the order of the list, fetched if it is missing and checked. Raises JarError."""
    home = cache() / "jars"
    jars = pinned() if jars is None else jars
    if _missing(jars, home):
        with locked(home / ".lock"):
            _fetch_all(_missing(jars, home), home)
    for jar in jars:
        _check(jar, home / jar.file_name, f"Delete it and start again: it is then fetched anew ({home}).")
    return [home / jar.file_name for jar in jars]


def maven(repository: Path) -> MavenContext:
    """The configuration of jgo says where from; a mirror is set there, under the name it replaces."""
    plain = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=60)
    plain.remote_repos.update(GlobalSettings.load().repositories)
    return plain


def _missing(jars: Sequence[Jar], home: Path) -> list[Jar]:
    return [jar for jar in jars if not (home / jar.file_name).exists()]


def _fetch_all(jars: Sequence[Jar], home: Path) -> None:
    for left_behind in home.glob(STAGING + "*"):
        shutil.rmtree(left_behind)
    if not jars:
        return
    staging = tempfile.TemporaryDirectory(dir=home, prefix=STAGING)
    with staging, ThreadPoolExecutor(AT_ONCE) as pool:
        context = maven(Path(staging.name))
        futures = [pool.submit(_fetch, jar, context, home) for jar in jars]
        try:
            for done in _progress(as_completed(futures), len(jars)):
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _progress(steps: Iterable[T], total: int) -> Iterable[T]:
    console = Console(stderr=True)
    what = f"Fetching Apache Kafka, {total} jars, once"
    if console.is_terminal:
        return track(steps, what, total=total, console=console, transient=True)
    console.print(what)
    return steps


def _fetch(jar: Jar, context: MavenContext, home: Path) -> None:
    fetched = _download(jar, context)
    _check(jar, fetched, "It was not kept. Try again; if it stays so, do not trust the place it comes from.")
    fetched.replace(home / jar.file_name)


def _download(jar: Jar, context: MavenContext) -> Path:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            return artifact.resolve()
        except (OSError, RuntimeError) as error:
            problem = str(error)
            if artifact.cached_path:
                artifact.cached_path.unlink(missing_ok=True)
    raise JarError(
        f"{jar.coordinate} could not be fetched, tried {ATTEMPTS} times: {problem}. "
        "Look at the network and at HTTPS_PROXY; a mirror goes into the [repositories] of jgo's settings. "
        "Or give the address of a broker of your own."
    )


def _check(jar: Jar, path: Path, advice: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise JarMismatchError(
            f"{path} is not the pinned {jar.coordinate}: expected SHA-256 {jar.sha256}, got {found}. {advice}"
        )
