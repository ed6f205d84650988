"""The part of JSON Schema that messages are written in: what pydantic says of our models, taken apart.

A place in a schema is flattened, through `$ref`, `anyOf` and `oneOf`, to its alternatives: shapes that can be compared
one with one. What is outside the subset (maps, tuples, sets, any value at all, objects that nothing tells apart) is
refused, because nobody could say whether a change of it breaks a reader.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

Part = Mapping[str, Any]
Bound = tuple[float, bool]
"""A number, and whether it is itself left out."""

WORDS: Final = frozenset({"title", "description", "examples", "default"})
OF_A_DOCUMENT: Final = frozenset({"$schema", "$id", "$defs"})
DEFS: Final = "#/$defs/"
HERE: Final = "the message"
KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "boolean": frozenset(),
    "null": frozenset(),
}
FEW: Final[Mapping[str, tuple[Any, ...]]] = {"null": (None,), "boolean": (False, True)}
TYPE_OF: Final = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Values:
    """A closed list: an enum, a constant, a truth value or null."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Text:
    shortest: int
    longest: float
    pattern: str | None
    format: str | None


@dataclass(frozen=True, slots=True)
class Number:
    whole: bool
    lowest: Bound
    highest: Bound


@dataclass(frozen=True, slots=True)
class Array:
    items: Part
    fewest: int
    most: float


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object. `default` is JSON, and empty where the schema tells none."""

    part: Part
    required: bool
    default: str


@dataclass(frozen=True, slots=True)
class Object:
    fields: Mapping[str, Field]


Shape = Values | Text | Number | Array | Object


class Outside(Exception):
    """Something that the subset lacks; the text says where and what to do instead."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema within the subset. Making one raises Outside where it is not."""

    document: Part

    def __post_init__(self) -> None:
        for name, part in self.document.get("$defs", {}).items():
            self._check(part, name)
        root = {key: value for key, value in self.document.items() if not key.startswith("x-")}
        self._check({key: value for key, value in root.items() if key not in OF_A_DOCUMENT}, "")

    def alternatives(self, part: Part, behind: frozenset[str] = frozenset()) -> list[Shape]:
        """The shapes that a value at this place may have."""
        if ref := part.get("$ref"):
            if ref in behind:
                raise Outside(f"{ref} leads back to itself: put an object or a list between.")
            return self.alternatives(self._target(ref), behind | {ref})
        if "anyOf" in part or "oneOf" in part:
            branches = [*part.get("anyOf", ()), *part.get("oneOf", ())]
            return [shape for branch in branches for shape in self.alternatives(branch, behind)]
        return [_shape(part)]

    def _target(self, ref: str) -> Part:
        target: Part | None = self.document.get("$defs", {}).get(ref.removeprefix(DEFS))
        if not ref.startswith(DEFS) or target is None:
            raise Outside(f"{ref} names nothing in $defs.")
        return target

    def _check(self, part: Part, at: str) -> None:
        """Raises Outside for what the subset lacks here or below."""
        keys = part.keys() - WORDS
        if "$ref" in keys:
            _only(keys, {"$ref"}, at)
        elif "anyOf" in keys:
            _only(keys, {"anyOf"}, at)
            self._check_union(part["anyOf"], at)
        elif "oneOf" in keys:
            _only(keys, {"oneOf", "discriminator"}, at)
            self._check_tagged(part, at)
        elif keys & {"enum", "const"}:
            _only(keys, {"type", "const" if "const" in keys else "enum"}, at)
            _check_values(part, at)
        else:
            self._check_typed(part, keys, at)
        if not self.alternatives(part):
            raise Outside(f"{at or HERE} is one of nothing: name what it may be.")

    def _check_union(self, branches: Sequence[Part], at: str) -> None:
        for branch in branches:
            self._check(branch, at)
        for kind, mend in ((Object, "give them a discriminator"), (Array, "make it one list of either")):
            if sum(any(isinstance(shape, kind) for shape in self.alternatives(b)) for b in branches) > 1:
                raise Outside(
                    f"{at or HERE} is one of several {kind.__name__.lower()}s that nothing tells apart: {mend}."
                )

    def _check_tagged(self, part: Part, at: str) -> None:
        """A tag that each branch requires, and no two share, makes `oneOf` mean the same as `anyOf`."""
        tag, seen = part.get("discriminator", {}).get("propertyName"), set[str]()
        for branch in part["oneOf"]:
            self._check(branch, at)
            for shape in self.alternatives(branch):
                tags = _tags(self, shape, tag)
                if not tags or tags & seen:
                    raise Outside(
                        f"{at or HERE} is one of several: each must be an object with a constant of its own, `{tag}`."
                    )
                seen |= tags

    def _check_typed(self, part: Part, keys: set[str], at: str) -> None:
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in KEYWORDS:
            raise Outside(f"{at or HERE} may be any value: give it a type.")
        _only(keys, {"type"} | KEYWORDS[kind], at)
        if kind == "array":
            self._check(part.get("items", {}), f"{at}[]")
        if kind == "object":
            self._check_object(part, at)

    def _check_object(self, part: Part, at: str) -> None:
        if part.get("additionalProperties") is not False:
            raise Outside(f"{at or HERE} is open, or a map: name its fields, in a Part, which forbids others.")
        for name, child in part.get("properties", {}).items():
            self._check(child, below(at, name))
        if unnamed := set(part.get("required", ())) - part.get("properties", {}).keys():
            raise Outside(f"{at or HERE} requires {', '.join(sorted(unnamed))}, of which it says nothing.")


def below(at: str, name: str) -> str:
    """The path of a field of the object at a path, which is empty for the message itself."""
    return f"{at}.{name}" if at else name


def _only(keys: set[str], allowed: set[str] | frozenset[str], at: str) -> None:
    if more := keys - allowed:
        raise Outside(f"{at or HERE} uses {', '.join(sorted(more))}, which cannot be compared: say it another way.")


def _check_values(part: Part, at: str) -> None:
    if not _values(part):
        raise Outside(f"{at or HERE} is a list of no values: give it one.")
    for value in _values(part):
        kind = TYPE_OF.get(type(value))
        if kind is None or part.get("type", kind) != kind:
            raise Outside(f"{at or HERE} lists {json.dumps(value)}, which is no {part.get('type', 'scalar')}.")


def _tags(schema: Schema, shape: Shape, tag: str | None) -> set[str]:
    """The values of a required, constant field of an object; none where it is not that."""
    field = shape.fields.get(tag or "") if isinstance(shape, Object) else None
    if field is None or not field.required:
        return set()
    shapes = schema.alternatives(field.part)
    lists = [shape.values for shape in shapes if isinstance(shape, Values)]
    return {json.dumps(value) for values in lists for value in values} if len(lists) == len(shapes) else set()


def _values(part: Part) -> tuple[Any, ...]:
    """The values of a closed list; none where a place is none."""
    if "const" in part:
        return (part["const"],)
    return tuple(part["enum"]) if "enum" in part else FEW.get(part.get("type", ""), ())


def _shape(part: Part) -> Shape:
    """The shape of a place that is no reference and no union."""
    if values := _values(part):
        return Values(values)
    match part.get("type"):
        case "string":
            return Text(part.get("minLength", 0), part.get("maxLength", inf), part.get("pattern"), part.get("format"))
        case "array":
            return Array(part.get("items", {}), part.get("minItems", 0), part.get("maxItems", inf))
        case "object":
            return Object(dict(_fields(part)))
        case "integer" | "number":
            return _number(part)
    raise Outside(f"{json.dumps(part)} may be any value: give it a type.")


def _number(part: Part) -> Number:
    lowest = max(_bound(part, "minimum", -inf), _bound(part, "exclusiveMinimum", -inf))
    highest = min(_bound(part, "maximum", inf), _bound(part, "exclusiveMaximum", inf), key=lambda b: (b[0], not b[1]))
    return Number(part["type"] == "integer", lowest, highest)


def _bound(part: Part, keyword: str, otherwise: float) -> Bound:
    """A whole number that is left out of whole numbers is the same as its neighbour that is not."""
    limit, strict = part.get(keyword, otherwise), keyword.startswith("exclusive") and keyword in part
    if strict and part["type"] == "integer" and isinstance(limit, int):
        return limit + (1 if keyword == "exclusiveMinimum" else -1), False
    return limit, strict


def _fields(part: Part) -> Iterator[tuple[str, Field]]:
    required = part.get("required", ())
    for name, child in part.get("properties", {}).items():
        default = json.dumps(child["default"], sort_keys=True) if "default" in child else ""
        yield name, Field(child, name in required, default)
