"""Records for a partner's inbox: right ones, and wrong ones of every kind, each with how it must be answered."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from chassis.http import schema_of
from contracts.catalogue import newest
from contracts.door import ReferralSubmitted
from contracts.message import Message
from contracts.topics import INBOX
from tests.doors.bodies import MARK, Known, bytes_of, whole
from tests.journeys.partners import headers

Headers = list[tuple[str, bytes | None]]
DOORS: Sequence[type[Message]] = [model for model in newest().values() if model.spec.topic == INBOX]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record. Its answer names `id`, or none where the record has no id that can be read.

    `is_told` marks a referral: that is answered also where it is accepted.
    """

    value: bytes | None
    headers: Headers
    id: str | None
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    model: type[Message]
    value: bytes
    strange: str


def drawing(known: Known) -> st.SearchStrategy[Drawn]:
    def of(model: type[Message]) -> st.SearchStrategy[Drawn]:
        values = bytes_of(whole(schema_of(model), known))
        return st.builds(Drawn, st.just(model), values, st.sampled_from(sorted(STRANGE_HEADERS)))

    return st.one_of([of(model) for model in DOORS])


def records(drawn: Drawn, name: str) -> Iterator[Sent]:
    """Eight records of one body: as it is, twice, and in every other way in which it may come."""
    kind, is_told = drawn.model.spec.type, drawn.model is ReferralSubmitted
    other = DOORS[(DOORS.index(drawn.model) + 1) % len(DOORS)]
    half, bad = len(drawn.value) // 2, drawn.value + b"\xff"
    yield Sent(drawn.value, _headers(name, kind), name, is_told)
    yield Sent(drawn.value, _headers(name, kind), name, is_told)
    yield _structured(drawn, f"{name}-s", is_told=is_told)
    yield Sent(drawn.value, _headers(f"{name}-o", other.spec.type), f"{name}-o", other is ReferralSubmitted)
    yield Sent(drawn.value[:half], _headers(f"{name}-h", kind), f"{name}-h", is_told)
    yield Sent(bad, _headers(f"{name}-b", kind), f"{name}-b", is_told)
    yield Sent(None, _headers(f"{name}-n", kind), f"{name}-n", is_told)
    yield _strange(drawn, f"{name}-x", is_told=is_told)


def _headers(name: str, kind: str) -> Headers:
    return list(headers(name, kind))


def _structured(drawn: Drawn, name: str, *, is_told: bool) -> Sent:
    """All of it in the value. What is no JSON has no id."""
    event = {"specversion": "1.0", "id": name, "source": "/made-up", "type": drawn.model.spec.type}
    value = json.dumps(event).encode()[:-1] + b', "data": ' + drawn.value + b"}"
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return Sent(value, [("content-type", b"application/cloudevents+json")], None)
    return Sent(value, [("Content-Type", b"application/cloudevents+json; charset=utf-8")], name, is_told)


STRANGE_HEADERS: dict[str, tuple[dict[str, bytes | None], bool]] = {
    "none": (dict.fromkeys(("ce_id", "ce_type", "ce_source", "ce_specversion")), False),
    "null id": ({"ce_id": None}, False),
    "empty id": ({"ce_id": b""}, False),
    "id that is no text": ({"ce_id": b"\xff\xfe"}, False),
    "id that is a name": ({"ce_id": f"{MARK} {MARK}".encode()}, False),
    "long id": ({"ce_id": b"x" * 65}, False),
    "huge id": ({"ce_id": b"x" * 20_000}, False),
    "id with a zero": ({"ce_id": b"a\0b"}, False),
    "id of other digits": ({"ce_id": "\u0661\u0662".encode()}, False),
    "type that is no text": ({"ce_type": b"\xc3\x28"}, False),
    "no type": ({"ce_type": None}, False),
    "another specversion": ({"ce_specversion": b"0.3"}, False),
    "unknown type": ({"ce_type": f"furthest.partner.{MARK}.v1".encode()}, True),
    "type of a fact": ({"ce_type": b"furthest.referrals.ReferralReceived.v1"}, True),
    "type of an answer": ({"ce_type": b"furthest.partner.MessageRefused.v1"}, True),
    "newer type": ({"ce_type": b"furthest.partner.ReferralSubmitted.v99"}, True),
    "a reply address": ({"reply_to": b"access", "correlation_id": b"\xff", "message_id": None}, True),
    "correlation": ({"ce_correlationid": b"\xff\0" * 100, "ce_causationid": MARK.encode()}, True),
    "many": ({f"x-{n}": MARK.encode() for n in range(300)}, True),
    "empty name": ({"": b"", "\0": b"\0", "\u202e": b"x"}, True),
}
"""Headers that are changed, and whether the record's id can still be read."""


def _strange(drawn: Drawn, name: str, *, is_told: bool) -> Sent:
    changes, is_named = STRANGE_HEADERS[drawn.strange]
    kept = [(header, value) for header, value in _headers(name, drawn.model.spec.type) if header not in changes]
    changed: Headers = [*kept, *changes.items()]
    same_type = "ce_type" not in changes
    return Sent(drawn.value, changed, name if is_named else None, is_told and is_named and same_type)


def as_told(outbox: Sequence[Any]) -> dict[str | None, list[str]]:
    """The types of the answers by the id that they name; the empty ones together."""
    told: dict[str | None, list[str]] = {}
    for record in outbox:
        kind = dict(record.headers)["ce_type"].decode().split(".")[2]
        if kind in {"MessageRefused", "ReferralAcknowledged"}:
            told.setdefault(json.loads(record.value)["submission_id"], []).append(kind)
    return told
