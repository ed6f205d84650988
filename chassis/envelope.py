"""CloudEvents 1.0 over Kafka: we write binary mode and read binary and structured mode."""

import json
from datetime import UTC, datetime
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

D_co = TypeVar("D_co", covariant=True, bound=BaseModel)

STRUCTURED: Final = b"application/cloudevents+json"
MAX_ID: Final = 128
_READ: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_correlationid")
_SAID: Final = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_sequence",
    "ce_correlationid",
    "ce_causationid",
    "content-type",
)


class Record(Protocol):
    """What we use of an `aiokafka.ConsumerRecord`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Event(NamedTuple, Generic[D_co]):
    """Something that a handler acts on: a fact, a partner's message, or work that fell due. One is made for each
    record, and a tuple is made in a third of the time.

    `key` orders and parks: what fails unexpectedly holds back only its own key. Events of one `lane`
    take effect in their order even where their types differ: a fact's key, or a partner's door.
    """

    id: str
    source: str
    type: str
    time: datetime
    key: str
    lane: str
    data: D_co
    correlation: str
    partner: str | None = None
    record: Record | None = None

    @property
    def topic(self) -> str:
        """The topic an event was read from; for due work and HTTP, its source."""
        return self.record.topic if self.record else self.source


class Envelope(NamedTuple):
    """The attributes of a CloudEvent and its data, still bytes."""

    id: str
    source: str
    type: str
    correlation: str
    data: bytes


def _text(value: bytes | None) -> str:
    """A header's text, cut to a sane length; empty where it is not text at all."""
    try:
        return value[:1024].decode() if value else ""
    except UnicodeDecodeError:
        return ""


def read(record: Record) -> Envelope:
    """Raises ValueError, whose text is a rule, where the record is no CloudEvent."""
    headers = dict(record.headers)
    if "ce_specversion" not in headers:
        headers = {name.lower(): value for name, value in record.headers}
    if (headers.get("content-type") or b"")[:64].lower().startswith(STRUCTURED):
        return _structured(record.value or b"")
    return _envelope([_text(headers.get(name)) for name in _READ], record.value or b"")


def _structured(value: bytes) -> Envelope:
    try:
        event: Any = json.loads(value)
        data = json.dumps(event["data"]).encode() if isinstance(event, dict) and "data" in event else None
    except (ValueError, RecursionError):
        raise ValueError("json-invalid") from None
    if data is None:
        raise ValueError("no-data")
    texts = {f"ce_{name}": text for name, text in event.items() if isinstance(text, str)}
    return _envelope([texts.get(name, "") for name in _READ], data)


def _envelope(attributes: list[str], data: bytes) -> Envelope:
    specversion, event_id, source, type_, correlation = attributes
    if specversion != "1.0":
        raise ValueError("no-cloudevents-specversion-1.0")
    if not type_:
        raise ValueError("no-type")
    if not 0 < len(event_id) <= MAX_ID or not event_id.isprintable():
        raise ValueError("no-id")
    travels = 0 < len(correlation) <= MAX_ID and correlation.isprintable()
    return Envelope(event_id, source, type_, correlation if travels else event_id, data)


def header_text(
    event_id: str, source: str, type_: str, time: str, sequence: int, correlation: str, causation: str
) -> str:
    """The headers of an outbox row, a line each: the relay only has to cut them apart."""
    said = ("1.0", event_id, source, type_, time, str(sequence), correlation, causation, "application/json")
    return "\n".join(said)


def headers_of(text: str) -> list[tuple[str, bytes]]:
    return list(zip(_SAID, text.encode().split(b"\n"), strict=True))


def record_time(record: Record) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)
