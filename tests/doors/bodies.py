"""Bodies as a schema allows them, and bodies that break it: by a field, by a value, by a byte."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")
Schema = Mapping[str, Any]
Body = dict[str, Any]
Known = Mapping[str, Sequence[Any]]
"""Values of fields that are there, so that what is drawn comes past the first check."""

MARK = "Quillfeather"
"""A name that nobody has. It stands in what is made up, and must not be repeated to anybody."""

TIMES = int(os.environ.get("FURTHEST_FUZZ", "1"))
"""How many times as much is tried as in `make test`."""

QUIET = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def drawn(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """The same ones every time, unless more are asked for."""
    seen: list[T] = []

    @settings(QUIET, max_examples=number)
    @given(strategy)
    def draw(one: T) -> None:
        seen.append(one)

    draw()
    return seen


def whole(schema: Schema, known: Known, name: str = "") -> st.SearchStrategy[Any]:
    """What a schema allows; `name` is the field that it describes."""
    made_up = _made_up(schema, known, name)
    if name not in known or schema.get("type") == "array":
        return made_up
    return st.one_of(st.sampled_from(list(known[name])), made_up)


def _made_up(schema: Schema, known: Known, name: str) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of([_made_up(each, known, name) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kinds: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "string": lambda: _text(schema),
        "integer": lambda: st.integers(schema.get("minimum", -(2**40)), schema.get("maximum", 2**40)),
        "number": lambda: st.floats(allow_nan=False),
        "boolean": st.booleans,
        "null": st.none,
        "array": lambda: _list(schema, known, name),
        "object": lambda: _object(schema, known),
    }
    return kinds[schema["type"]]()


@cache
def _of_pattern(pattern: str) -> list[str]:
    """A few: to draw one takes as long as all the rest of a body."""
    return drawn(st.from_regex(pattern.replace("$", r"\Z")), 10)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    match schema:
        case {"pattern": pattern}:
            return st.sampled_from(_of_pattern(pattern))
        case {"format": "uuid"}:
            return st.uuids().map(str)
        case {"format": "date"}:
            return st.dates().map(str)
        case {"format": "date-time"}:
            return st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    return st.just(MARK)


def _list(schema: Schema, known: Known, name: str) -> st.SearchStrategy[list[Any]]:
    fewest = schema.get("minItems", 0)
    items = schema["prefixItems"][0] if "prefixItems" in schema else schema["items"]
    return st.lists(whole(items, known, name), min_size=fewest, max_size=min(schema.get("maxItems", 3), fewest + 2))


def _object(schema: Schema, known: Known) -> st.SearchStrategy[Body]:
    fields = {name: whole(part, known, name) for name, part in schema.get("properties", {}).items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


STRANGE: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(None, True, False, 0, -1, 2**31, 2**63, 10**400, 0.5, float("nan"), float("inf"), -1e308),
            *("", " ", MARK, "\0", "\ud800", "\u202e", "x" * 10_000, "0001-01-01", "9999-12-31", "-1", "1e999"),
            *([], {}, [[]], [MARK] * 500, {MARK: MARK}, {"": None}, {"__proto__": {}}, str(uuid4())),
        ]
    ),
    st.text(max_size=20),
    st.integers(),
).map(deepcopy)


@st.composite
def broken(draw: st.DrawFn, bodies: st.SearchStrategy[Any]) -> Any:
    """A body with one to three fields taken out, added, or of a strange value."""
    body = deepcopy(draw(bodies))
    for _ in range(draw(st.integers(1, 3))):
        body = _change(draw, body)
    return body


def _change(draw: st.DrawFn, body: Any) -> Any:
    if not isinstance(body, dict | list) or not body or draw(st.integers(0, 9)) == 0:
        return draw(STRANGE)
    inside: Any = body if isinstance(body, dict) else dict(enumerate(body))
    name = draw(st.sampled_from(list(inside)))
    match draw(st.sampled_from(["out", "strange", "deeper", "more"])):
        case "out":
            del inside[name]
        case "strange":
            inside[name] = draw(STRANGE)
        case "deeper":
            inside[name] = _change(draw, inside[name])
        case "more":
            inside[draw(st.sampled_from([MARK, "person", "id", "model_config", "__class__"]))] = draw(STRANGE)
    return inside if isinstance(body, dict) else list(inside.values())


def written(body: Any) -> bytes:
    return json.dumps(body).encode()


NOT_JSON: tuple[bytes, ...] = (
    *(b"", b"{", b"null", b"[]", b'"' + MARK.encode() + b'"', b"\0" * 20, b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}"),
    *(b"[" * 50_000, b'{"a":' * 10_000, b"1" * 10_000, b'{"reference": "\xc3\x28"}', b'{"a": 1, "a": 2}'),
)


def bytes_of(bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Whole ones, broken ones, and what is no JSON at all: the last less often."""
    return st.one_of(
        bodies.map(written), broken(bodies).map(written), broken(bodies).map(written), st.sampled_from(NOT_JSON)
    )
