"""Every message keeps what it promised when it was frozen."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator
from pydantic import create_model

from contracts.freeze import MANIFEST, SCHEMAS, Changed, check, freeze, frozen
from contracts.message import MESSAGES, Message, Spec

FROZEN = frozen()
TYPE = "furthest.toy.Said.v1"
Messages = dict[str, type[Message]]


def messages(name: str = TYPE, *, consumers: tuple[Any, ...] = (), doc: str = "A toy.", **fields: Any) -> Messages:
    """A catalogue of one message, with the fields given beside `word`."""
    model = create_model("Said", __base__=Message, __doc__=doc, word=(str, ...), **fields)
    model.spec = Spec(name, "toy", "word", "grants", consumers, "none")
    model.example = {"word": "hello"}
    return {name: model}


class Narrow(Message):
    word: int
    spec = Spec(TYPE, "toy", "word", "grants", (), "none")
    example: ClassVar[dict[str, Any]] = {"word": 1}


def test_every_message_keeps_its_frozen_promise() -> None:
    problems = check()
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_example_is_valid_by_its_frozen_schema(name: str) -> None:
    Draft202012Validator.check_schema(FROZEN[name])
    validator = Draft202012Validator(FROZEN[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
    for example in FROZEN[name]["examples"]:
        validator.validate(example)


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_example_is_read_by_todays_model(name: str) -> None:
    for example in FROZEN[name]["examples"]:
        MESSAGES[name].model_validate({**example, "a-field-of-tomorrow": 1}, extra="ignore")


def test_writers_are_closed() -> None:
    parts = [part for schema in FROZEN.values() for part in (schema, *schema.get("$defs", {}).values())]
    opened = [part["title"] for part in parts if "properties" in part and part["additionalProperties"] is not False]
    assert not opened


def test_only_new_messages_are_written(tmp_path: Path) -> None:
    assert freeze(messages(), tmp_path) == [TYPE]
    before = (tmp_path / f"{TYPE}.json").stat().st_mtime_ns
    second = "furthest.toy.Said.v2"
    assert freeze({**messages(), **messages(second, more=(int, ...))}, tmp_path) == [second]
    assert (tmp_path / f"{TYPE}.json").stat().st_mtime_ns == before
    assert freeze({**messages(), **messages(second, more=(int, ...))}, tmp_path) == []


@pytest.mark.parametrize(
    "changed",
    [messages(more=(int, ...)), messages(more=(int | None, None)), {TYPE: Narrow}, messages("furthest.toy.Other.v1")],
    ids=["a new required field", "a new optional field", "another type", "the message is gone"],
)
def test_a_changed_promise_is_refused_and_nothing_is_written(tmp_path: Path, changed: Messages) -> None:
    freeze(messages(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Changed, match=rf"{TYPE} no longer keeps its frozen promise: .* as version 2"):
        freeze(changed, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert TYPE in check(changed, tmp_path)[0]


def test_another_key_or_topic_is_another_promise(tmp_path: Path) -> None:
    freeze(messages(), tmp_path)
    moved = messages()
    moved[TYPE].spec = Spec(TYPE, "elsewhere", "word", "grants", (), "none")
    assert check(moved, tmp_path)


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
    assert problem.startswith(f"{TYPE} is not frozen yet: run `python -m contracts.freeze`")


def test_the_manifest_is_what_sha256sum_reads() -> None:
    lines = (SCHEMAS / MANIFEST).read_text().splitlines()
    assert lines == [
        f"{hashlib.sha256((SCHEMAS / f'{name}.json').read_bytes()).hexdigest()}  {name}.json" for name in sorted(FROZEN)
    ]
