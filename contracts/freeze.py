"""Freezes what every message promises, and tells what a change of it would break: `furthest contracts freeze | check`.

Each message type has a file `schemas/<type>.json`: the schema by which it is written (closed: no field beside those
named), its example, and where it travels. A change that breaks no reader, such as a field that may be left out, is
frozen beside it as a revision, `<type>.r2.json`; a later change must break no reader of any revision. `MANIFEST` holds
the SHA-256 of each file, in the form that `sha256sum -c` reads. A frozen file is never changed. Words (descriptions,
examples) and `x-consumers`, who read it when it was frozen, may grow without a revision.

There is no way to force a change. A project that was never released starts over by deleting `schemas/` and freezing
again.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import contracts.catalogue  # noqa: F401 - declares every message
from contracts.compatibility import Finding, findings
from contracts.message import MESSAGES, Message
from contracts.subset import Outside, Schema
from contracts.topics import INBOX

SCHEMAS: Final = Path(__file__).parent / "schemas"
MANIFEST: Final = "MANIFEST"
FILE: Final = re.compile(r"(?P<type>.+\.v\d+)(?:\.r(?P<revision>\d+))?")
WORDS: Final = frozenset({"title", "description", "examples", "x-consumers"})
NAMED: Final = frozenset({"properties", "$defs"})
"""Keys of a schema whose own keys are names that we chose, not words of JSON Schema."""
PLACE: Final = {"x-owner": "owner", "x-topic": "topic", "x-key": "key", "x-data-class": "class of personal data"}
FREEZE: Final = "run `furthest contracts freeze` and check in what it writes."

KEEP: Final[Mapping[str, str]] = {
    "required": "Let it be left out, with a default",
    "enum": "Keep the list as it was",
    "type": "Keep the type",
    "bounds": "Keep the limits",
    "pattern": "Keep the pattern",
    "format": "Keep the form",
    "default": "Keep the default",
    "unknown-field": "Keep the field, as one that may be left out",
}
KEEP_WRITING: Final = {"required": "Keep the field, and required"}

Document = Mapping[str, Any]
Frozen = Mapping[str, Sequence[Document]]
"""Every revision ever of each type, the oldest first."""


class Changed(Exception):
    """What is frozen and what the models say differ; each line names a message and what to do."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def document(model: type[Message]) -> dict[str, Any]:
    """What is frozen of a message."""
    spec = model.spec
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": spec.type,
        **model.model_json_schema(),
        "examples": [model.example],
        "x-owner": spec.owner,
        "x-topic": spec.topic,
        "x-key": spec.key,
        "x-consumers": list(spec.consumers),
        "x-data-class": spec.data_class,
    }


def promise(part: Any) -> Any:
    """What of a schema a reader or writer can rely on: all but the words, and the order in which fields are named."""
    if isinstance(part, list):
        return [promise(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: {name: promise(schema) for name, schema in value.items()}
        if key in NAMED
        else sorted(value)
        if key == "required"
        else promise(value)
        for key, value in part.items()
        if key not in WORDS
    }


def frozen(folder: Path = SCHEMAS) -> dict[str, list[Document]]:
    """Every revision of the frozen documents, the oldest first, by type."""
    named = [(_name(path), path) for path in folder.glob("*.json")]
    found: dict[str, list[Document]] = {}
    for (kind, _), path in sorted(named):
        found.setdefault(kind, []).append(json.loads(path.read_bytes()))
    return found


def _name(path: Path) -> tuple[str, int]:
    """The type and the revision that a file is named by."""
    named = FILE.fullmatch(path.stem)
    return (named["type"], int(named["revision"] or 1)) if named else (path.stem, 1)


def check(messages: Mapping[str, type[Message]] = MESSAGES, folder: Path = SCHEMAS) -> list[str]:
    """A sentence for each promise that is not kept; or, where all are, for each message that is not frozen as it is."""
    before = frozen(folder)
    return _broken(messages, before, folder) or [_not_yet(kind, before) for kind in _new(messages, before)]


def freeze(messages: Mapping[str, type[Message]] = MESSAGES, folder: Path = SCHEMAS) -> list[str]:
    """Writes the files that are missing, and returns their names. Raises Changed, and then writes nothing."""
    before = frozen(folder)
    if broken := _broken(messages, before, folder):
        raise Changed(broken)
    folder.mkdir(exist_ok=True)
    names = [_file(kind, len(before.get(kind, ())) + 1) for kind in _new(messages, before)]
    for kind, name in zip(_new(messages, before), names, strict=True):
        text = json.dumps(document(messages[kind]), indent=2, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    sums = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.glob("*.json"))]
    (folder / MANIFEST).write_text("".join(sums), encoding="utf-8")
    return names


def _file(kind: str, revision: int) -> str:
    return f"{kind}.json" if revision == 1 else f"{kind}.r{revision}.json"


def _new(messages: Mapping[str, type[Message]], before: Frozen) -> list[str]:
    """The types whose newest revision is not what their model says."""
    return sorted(
        kind
        for kind, model in messages.items()
        if kind not in before or promise(before[kind][-1]) != promise(_as_json(document(model)))
    )


def _not_yet(kind: str, before: Frozen) -> str:
    if kind in before:
        return f"{kind} has changed, in a way that breaks no reader, and is not frozen yet: {FREEZE}"
    return f"{kind} is not frozen yet: {FREEZE}"


def _broken(messages: Mapping[str, type[Message]], before: Frozen, folder: Path) -> list[str]:
    gone = [
        f"{kind} is gone: put its model back. It stays as long as anybody writes or holds it, also beside a newer one."
        for kind in sorted(before.keys() - messages.keys())
    ]
    changed = [line for kind in sorted(messages) for line in _changed(messages[kind], before.get(kind, ()))]
    return [*_edited(folder), *gone, *changed]


def _changed(model: type[Message], revisions: Sequence[Document]) -> Iterator[str]:
    """What of this model breaks a reader of what was ever frozen of it."""
    today = _as_json(document(model))
    try:
        Schema(today)
    except Outside as why:
        yield f"{model.spec.type} is outside what can be checked: {why}"
        return
    yield from _moved(model, today, revisions)
    for number, past in enumerate(revisions, 1):
        then, now = f"a message of revision {number}", "a message of the new model"
        for found in findings(past, today, closed=model.spec.topic == INBOX):
            yield _sentence(model, found, then, "the new model", KEEP)
        for found in findings(today, past):
            yield _sentence(model, found, now, f"a reader of revision {number}", {**KEEP, **KEEP_WRITING})


def _moved(model: type[Message], today: Document, revisions: Sequence[Document]) -> Iterator[str]:
    for key, what in PLACE.items():
        if was := {past[key] for past in revisions} - {today[key]}:
            yield (
                f"{model.spec.type}, {what}: it was {', '.join(sorted(was))} and is {today[key]}. Put it back, "
                f"or {_beside(model)}"
            )


def _sentence(model: type[Message], found: Finding, writer: str, reader: str, keep: Mapping[str, str]) -> str:
    return (
        f"{model.spec.type}, field `{found.field}`, rule {found.rule}: {writer} may {found.may}, and {reader} "
        f"{found.then}. {keep[found.rule]}, or {_beside(model)}"
    )


def _beside(model: type[Message]) -> str:
    name, version = model.__name__, model.spec.version + 1
    return f"declare version {version} beside it, with `replaces={name}` and an `upcast`."


def _edited(folder: Path) -> list[str]:
    """Files that are not as they were frozen. Says so also where the model was changed along with its file."""
    manifest = folder / MANIFEST
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {path.name: _sha256(path) for path in folder.glob("*.json")}
    return [
        f"contracts/schemas/{name} is not as it was frozen: its SHA-256 differs from the line in {MANIFEST}. Put the "
        f"file back: `git checkout -- contracts/schemas/{name}`."
        for name in sorted(sums.keys() | found.keys())
        if sums.get(name) != found.get(name)
    ]


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
