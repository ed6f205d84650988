"""Schemas of the subset, changes of them, and values that are valid by them; all drawn by hypothesis."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = ["a", "b", "c"]
WORDS = ["red", "green", "blue", "x"]
PATTERNS = [r"^[a-z]{1,3}$", r"^[A-Z][0-9]{2}$"]
FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "uuid": st.uuids().map(str),
}
SMALL = st.integers(0, 3)


def nothing_but(**keywords: Any) -> Schema:
    return {name: value for name, value in keywords.items() if value is not None}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def limits(low: str, high: str) -> st.SearchStrategy[Schema]:
    pairs = st.tuples(maybe(SMALL), maybe(SMALL.map(lambda n: n + 3)))
    return pairs.map(lambda pair: nothing_but(**{low: pair[0], high: pair[1]}))


TEXTS = st.one_of(
    limits("minLength", "maxLength"),
    st.sampled_from(PATTERNS).map(lambda p: {"pattern": p}),
    st.sampled_from(sorted(FORMATS)).map(lambda f: {"format": f}),
).map(lambda keywords: {"type": "string", **keywords})
NUMBERS = st.builds(
    lambda kind, some: {"type": kind, **some},
    st.sampled_from(["integer", "number"]),
    limits("minimum", "maximum") | limits("exclusiveMinimum", "exclusiveMaximum"),
)
LISTS = st.lists(st.sampled_from([*WORDS, 1, 2, None, True]), min_size=1, max_size=4, unique_by=repr).map(
    lambda values: {"const": values[0]} if len(values) == 1 else {"enum": values}
)
LEAVES = st.one_of(TEXTS, NUMBERS, LISTS, st.sampled_from([{"type": "boolean"}, {"type": "null"}]))


def objects(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(st.sampled_from(NAMES), st.tuples(parts, st.booleans()), max_size=3)
    return fields.map(
        lambda named: {
            "type": "object",
            "properties": {name: part for name, (part, _) in named.items()},
            "required": [name for name, (_, required) in named.items() if required],
            "additionalProperties": False,
        }
    )


def tagged(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Objects of which each has a constant `kind` of its own."""

    def with_tag(schema: Schema, tag: str) -> Schema:
        properties = {**schema["properties"], "kind": {"const": tag, "type": "string"}}
        return {**schema, "properties": properties, "required": [*schema["required"], "kind"]}

    branches = st.dictionaries(st.sampled_from(WORDS), objects(parts), min_size=1, max_size=3)
    return branches.map(
        lambda each: {
            "oneOf": [with_tag(schema, tag) for tag, schema in each.items()],
            "discriminator": {"propertyName": "kind"},
        }
    )


def compound(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    lists = st.builds(
        lambda items, some: {"type": "array", "items": items, **some}, parts, limits("minItems", "maxItems")
    )
    unions = st.lists(LEAVES, min_size=2, max_size=3).map(lambda branches: {"anyOf": branches})
    nullable = (objects(parts) | lists).map(lambda part: {"anyOf": [part, {"type": "null"}]})
    return st.one_of(objects(parts), lists, unions, nullable, tagged(parts))


REFERENCES = st.sampled_from([{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}])
SIMPLE = LEAVES | compound(LEAVES)
PARTS = st.recursive(LEAVES | REFERENCES, compound, max_leaves=4)


@st.composite
def documents(draw: Draw) -> Schema:
    """A message: an object, and two parts that it and they themselves may name."""
    definitions = {name: draw(objects(PARTS)) for name in ("A", "B")}
    return {**draw(objects(PARTS)), "$defs": definitions}


@st.composite
def changed(draw: Draw, schema: Schema, seldom: int = 20) -> Schema:
    """A schema like this one, with a few of its places changed; the higher `seldom`, the fewer."""
    choice = draw(st.integers(0, seldom))
    if "properties" in schema:
        new = _changed_object(schema, choice)
    elif choice == 0:
        new = PARTS
    elif "items" in schema:
        new = changed(schema["items"]).map(lambda items: {**schema, "items": items})
    elif schema.keys() & {"anyOf", "oneOf"}:
        new = _changed_union(schema, choice)
    else:
        new = _changed_leaf(schema, choice)
    return dict(draw(new))


@st.composite
def _changed_union(draw: Draw, schema: Schema, choice: int) -> Schema:
    (union,) = schema.keys() & {"anyOf", "oneOf"}
    branches = [draw(changed(branch)) for branch in schema[union]]
    return {**schema, union: branches[1:] if choice == 1 and len(branches) > 1 else branches[::-1]}


@st.composite
def _changed_object(draw: Draw, schema: Schema, choice: int) -> Schema:
    properties = {name: part if name == "kind" else draw(changed(part)) for name, part in schema["properties"].items()}
    required = list(schema["required"])
    if choice in {1, 2, 3}:
        name = draw(st.sampled_from(NAMES))
        properties[name] = draw(PARTS)
        if choice == 1:
            required = sorted({*required, name})
    if choice == 4 and required:
        required = required[1:]
    if choice == 5:
        properties = {name: part for name, part in properties.items() if name in {*required, "kind"}}
    more = {"$defs": {name: draw(changed(part)) for name, part in schema["$defs"].items()}} if "$defs" in schema else {}
    return {**schema, "properties": properties, "required": required, **more}


@st.composite
def _changed_leaf(draw: Draw, schema: Schema, choice: int) -> Schema:
    if choice == 1 and "enum" in schema:
        return {"enum": schema["enum"][::-1]}
    if choice == 2 and "const" in schema:
        return {"enum": [schema["const"]]}
    if choice == 3 and schema.get("type") in {"string", "integer"} and "enum" not in schema:
        names = ("minLength", "maxLength") if schema["type"] == "string" else ("minimum", "maximum")
        return {"type": schema["type"], **draw(limits(*names))}
    if choice == 4:
        return {"anyOf": [schema, {"type": "null"}]}
    if choice == 5 and schema.get("type") in {"string", "integer"}:
        return {"type": {"string": "string", "integer": "number"}[schema["type"]]}
    return schema


def opened(schema: Any) -> Any:
    """The view of a reader: fields that it does not know are passed over."""
    if isinstance(schema, list):
        return [opened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: opened(part) for key, part in schema.items() if key != "additionalProperties"}


DEEPEST = 6


@st.composite
def values(draw: Draw, document: Schema, part: Schema | None = None, depth: int = 0) -> Any:
    """A value that is mostly valid by the schema: too deep a one ends in null, and bounds may leave no room."""
    part = document if part is None else part
    if depth > DEEPEST:
        return None
    if "$ref" in part:
        return draw(values(document, document["$defs"][part["$ref"].rpartition("/")[2]], depth + 1))
    if branches := part.get("anyOf") or part.get("oneOf"):
        return draw(values(document, draw(st.sampled_from(branches)), depth))
    if "properties" in part:
        held = [name for name in part["properties"] if name in part["required"] or draw(st.booleans())]
        return {name: draw(values(document, part["properties"][name], depth + 1)) for name in held}
    if "items" in part:
        fewest = part.get("minItems", 0)
        number = draw(st.integers(fewest, min(part.get("maxItems", 3), 3) if depth < 3 else fewest))
        return [draw(values(document, part["items"], depth + 1)) for _ in range(number)]
    return draw(_scalar(part))


def _scalar(part: Schema) -> st.SearchStrategy[Any]:
    if listed := part.get("enum") or ([part["const"]] if "const" in part else None):
        return st.sampled_from(listed)
    if "pattern" in part:
        return st.from_regex(part["pattern"], fullmatch=True)
    if "format" in part:
        return FORMATS[part["format"]]
    lowest = part.get("minimum", part.get("exclusiveMinimum"))
    highest = part.get("maximum", part.get("exclusiveMaximum"))
    return {
        "string": st.text("aZ1é", min_size=part.get("minLength", 0), max_size=part.get("maxLength", 9)),
        "integer": st.integers(lowest, highest),
        "number": st.floats(lowest, highest, allow_nan=False, allow_infinity=False) | st.integers(lowest, highest),
        "boolean": st.booleans(),
        "null": st.none(),
    }[part["type"]]
