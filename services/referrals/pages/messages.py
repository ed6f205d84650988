"""Every topic and message on one page, made of the catalogue. It needs no internet and runs no script."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from contracts import asyncapi, catalogue
from contracts.catalogue import Topic
from contracts.message import Message
from contracts.topics import ACCESS, ERASURES, INBOX, OUTBOX

WHAT_IT_HOLDS: Final[Mapping[str, str]] = {
    INBOX: "What a partner sends us. Each partner has one, and it alone writes there. HTTP takes the same messages.",
    OUTBOX: "What we tell a partner. Each partner has one, and it alone reads there. HTTP shows the same.",
    "referrals": "What happens to referrals, and who takes part.",
    "matching": "Who gives help, who waits, who is offered what.",
    "notifications": "Who was told, and how.",
    "grants": "Funds, rounds, applications and awards.",
    "reporting": "Counts that are safe to publish.",
    ACCESS: "Which keys open doors. Only hashes of keys travel.",
    ERASURES: "Which services have forgotten which referral.",
}
DATA: Final[Mapping[str, str]] = {
    "none": "None.",
    "pseudonymous": "Pseudonymous: it tells of a person without saying who.",
    "personal": "Personal: the person travels sealed, and only the referrals service can open it.",
}
FORMATS: Final = {"uuid": "UUID", "date": "date", "date-time": "date and time with its offset (RFC 3339)"}
TYPES: Final = {
    "object": "object",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
DEEPEST: Final = 5


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a message; `name` is its path, such as needs[].kind."""

    name: str
    holds: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the page shows it."""

    type: str
    name: str
    version: int
    is_old: bool
    about: str
    facts: Sequence[tuple[str, str]]
    fields: Sequence[FieldRow]
    example: str


@dataclass(frozen=True, slots=True)
class ShownTopic:
    name: str
    anchor: str
    about: str
    partitions: int
    kept: str
    messages: Sequence[Shown]


def with_code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))
    )
    return Markup("").join(parts)


@cache
def render() -> str:
    shown = [_topic(topic) for topic in sorted(asyncapi.topics(), key=lambda t: list(WHAT_IT_HOLDS).index(t.name))]
    return _TEMPLATE.render(style=STYLE, topics=shown)


def _topic(topic: Topic) -> ShownTopic:
    messages = [_shown(model, topic) for model in asyncapi.by_topic()[topic.name]]
    anchor = f"topic-{topic.name.replace('.*.', '-').replace('.', '-')}"
    name = topic.name.replace("*", "<your id>")
    return ShownTopic(name, anchor, WHAT_IT_HOLDS[topic.name], topic.partitions, topic.kept, messages)


def _shown(model: type[Message], topic: Topic) -> Shown:
    spec, schema = model.spec, model.model_json_schema()
    inbound = topic.name == INBOX
    facts = [
        ("Type", spec.type),
        ("From", "a partner" if inbound else f"the {spec.owner} service"),
        ("Read by", ", ".join(asyncapi.readers(model))),
        ("Key", spec.key),
        ("Kept", topic.kept),
        ("Personal data", DATA[spec.data_class]),
    ]
    return Shown(
        spec.type,
        spec.name,
        spec.version,
        spec.type not in catalogue.newest(),
        (model.__doc__ or "").strip(),
        facts,
        list(_fields(schema, schema, "")),
        json.dumps(model.example, indent=2, ensure_ascii=False),
    )


def _fields(part: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[FieldRow]:
    """The fields of an object, each followed by those of the objects that it holds; of what holds itself, the outer."""
    for name, child in part.get("properties", {}).items() if at.count(".") <= DEEPEST else ():
        path = f"{at}{name}"
        yield FieldRow(path, _holds(child, schema), name in part.get("required", ()), _meaning(child, schema))
        for inner, below in _objects(child, schema, path):
            yield from _fields(inner, schema, f"{below}.")


def _target(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    target: Mapping[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return target


def _objects(part: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The objects that a field holds, or the entries of its list, and their path."""
    part = _target(part, schema)
    for branch in _either(part):
        yield from _objects(branch, schema, at)
    if "items" in part:
        yield from _objects(part["items"], schema, f"{at}[]")
    if "properties" in part:
        yield part, at


def _either(part: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*part.get("anyOf", ()), *part.get("oneOf", ())]


def _meaning(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    default = part.get("default")
    left_out = "" if default in (None, []) else f"Left out, it is {json.dumps(default)}."
    told = str(_target(part, schema).get("description", ""))
    return " ".join(sentence for sentence in (told, left_out) if sentence)


def _holds(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a place may hold, in words."""
    part = _target(part, schema)
    if branches := _either(part):
        return ", or ".join(_holds(branch, schema) for branch in branches)
    if listed := part.get("enum", [part["const"]] if "const" in part else []):
        return "one of: " + ", ".join(value if isinstance(value, str) else json.dumps(value) for value in listed)
    if part["type"] == "array":
        entries = _bounded("list", part, "minItems", "maxItems", "entries")
        return f"{entries}; each: {_holds(part['items'], schema)}"
    if part["type"] == "string":
        text = _bounded(FORMATS.get(part.get("format", ""), "text"), part, "minLength", "maxLength", "characters")
        return f"{text}; pattern `{part['pattern']}`" if "pattern" in part else text
    return _bounded(TYPES[part["type"]], part, "minimum", "maximum", "")


def _bounded(what: str, part: Mapping[str, Any], low: str, high: str, of: str) -> str:
    least = [f"at least {part[low]:,}"] if low in part else []
    most = [f"at most {part[high]:,}"] if high in part else []
    return f"{what}, {' and '.join([*least, *most])} {of}".rstrip() if least or most else what


STYLE: Final = (files("services.referrals") / "pages" / "messages.css").read_text(encoding="utf-8")
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("services.referrals", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["with_code"] = with_code
_TEMPLATE: Final = _ENVIRONMENT.get_template("messages.html")
