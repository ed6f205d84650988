"""The rules of this repository that no linter knows. Who may import whom is in pyproject.toml, under importlinter."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import catalogue
from contracts.message import MESSAGES, SERVICES
from contracts.topics import INBOX
from tests.built import built

ROOT = Path(__file__).parents[1]
PACKAGES = ("contracts", "chassis", "services", "deploy")

ROOMS = {
    "__init__", "__main__", "service", "settings", "events_in", "handlers", "domain", "store", "migrations",
    "events_out", "api", "clients", "pages", "templates",
}  # fmt: skip
NEEDED_ROOMS = {"__init__", "__main__", "service", "settings", "events_in", "store", "migrations"}

MODULE_LINES = 300
FUNCTION_LINES = 40
LONGER: dict[str, str] = {}
"""Modules (`chassis/x.py`) and functions (`chassis/x.py:name`) that may be longer, each with the reason."""

NOT_PURE = {
    "asyncio", "http", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "socket",
    "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
"""Modules of the standard library that look at the world: a domain takes what it needs as an argument."""
LOOKS_AT_THE_WORLD = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}

REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
    )
)
"""In pieces, so that this file does not name them either."""


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    entries = [path for path in (ROOT / "services" / service).iterdir() if path.name != "__pycache__"]
    rooms = {path.stem for path in entries}
    assert rooms <= ROOMS, f"services/{service} has rooms that others do not have: {sorted(rooms - ROOMS)}"
    assert rooms >= NEEDED_ROOMS, f"services/{service} lacks {sorted(NEEDED_ROOMS - rooms)}"
    assert len(rooms) == len(entries), f"services/{service} has a room that is both a file and a folder"


def test_there_is_no_service_outside_the_catalogue() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    assert folders == set(SERVICES)


def test_a_module_is_read_in_one_sitting() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _modules(*PACKAGES)}
    long = [f"{name} has {n} lines" for name, n in lengths.items() if n > MODULE_LINES and name not in LONGER]
    assert not long, "cut it in two"


def _functions(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function with its lines, those of functions inside it left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            yield node, lines - sum(inner for child in node.body for _, inner in _functions(child))


def test_a_function_is_seen_at_once() -> None:
    lengths = {
        f"{_name(path)}:{node.name}": lines for path in _modules(*PACKAGES) for node, lines in _functions(_tree(path))
    }
    long = [f"{name} has {n} lines" for name, n in lengths.items() if n > FUNCTION_LINES and name not in LONGER]
    assert not long, "give a part of it a name"


def test_what_may_be_longer_is_there_and_has_a_reason() -> None:
    for place, reason in LONGER.items():
        assert (ROOT / place.partition(":")[0]).exists(), f"{place} is gone: take it out of LONGER"
        assert reason


@pytest.mark.parametrize("path", [p for s in SERVICES for p in _modules(f"services/{s}/domain")], ids=_name)
def test_a_domain_is_pure(path: Path) -> None:
    tree, own = _tree(path), _name(path).rpartition("/")[0].replace("/", ".")
    for module in _imports(tree):
        top = module.partition(".")[0]
        known = top == "contracts" or module.startswith(own) or top in sys.stdlib_module_names
        assert known, f"a domain imports the standard library and contracts, not {module}"
        assert top not in NOT_PURE, f"a domain does not use {module}: pass in what it would ask for"
    calls = {_called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & LOOKS_AT_THE_WORLD, "a domain takes `at`, ids and texts as arguments"
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_handles_what_the_catalogue_says_it_consumes(service: Any) -> None:
    wired = built(service)
    handled = {message.spec.type: message for message in wired.handlers}
    assert wired.name == service
    assert handled == catalogue.consumed_by(service)
    assert wired.reads == catalogue.topics_read(service)
    assert bool(wired.inbox_models) == (service in catalogue.READS_INBOXES)


def test_one_service_answers_messages_that_nobody_knows() -> None:
    assert [s for s in SERVICES if built(s).answers_unknown] == [catalogue.OWNER_OF_UNKNOWN]


def _migrations() -> list[Path]:
    return sorted(path for folder in ("chassis", "services") for path in (ROOT / folder).rglob("migrations/*"))


@pytest.mark.parametrize("path", _migrations(), ids=_name)
def test_a_migration_says_when_it_runs_and_waits_for_no_lock(path: Path) -> None:
    assert re.fullmatch(r"[0-9]{4}_(pre|post)_[a-z0-9_]+\.sql", path.name), "NNNN_pre_what.sql or NNNN_post_what.sql"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"set local lock_timeout = '[1-9]s';", first), "begin with set local lock_timeout = '5s';"


def test_migrations_are_numbered_without_gaps() -> None:
    for folder in {path.parent for path in _migrations()}:
        numbers = [int(path.name[:4]) for path in sorted(folder.glob("*.sql"))]
        assert numbers == list(range(1, len(numbers) + 1)), _name(folder)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_described_and_has_a_valid_example(name: str) -> None:
    model = MESSAGES[name]
    assert (vars(model).get("__doc__") or "").strip(), "its docstring is what the catalogue tells about it"
    example = model.model_validate(model.example)
    assert model.model_validate_json(example.model_dump_json()) == example
    assert example.key()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_travels_on_a_topic_there_is_and_is_declared_where_the_catalogue_looks(name: str) -> None:
    model = MESSAGES[name]
    topics = {topic.name for topic in catalogue.TOPICS} | {topic.name for topic in catalogue.partner_topics("*")}
    assert model.spec.topic in topics
    assert model.__module__ in {module.__name__ for module in catalogue.DECLARED_IN}
    assert len(set(model.spec.consumers)) == len(model.spec.consumers)
    assert model.spec.topic != INBOX or model.spec.consumers == (model.spec.owner,)


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git, wherever it is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    named = listed.stdout.decode().split("\0")[:-1] if listed.returncode == 0 else []
    hidden = {".git", ".venv", ".furthest", ".mypy_cache", ".ruff_cache", "node_modules"}
    return [ROOT / name for name in named] or [
        path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.relative_to(ROOT).parts)
    ]


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of the machine: mirrors are set up there."""
    naming = [
        f"{_name(path)} names {host}"
        for path in _files()
        if path.is_file()
        for host in REGISTRIES
        if host.encode() in path.read_bytes()
    ]
    assert not naming
