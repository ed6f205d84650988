"""Three words for failure: refused or unreadable, unexpected, unavailable."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import BaseModel, ValidationError

from contracts.message import Part
from contracts.refusal import FieldError


class Refused(Exception):
    """The sender's message is wrong and has no effect; each error tells the field, the rule and the mend."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(", ".join(f"{error.field}: {error.rule}" for error in errors))
        self.errors = errors


class Fenced(Exception):
    """Another consumer has moved the stored offset: what is in hand is not ours any more."""


class Stopped(Exception):
    """This process must not go on; the sentence says why and what to do."""


class Braked(Exception):
    """Everything fails unexpectedly: that is our own code, not one bad event, so nothing is buried."""


_UNAVAILABLE_STATES: Final = ("08", "53", "57P", "40001", "40P01", "55P03")


def is_unavailable(error: BaseException) -> bool:
    """True where waiting helps: Postgres or Kafka is away, a lock or a connection timed out, a table was replaced."""
    if isinstance(error, (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)):
        return True
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_UNAVAILABLE_STATES)
    return isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, KafkaError, OSError, TimeoutError))


def refuse(field: str, rule: str, message: str, mend: str) -> FieldError:
    return FieldError(field=field, rule=rule, message=message, mend=mend)


_MEND: Final = {
    "missing": "Add the field.",
    "extra_forbidden": "Take the field out, or check how its name is spelled.",
    "json_invalid": "Send one JSON object, in UTF-8.",
    "literal_error": "Use one of the values listed.",
    "string_pattern_mismatch": "Write the value in the form that the rule shows.",
    "too_long": "Send fewer entries.",
    "too_short": "Send at least one entry.",
    "string_too_long": "Shorten the value.",
}


@cache
def _field_names(model: type[BaseModel]) -> frozenset[str]:
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", ()))


@cache
def _message_fields() -> frozenset[str]:
    parts: list[type[Part]] = [Part]
    for part in parts:
        parts += (kind for kind in part.__subclasses__() if kind.__module__.startswith("contracts."))
    return frozenset(name for part in parts for name in part.model_fields)


def _path(parts: Iterable[int | str], names: frozenset[str], unknown: str | None) -> str:
    """The path of a field. A name that no message of ours has could be anything, so `unknown` stands for it."""
    shown = (str(part) if isinstance(part, int) or part in names else unknown for part in parts)
    return ".".join(part for part in shown if part) or "(message)"


def field_errors(error: ValidationError, *models: type[BaseModel]) -> tuple[FieldError, ...]:
    """What a sender may be told: path, rule and mend, at most 20, never a value of theirs.

    `models` are what was read where that is no message of the catalogue.
    """
    names = _message_fields().union(*(_field_names(model) for model in models))
    return told(error.errors(include_url=False, include_input=False), names)


def told(details: Sequence[Any], names: frozenset[str]) -> tuple[FieldError, ...]:
    """The same of pydantic's details, where `names` are those of fields of ours."""
    return tuple(
        refuse(
            _path(detail["loc"], names, "(unknown field)" if detail["type"] == "extra_forbidden" else None),
            "unknown-field" if detail["type"] == "extra_forbidden" else detail["type"].replace("_", "-"),
            _sentence(detail["type"], detail["msg"]),
            detail.get("ctx", {}).get("mend") or _MEND.get(detail["type"], "Correct the value."),
        )
        for detail in details[:20]
    )


_SAY: Final = {
    "json_invalid": "The message is not JSON.",
    "extra_forbidden": "The message has no such field.",
    "missing": "The field is required.",
    "uuid_parsing": "The value is no UUID.",
}


def _sentence(kind: str, text: str) -> str:
    return _SAY.get(kind, f"{text.removeprefix('Value error, ')}.")
