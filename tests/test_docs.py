"""What the documents name is there: files, commands, messages."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from contracts.message import MESSAGES
from deploy.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in page.relative_to(ROOT).parts)
)

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"```(\w*)\n(.*?)```|`([^`\n]+)`", re.DOTALL)
CONTAINER = r"(?:.*docker compose run --rm (?:-T )?(?:--no-deps )?(?:secrets|furthest) )"
COMMAND = re.compile(rf"^(?:(?:\.venv/bin/)?furthest |{CONTAINER})(\w.+)$", re.MULTILINE)
MESSAGE = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _code(path: Path) -> Iterator[tuple[str, str]]:
    """The language and the text of each piece of code; a piece in a line has none."""
    for block in CODE.finditer(_text(path)):
        yield block[1] or "", block[2] or block[3]


def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made by those who show it."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(_text(path)))
    return {each.strip().replace(" ", "-") for each in words}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(_text(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_relative_to(ROOT), f"{link} points outside the project"
        assert target.exists(), f"there is no {link}"
        assert not anchor or anchor in _anchors(target), f"there is no heading for {link}"


def _commands(page: Path) -> Iterator[str]:
    for _, code in _code(page):
        yield from (re.split(r" [|<>] ", line)[0] for line in COMMAND.findall(code))


def _assert_there(line: str) -> None:
    """Follows the words of a command to the end of what the command line knows; the rest are its arguments."""
    known = typer.main.get_command(app)
    words = shlex.split(line)
    while words and words[0] in (commands := getattr(known, "commands", {})):
        known = commands[words.pop(0)]
    assert not getattr(known, "commands", {}), f"furthest {line}: there is no such command"
    options = {name for parameter in known.params for name in parameter.opts} | {"--help"}
    for option in (word.partition("=")[0] for word in words if word.startswith("-")):
        assert option in options, f"furthest {line}: it has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_and_its_options_are_there(page: Path) -> None:
    for line in _commands(page):
        _assert_there(line)


@pytest.mark.parametrize("line", ["upp", "partner", "partner rename x", "up --fast"])
def test_a_command_that_is_not_there_is_found(line: str) -> None:
    with pytest.raises(AssertionError):
        _assert_there(line)


def test_the_commands_of_the_command_line_are_documented() -> None:
    documented = {tuple(line.split()) for line in _commands(ROOT / "docs" / "operations.md")}
    groups = getattr(typer.main.get_command(app), "commands", {})
    for name, command in groups.items():
        paths: list[tuple[str, ...]] = [(name, sub) for sub in getattr(command, "commands", {})] or [(name,)]
        for path in paths:
            assert any(words[: len(path)] == path for words in documented), f"furthest {' '.join(path)}"


def test_every_message_is_documented_and_none_that_is_not_there() -> None:
    there = {model.__name__ for model in MESSAGES.values()}
    tables = [line for page in ("design", "partners") for line in _text(ROOT / "docs" / f"{page}.md").splitlines()]
    named = {word for line in tables if line.startswith("|") for word in MESSAGE.findall(line)}
    assert there - named == set(), "name it in docs/design.md or docs/partners.md"
    assert named - there == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_in_the_documents_can_be_read(page: Path) -> None:
    for language, code in _code(page):
        if language == "python":
            ast.parse(code)
