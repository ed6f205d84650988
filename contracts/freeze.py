"""Freezes what every message promises: `python -m contracts.freeze`.

Each message type has a file `schemas/<type>.json`: the schema by which it is written (closed: no field beside those
named), its example, and where it travels. `schemas/MANIFEST` holds the SHA-256 of each file, in the form that
`sha256sum -c` reads. New types get new files; a frozen file is never changed. Words (descriptions, examples) and
`x-consumers`, who read it when it was frozen, may grow without a new version.

There is no way to force a change. A project that was never released starts over by deleting `schemas/` and running
this again.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import contracts.catalogue  # noqa: F401 - declares every message
from contracts.message import MESSAGES, Message

SCHEMAS: Final = Path(__file__).parent / "schemas"
MANIFEST: Final = "MANIFEST"
WORDS: Final = frozenset({"title", "description", "examples", "x-consumers"})
NAMED: Final = frozenset({"properties", "$defs"})
"""Keys of a schema whose own keys are names that we chose, not words of JSON Schema."""


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
    """What of a schema a reader or writer can rely on: all but the words."""
    if isinstance(part, list):
        return [promise(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: {name: promise(schema) for name, schema in value.items()} if key in NAMED else promise(value)
        for key, value in part.items()
        if key not in WORDS
    }


def frozen(folder: Path = SCHEMAS) -> dict[str, dict[str, Any]]:
    """The frozen documents, by type."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def check(messages: Mapping[str, type[Message]] = MESSAGES, folder: Path = SCHEMAS) -> list[str]:
    """A sentence for each frozen promise that is not kept, and for each message that is not frozen yet."""
    return [
        *_broken(messages, folder),
        *(
            f"{name} is not frozen yet: run `python -m contracts.freeze` and check in what it writes."
            for name in sorted(set(messages) - set(frozen(folder)))
        ),
    ]


def freeze(messages: Mapping[str, type[Message]] = MESSAGES, folder: Path = SCHEMAS) -> list[str]:
    """Writes the files of messages that have none, and returns their types. Raises Changed, and then writes nothing."""
    broken = _broken(messages, folder)
    if broken:
        raise Changed(broken)
    new = sorted(set(messages) - set(frozen(folder)))
    folder.mkdir(exist_ok=True)
    for name in new:
        text = json.dumps(document(messages[name]), indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    sums = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.glob("*.json"))]
    (folder / MANIFEST).write_text("".join(sums), encoding="utf-8")
    return new


def _broken(messages: Mapping[str, type[Message]], folder: Path) -> list[str]:
    return [*_edited(folder), *_differing(messages, folder)]


def _edited(folder: Path) -> list[str]:
    """Files that are not as they were frozen. Says so also where the model was changed along with its file."""
    manifest = folder / MANIFEST
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {path.name: _sha256(path) for path in folder.glob("*.json")}
    return [
        f"contracts/schemas/{name} is not as it was frozen: its SHA-256 differs from the line in {MANIFEST}. Put the "
        f"file back (`git checkout -- contracts/schemas/{name}`), and say what is new as a message of its own version."
        for name in sorted(sums.keys() | found.keys())
        if sums.get(name) != found.get(name)
    ]


def _differing(messages: Mapping[str, type[Message]], folder: Path) -> list[str]:
    return [
        f"{name} no longer keeps its frozen promise: put the model back as it was, and declare what is new beside it, "
        f"as version {int(name.rpartition('.v')[2]) + 1}. The old one stays as long as anybody writes or holds it."
        for name, document_ in frozen(folder).items()
        if name not in messages or promise(document_) != promise(_as_json(document(messages[name])))
    ]


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    try:
        new = freeze()
    except Changed as error:
        sys.exit(str(error))
    sys.stdout.write("".join(f"froze {name}\n" for name in new) or f"all {len(MESSAGES)} messages are frozen\n")


if __name__ == "__main__":
    main()
