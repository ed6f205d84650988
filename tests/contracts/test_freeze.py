"""Every message keeps what it ever promised; a change that breaks a reader is told with a sentence."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import create_model

from contracts.freeze import MANIFEST, SCHEMAS, Changed, Document, check, freeze, frozen
from contracts.message import MESSAGES, Message, Spec
from contracts.topics import INBOX

FROZEN = frozen()
REVISIONS = [(kind, number) for kind, revisions in FROZEN.items() for number in range(len(revisions))]
TYPE = "furthest.toy.Said.v1"
Messages = dict[str, type[Message]]


def messages(
    name: str = TYPE, *, topic: str = "toy", consumers: tuple[Any, ...] = (), doc: str = "A toy.", **fields: Any
) -> Messages:
    """A catalogue of one message, with the fields given beside `word`."""
    model = create_model("Said", __base__=Message, __doc__=doc, word=(str, ...), **fields)
    model.spec = Spec(name, topic, "word", "grants", consumers, "none")
    model.example = {"word": "hello"}
    return {name: model}


class Narrow(Message):
    word: int
    spec = Spec(TYPE, "toy", "word", "grants", (), "none")
    example: ClassVar[dict[str, Any]] = {"word": 1}


def problems(folder: Path, changed: Messages) -> list[str]:
    """What is told of a change, having checked that freezing it is refused and writes nothing."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Changed) as refused:
        freeze(changed, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert check(changed, folder) == refused.value.lines
    return refused.value.lines


def test_every_message_keeps_its_frozen_promises() -> None:
    broken = check()
    assert not broken, "\n".join(broken)


def _revision(kind: str, number: int) -> Document:
    return FROZEN[kind][number]


@pytest.mark.parametrize(("kind", "number"), REVISIONS)
def test_a_frozen_example_is_valid_by_its_frozen_schema(kind: str, number: int) -> None:
    schema = _revision(kind, number)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for example in schema["examples"]:
        validator.validate(example)


@pytest.mark.parametrize(("kind", "number"), REVISIONS)
def test_a_frozen_example_is_read_by_todays_model(kind: str, number: int) -> None:
    for example in _revision(kind, number)["examples"]:
        told = json.dumps({**example, "a-field-of-tomorrow": 1})
        MESSAGES[kind].read(kind, told, extra="ignore")


def test_writers_are_closed() -> None:
    schemas = [revision for revisions in FROZEN.values() for revision in revisions]
    parts = [part for schema in schemas for part in (schema, *schema.get("$defs", {}).values())]
    opened = [part["title"] for part in parts if "properties" in part and part["additionalProperties"] is not False]
    assert not opened


def test_only_new_messages_are_written(tmp_path: Path) -> None:
    assert freeze(messages(), tmp_path) == [f"{TYPE}.json"]
    before = (tmp_path / f"{TYPE}.json").stat().st_mtime_ns
    second = "furthest.toy.Said.v2"
    assert freeze({**messages(), **messages(second, more=(int, ...))}, tmp_path) == [f"{second}.json"]
    assert (tmp_path / f"{TYPE}.json").stat().st_mtime_ns == before
    assert freeze({**messages(), **messages(second, more=(int, ...))}, tmp_path) == []


def test_a_change_that_breaks_no_reader_is_frozen_as_a_revision(tmp_path: Path) -> None:
    freeze(messages(), tmp_path)
    grown = messages(more=(int | None, None))
    (told,) = check(grown, tmp_path)
    assert told.startswith(f"{TYPE} has changed, in a way that breaks no reader, and is not frozen yet: run `furthest ")
    assert freeze(grown, tmp_path) == [f"{TYPE}.r2.json"]
    assert check(grown, tmp_path) == []
    assert [list(revision["properties"]) for revision in frozen(tmp_path)[TYPE]] == [["word"], ["more", "word"]]


def test_revisions_are_read_in_the_order_in_which_they_were_frozen(tmp_path: Path) -> None:
    fields: dict[str, Any] = {}
    for number in range(11):
        freeze(messages(**fields), tmp_path)
        fields[f"field_{number}"] = (int | None, None)
    assert [len(revision["properties"]) for revision in frozen(tmp_path)[TYPE]] == list(range(1, 12))


BESIDE = "or declare version 2 beside it, with `replaces=Said` and an `upcast`."
OLD, NEW = "a message of revision 1", "a message of the new model"
KEEPS = "does not take it. Let it be left out"
BROKEN: dict[str, tuple[Messages, str]] = {
    "a new required field": (
        messages(more=(int, ...)),
        f"{TYPE}, field `more`, rule required: {OLD} may lack it, and the new model {KEEPS}, with a default, {BESIDE}",
    ),
    "another type": (
        {TYPE: Narrow},
        f"{TYPE}, field `word`, rule type: {NEW} may hold a whole number, and a reader of revision 1 does not take it.",
    ),
    "the message is gone": (
        messages("furthest.toy.Other.v1"),
        f"{TYPE} is gone: put its model back. It stays as long ",
    ),
    "another topic": (messages(topic="there"), f"{TYPE}, topic: it was toy and is there. Put it back, {BESIDE}"),
    "not to be compared": (
        messages(more=(dict[str, int], {})),
        f"{TYPE} is outside what can be checked: more is open, or a map: name its fields",
    ),
}


@pytest.mark.parametrize(("changed", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_told_with_message_field_rule_and_what_to_do(
    tmp_path: Path, changed: Messages, told: str
) -> None:
    freeze(messages(), tmp_path)
    assert any(line.startswith(told) for line in problems(tmp_path, changed))


def test_a_reader_of_every_earlier_revision_counts(tmp_path: Path) -> None:
    """What came and went again is still held by somebody."""
    for shape in (messages(), messages(more=(Literal["a"] | None, None)), messages()):
        freeze(shape, tmp_path)
    assert len(frozen(tmp_path)[TYPE]) == 3
    told = problems(tmp_path, messages(more=(Literal["a", "b"] | None, None)))
    assert len(told) == 1
    assert 'field `more`, rule enum: a message of the new model may hold "b", and a reader of revision 2' in told[0]


def test_a_field_that_partners_may_still_send_stays(tmp_path: Path) -> None:
    """What partners write is read by a closed reader: a field that it does not know is refused."""
    for topic, number in (("toy", 0), (INBOX, 1)):
        folder = tmp_path / topic
        freeze(messages(topic=topic, more=(int | None, None)), folder)
        broken = [line for line in check(messages(topic=topic), folder) if "rule unknown-field" in line]
        assert len(broken) == number


def test_words_and_readers_may_grow(tmp_path: Path) -> None:
    freeze(messages(), tmp_path)
    assert not check(messages(consumers=("matching",), doc="A toy, told better."), tmp_path)


def test_a_field_may_be_named_like_a_word_of_the_schema(tmp_path: Path) -> None:
    freeze(messages(title=(str, ...)), tmp_path)
    assert check(messages(title=(int, ...)), tmp_path)
    assert check(messages(), tmp_path)


def test_a_file_edited_together_with_its_model_is_caught(tmp_path: Path) -> None:
    freeze(messages(), tmp_path)
    path, changed = tmp_path / f"{TYPE}.json", messages(more=(int, ...))
    other = tmp_path / "other"
    freeze(changed, other)
    path.write_bytes((other / path.name).read_bytes())
    (problem,) = check(changed, tmp_path)
    assert "SHA-256 differs from the line in MANIFEST" in problem
    assert f"git checkout -- contracts/schemas/{path.name}" in problem


@pytest.mark.parametrize("gone", [f"{TYPE}.json", MANIFEST])
def test_a_file_that_is_gone_is_missed(tmp_path: Path, gone: str) -> None:
    freeze(messages(), tmp_path)
    (tmp_path / gone).unlink()
    with pytest.raises(Changed, match="not as it was frozen"):
        freeze(messages(), tmp_path)


def test_a_message_that_is_not_frozen_is_named(tmp_path: Path) -> None:
    (problem,) = check(messages(), tmp_path)
    assert problem.startswith(f"{TYPE} is not frozen yet: run `furthest contracts freeze`")


def test_the_manifest_is_what_sha256sum_reads() -> None:
    lines = (SCHEMAS / MANIFEST).read_text().splitlines()
    files = sorted(SCHEMAS.glob("*.json"))
    assert lines == [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
