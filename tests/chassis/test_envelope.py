"""CloudEvents are read in both modes; what is none is refused by a rule, whatever the bytes are."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.envelope import MAX_ID, STRUCTURED, Envelope, header_text, headers_of, read

ATTRIBUTES = {"specversion": "1.0", "id": "a1", "source": "/partners/gp", "type": "furthest.partner.X.v1"}
RULES = {"json-invalid", "no-data", "no-cloudevents-specversion-1.0", "no-type", "no-id"}

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass
class Taken:
    """A Kafka record."""

    value: bytes | None
    headers: Headers
    topic: str = "partners.gp.inbox"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None


def binary(value: bytes | None = b"{}", **attributes: str) -> Taken:
    return Taken(value, tuple((f"ce_{name}", text.encode()) for name, text in {**ATTRIBUTES, **attributes}.items()))


def structured(value: object, content_type: str = STRUCTURED.decode()) -> Taken:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Taken(raw, (("content-type", content_type.encode()),))


def rule_of(record: Taken) -> str | None:
    """The rule by which a record is refused; none where it is read."""
    try:
        read(record)
    except ValueError as rule:
        return str(rule)
    return None


def test_binary_mode_is_read() -> None:
    assert read(binary(b'{"a": 1}')) == Envelope("a1", "/partners/gp", ATTRIBUTES["type"], "a1", b'{"a": 1}')


def test_structured_mode_is_read_as_the_same_event() -> None:
    assert read(structured({**ATTRIBUTES, "data": {"a": 1}})) == read(binary(b'{"a": 1}'))


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json; charset=UTF-8", "Application/CloudEvents+JSON"]
)
def test_structured_mode_is_known_by_its_content_type(content_type: str) -> None:
    assert read(structured({**ATTRIBUTES, "data": []}, content_type)).data == b"[]"


def test_header_names_are_read_in_any_case() -> None:
    record = binary()
    shouted = Taken(record.value, tuple((name.upper(), value) for name, value in record.headers))
    assert read(shouted) == read(record)


def test_a_correlation_travels_on_and_else_the_id_is_the_first_link() -> None:
    assert read(binary(correlationid="c1")).correlation == "c1"
    assert read(structured({**ATTRIBUTES, "correlationid": "c1", "data": 0})).correlation == "c1"
    assert read(binary()).correlation == "a1"


def test_a_deleted_record_is_an_event_without_content() -> None:
    assert read(binary(None)).data == b""


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"specversion": "0.3"}, "no-cloudevents-specversion-1.0"),
        ({"specversion": ""}, "no-cloudevents-specversion-1.0"),
        ({"type": ""}, "no-type"),
        ({"id": ""}, "no-id"),
        ({"id": "x" * (MAX_ID + 1)}, "no-id"),
    ],
)
def test_what_is_no_cloudevent_is_refused_by_its_rule_in_both_modes(changed: dict[str, str], rule: str) -> None:
    assert rule_of(binary(b"{}", **changed)) == rule
    assert rule_of(structured({**ATTRIBUTES, **changed, "data": {}})) == rule


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"{not json", "json-invalid"),
        (b"\xff\xfe\x00", "json-invalid"),
        (b"[" * 100_000, "json-invalid"),
        (b"1" * 10_000, "json-invalid"),
        (b"", "json-invalid"),
        ([], "no-data"),
        (ATTRIBUTES, "no-data"),
        ({**ATTRIBUTES, "id": 7, "data": {}}, "no-id"),
        ({**ATTRIBUTES, "type": ["x"], "data": {}}, "no-type"),
    ],
)
def test_a_broken_structured_event_is_refused_by_its_rule(body: object, rule: str) -> None:
    assert rule_of(structured(body)) == rule


def test_a_header_that_is_no_text_counts_as_not_there() -> None:
    record = binary()
    broken = Taken(b"{}", tuple((n, b"\xff\xfe" if n == "ce_id" else v) for n, v in record.headers))
    assert rule_of(broken) == "no-id"


header_names = st.sampled_from(["ce_specversion", "ce_id", "ce_type", "ce_source", "content-type"]) | st.text(
    max_size=9
)
header_values = st.sampled_from([b"1.0", b"a1", b"x.v1", STRUCTURED]) | st.none() | st.binary(max_size=20)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ATTRIBUTES, "data"]), inner),
    max_leaves=8,
)
values = st.none() | st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())


@given(values, st.lists(st.tuples(header_names, header_values), max_size=6).map(tuple))
@example(b"[" * 100_000, (("content-type", STRUCTURED),))
@example(b'{"data":' + b"[" * 990 + b"]" * 990 + b"}", (("content-type", STRUCTURED),))
def test_whatever_arrives_is_an_event_or_is_refused_by_a_rule(value: bytes | None, headers: Headers) -> None:
    assert rule_of(Taken(value, headers)) in {None, *RULES}


def test_headers_come_out_of_the_outbox_as_they_went_in() -> None:
    written = dict(headers_of(header_text("i", "/s", "t", "2026-11-20", 7, "ü", "ca")))
    assert {name: value.decode() for name, value in written.items()} == {
        "ce_specversion": "1.0",
        "ce_id": "i",
        "ce_source": "/s",
        "ce_type": "t",
        "ce_time": "2026-11-20",
        "ce_sequence": "7",
        "ce_correlationid": "ü",
        "ce_causationid": "ca",
        "content-type": "application/json",
    }


@pytest.mark.parametrize("correlation", ["a\nb", "\x00", "x\r"])
def test_a_correlation_that_could_forge_a_header_does_not_travel_on(correlation: str) -> None:
    assert read(binary(correlationid=correlation)).correlation == "a1"
