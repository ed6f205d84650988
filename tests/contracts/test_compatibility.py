"""What the checker calls compatible holds on values; each change that it refuses has a value that proves it right."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.compatibility import findings
from contracts.subset import Outside, Schema
from tests.contracts.schemas import SIMPLE, changed, documents, opened, values

Part = dict[str, Any]

TEXT: Part = {"type": "string"}
WHOLE: Part = {"type": "integer"}
NULL: Part = {"type": "null"}
COLOUR: Part = {"enum": ["red", "green"], "type": "string"}
POINT: Part = {"$ref": "#/$defs/Point"}
TREE: Part = {"$ref": "#/$defs/Tree"}


def message(part: Part = TEXT, *, required: bool = True, **definitions: Part) -> Part:
    """A message with one field, `f`."""
    return of({"f": part}, ["f"] if required else [], **definitions)


def of(fields: dict[str, Part], required: list[str], **definitions: Part) -> Part:
    schema: Part = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {**schema, "$defs": definitions} if definitions else schema


def tree(**more: Part) -> Part:
    return of({"word": TEXT, "below": {"type": "array", "items": TREE}, **more}, ["word", "below"])


def either(*branches: Part) -> Part:
    return {"anyOf": list(branches)}


def tagged(*branches: Part) -> Part:
    return {"oneOf": list(branches), "discriminator": {"propertyName": "kind"}}


def of_kind(kind: str, **fields: Part) -> Part:
    return of({"kind": {"const": kind, "type": "string"}, **fields}, ["kind", *fields])


def holds(schema: Part, value: Any) -> bool:
    return bool(Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value))


def assert_read(data: st.DataObject, written: Part, read: Part) -> None:
    """Whatever is compatible holds on values."""
    try:
        if findings(written, read):
            return
    except Outside:
        return
    for value in data.draw(st.lists(values(written), min_size=2, max_size=2)):
        assert not holds(written, value) or holds(opened(read), value), f"{read} does not take {value} of {written}"


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_compatible_change_of_a_message_is_read_whatever_is_written(data: st.DataObject) -> None:
    written = data.draw(documents())
    assert_read(data, written, data.draw(changed(written)))


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_compatible_change_of_a_field_is_read_whatever_is_written(data: st.DataObject) -> None:
    part = data.draw(SIMPLE)
    assert_read(data, message(part), message(data.draw(changed(part, 6) | SIMPLE)))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(documents())
def test_a_schema_is_compatible_with_itself_and_with_one_more_optional_field(schema: Part) -> None:
    try:
        assert findings(schema, schema) == []
    except Outside:
        assume(False)
    more = {**schema, "properties": {**schema["properties"], "more": TEXT}}
    assert findings(schema, more) == findings(more, schema) == []


COMPATIBLE = {
    "an optional field": (message(), of({"f": TEXT, "g": either(TEXT, NULL)}, ["f"])),
    "an optional field below": (
        message(POINT, Point=of({"x": WHOLE}, ["x"])),
        message(POINT, Point=of({"x": WHOLE, "y": WHOLE}, ["x"])),
    ),
    "an optional field of what holds itself": (message(TREE, Tree=tree()), message(TREE, Tree=tree(more=TEXT))),
    "another order": (message(COLOUR), message({"enum": ["green", "red"], "type": "string"})),
    "another way to say one value": (message({"const": "a", "type": "string"}), message({"enum": ["a"]})),
    "another order of alternatives": (message(either(TEXT, NULL)), message(either(NULL, TEXT))),
    "a list told as two": (message(COLOUR), message(either({"const": "red"}, {"const": "green"}))),
    "truth told as its values": (message({"type": "boolean"}), message({"enum": [True, False]})),
    "another name of a part": (
        message(POINT, Point=of({"x": WHOLE}, ["x"])),
        message({"$ref": "#/$defs/Dot"}, Dot=of({"x": WHOLE}, ["x"])),
    ),
    "a part told in place": (message(POINT, Point=of({"x": WHOLE}, [])), message(of({"x": WHOLE}, []))),
    "the same limit of whole numbers": (
        message({"type": "integer", "minimum": 1}),
        message({"type": "integer", "exclusiveMinimum": 0}),
    ),
    "other words": (message({**TEXT, "title": "F"}), message({**TEXT, "title": "G", "description": "A field."})),
    "tagged objects in another order": (
        message(tagged(of_kind("a"), of_kind("b"))),
        message(tagged(of_kind("b"), of_kind("a"))),
    ),
}


@pytest.mark.parametrize(("one", "other"), COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_change_that_breaks_no_reader_passes_both_ways(one: Part, other: Part) -> None:
    assert findings(one, other) == []
    assert findings(other, one) == []


BREAKING: dict[str, tuple[Part, Part, str, str, Any]] = {
    "a new required field": (message(), of({"f": TEXT, "g": TEXT}, ["f", "g"]), "g", "required", {"f": ""}),
    "a field made required": (message(required=False), message(), "f", "required", {}),
    "a new required field below": (
        message({"type": "array", "items": POINT}, Point=of({"x": WHOLE}, ["x"])),
        message({"type": "array", "items": POINT}, Point=of({"x": WHOLE, "y": WHOLE}, ["x", "y"])),
        "f[].y",
        "required",
        {"f": [{"x": 1}]},
    ),
    "a new required field of what holds itself": (
        message(TREE, Tree=tree()),
        message(TREE, Tree={**tree(more=TEXT), "required": ["word", "below", "more"]}),
        "f.more",
        "required",
        {"f": {"word": "", "below": []}},
    ),
    "another type": (message(), message(WHOLE), "f", "type", {"f": ""}),
    "an object for a text": (message(of({}, [])), message(), "f", "type", {"f": {}}),
    "null no more": (message(either(TEXT, NULL)), message(), "f", "type", {"f": None}),
    "a branch no more": (message(either(TEXT, WHOLE)), message(either(TEXT, NULL)), "f", "type", {"f": 1}),
    "whole numbers only": (message({"type": "number"}), message(WHOLE), "f", "type", {"f": 0.5}),
    "truth is no number": (message({"type": "boolean"}), message(WHOLE), "f", "type", {"f": True}),
    "one is not true": (message({"const": 1}), message({"const": True}), "f", "enum", {"f": 1}),
    "a grown list": (
        message({"enum": ["red", "green", "blue"], "type": "string"}),
        message(COLOUR),
        "f",
        "enum",
        {"f": "blue"},
    ),
    "null in a grown list": (message({"enum": ["red", None]}), message({"enum": ["red"]}), "f", "enum", {"f": None}),
    "a list for any text": (message(), message(COLOUR), "f", "enum", {"f": "blue"}),
    "another constant": (message({"const": "a"}), message({"const": "b"}), "f", "enum", {"f": "a"}),
    "a lower most": (
        message({**TEXT, "maxLength": 9}),
        message({**TEXT, "maxLength": 8}),
        "f",
        "bounds",
        {"f": "a" * 9},
    ),
    "a higher least": (message(), message({**TEXT, "minLength": 1}), "f", "bounds", {"f": ""}),
    "a listed text that is too long": (message(COLOUR), message({**TEXT, "maxLength": 4}), "f", "type", {"f": "green"}),
    "a listed text in another form": (
        message(COLOUR),
        message({**TEXT, "pattern": "^[A-Z]"}),
        "f",
        "type",
        {"f": "red"},
    ),
    "a listed text that is no date": (message(COLOUR), message({**TEXT, "format": "date"}), "f", "type", {"f": "red"}),
    "fewer entries": (
        message({"type": "array", "items": TEXT}),
        message({"type": "array", "items": TEXT, "maxItems": 1}),
        "f",
        "bounds",
        {"f": ["", ""]},
    ),
    "an entry at least": (
        message({"type": "array", "items": TEXT}),
        message({"type": "array", "items": TEXT, "minItems": 1}),
        "f",
        "bounds",
        {"f": []},
    ),
    "a smaller number": (message(WHOLE), message({**WHOLE, "maximum": 5}), "f", "bounds", {"f": 6}),
    "a larger number": (message({**WHOLE, "minimum": 0}), message({**WHOLE, "minimum": 1}), "f", "bounds", {"f": 0}),
    "a limit itself left out": (
        message({"type": "number", "minimum": 0}),
        message({"type": "number", "exclusiveMinimum": 0}),
        "f",
        "bounds",
        {"f": 0},
    ),
    "another pattern": (
        message({**TEXT, "pattern": "^a"}),
        message({**TEXT, "pattern": "^b"}),
        "f",
        "pattern",
        {"f": "a"},
    ),
    "a new pattern": (message(), message({**TEXT, "pattern": "^b"}), "f", "pattern", {"f": "a"}),
    "a new format": (message(), message({**TEXT, "format": "date"}), "f", "format", {"f": "a"}),
    "another tag": (
        message(tagged(of_kind("a"), of_kind("c"))),
        message(tagged(of_kind("a"), of_kind("b"))),
        "f.kind",
        "enum",
        {"f": {"kind": "c"}},
    ),
    "a field of one of several": (
        message(tagged(of_kind("a"), of_kind("b"))),
        message(tagged(of_kind("a"), of_kind("b", x=TEXT))),
        "f.x",
        "required",
        {"f": {"kind": "b"}},
    ),
}


@pytest.mark.parametrize(("written", "read", "field", "rule", "value"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_a_reader_is_found_and_a_value_proves_it(
    written: Part, read: Part, field: str, rule: str, value: Any
) -> None:
    assert [(found.field, found.rule) for found in findings(written, read)] == [(field, rule)]
    assert holds(written, value)
    assert not holds(opened(read), value)


def test_a_missing_field_that_comes_to_mean_something_else_is_found() -> None:
    """No schema sees it: the value stays valid."""
    one, other = (message({**TEXT, "default": word}, required=False) for word in ("routine", "urgent"))
    (found,) = findings(one, other)
    assert (found.field, found.rule) == ("f", "default")
    assert "routine" in found.may
    assert "urgent" in found.then


def test_a_closed_reader_misses_a_field_that_is_gone() -> None:
    one, other = of({"f": TEXT, "g": TEXT}, ["f"]), message()
    assert findings(one, other) == []
    assert [(found.field, found.rule) for found in findings(one, other, closed=True)] == [("g", "unknown-field")]
    assert not holds(other, {"f": "", "g": ""})


OUTSIDE: dict[str, Part] = {
    "any value": message({}),
    "any entry": message({"type": "array"}),
    "several types": message({"type": ["string", "null"]}),
    "a map": message({"type": "object", "additionalProperties": TEXT}),
    "an open object": message({"type": "object", "properties": {"x": TEXT}}),
    "a tuple": message({"type": "array", "prefixItems": [TEXT]}),
    "a set": message({"type": "array", "items": TEXT, "uniqueItems": True}),
    "a multiple": message({"type": "integer", "multipleOf": 2}),
    "all of": message({"allOf": [TEXT]}),
    "not": message({"not": TEXT}),
    "limits beside a reference": message({**POINT, "minProperties": 1}, Point=of({}, [])),
    "limits of a closed list": message({**COLOUR, "maxLength": 3}),
    "a listed value of another type": message({"enum": ["a", 1], "type": "string"}),
    "a listed object": message({"enum": [{}]}),
    "a list of nothing": message({"enum": []}),
    "one of nothing": message({"anyOf": []}),
    "objects that nothing tells apart": message(either(of({"x": TEXT}, []), of({"y": TEXT}, []))),
    "lists that nothing tells apart": message(either(*({"type": "array", "items": each} for each in (TEXT, WHOLE)))),
    "one of, with no tag": message({"oneOf": [of_kind("a"), of_kind("b")]}),
    "one of, with the same tag": message(tagged(of_kind("a"), of_kind("a", x=TEXT))),
    "one of, with a free tag": message(tagged(of_kind("a"), of({"kind": TEXT}, ["kind"]))),
    "one of, with a tag that may lack": message(tagged(of_kind("a"), of({"kind": {"const": "b"}}, []))),
    "a reference to elsewhere": message({"$ref": "https://example.org/schema"}),
    "a reference to nothing": message(POINT),
    "a reference that leads back to itself": message(POINT, Point=either(POINT, NULL)),
    "a required field that is not described": of({"f": TEXT}, ["f", "g"]),
}


@pytest.mark.parametrize("schema", OUTSIDE.values(), ids=OUTSIDE)
def test_what_cannot_be_compared_is_refused_with_a_sentence(schema: Part) -> None:
    with pytest.raises(Outside, match=r"\.$"):
        Schema(schema)
