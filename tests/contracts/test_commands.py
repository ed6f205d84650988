"""`furthest contracts` says whether promises are kept, and prints what they are."""

import json
from pathlib import Path
from typing import ClassVar

from typer.testing import CliRunner, Result

from contracts.asyncapi import document
from contracts.freeze import MANIFEST, SCHEMAS
from contracts.message import MESSAGES, Message, fact
from deploy.cli import app


def furthest(*words: str) -> Result:
    return CliRunner().invoke(app, ["contracts", *words])


def test_a_promise_that_is_kept_is_said_so() -> None:
    told = furthest("check")
    assert (told.exit_code, told.stdout) == (0, f"All {len(MESSAGES)} messages keep what they promise.\n")
    assert json.loads(furthest("check", "--json").stdout) == {"messages": len(MESSAGES), "problems": []}


def test_a_problem_is_a_sentence_and_ends_with_1(declared: None) -> None:
    @fact("grants", key="name", data_class="none")
    class Painted(Message):
        name: str
        example: ClassVar = {"name": "door"}

    sentence = (
        "furthest.grants.Painted.v1 is not frozen yet: run `furthest contracts freeze` and check in what it writes."
    )
    for words in (["check"], ["check", "--json"]):
        told = furthest(*words)
        assert told.exit_code == 1
        assert sentence in (json.loads(told.stdout)["problems"] if "--json" in words else told.stderr.splitlines())


def test_freezing_again_changes_nothing() -> None:
    before = (SCHEMAS / MANIFEST).read_bytes()
    assert json.loads(furthest("freeze", "--json").stdout) == {"frozen": [], "problems": []}
    assert (SCHEMAS / MANIFEST).read_bytes() == before


def test_the_asyncapi_document_is_printed_or_written(tmp_path: Path) -> None:
    file = tmp_path / "asyncapi.json"
    assert json.loads(furthest("asyncapi").stdout) == document()
    told = json.loads(furthest("asyncapi", "--out", str(file), "--json").stdout)
    assert told == {"file": str(file), "messages": len(MESSAGES)}
    assert json.loads(file.read_text()) == document()
