"""What a sender sealed for us is opened, and whatever else arrives in its place is refused."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from chassis.jwe import NotOpened, Opener, new_key, public_part, seal

KEY = new_key("spring")
OPENER = Opener(SecretStr(json.dumps(KEY)))
SEALED = seal(b"a person", public_part(KEY))
EPK = {"kty": "OKP", "crv": "X25519", "x": "A" * 43}

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def encoded(header: object) -> str:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def with_header(**fields: Any) -> str:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "spring", "epk": EPK, **fields}
    return ".".join([encoded(header), *SEALED.split(".")[1:]])


def rule_of(sealed: str) -> str:
    with pytest.raises(NotOpened) as refused:
        OPENER.open(sealed)
    return refused.value.rule


def test_what_was_sealed_with_our_public_key_is_opened() -> None:
    assert OPENER.open(SEALED) == b"a person"


def test_the_public_part_cannot_open() -> None:
    assert "d" in KEY
    assert "d" not in public_part(KEY)


def test_what_was_sealed_with_another_key_is_refused_also_under_our_key_id() -> None:
    assert rule_of(seal(b"a person", public_part(new_key("autumn")))) == "other-key"
    assert rule_of(seal(b"a person", public_part(new_key("spring")))) == "not-opened"


@pytest.mark.parametrize("changed", [{"alg": "dir"}, {"enc": "A128GCM"}, {"zip": "DEF"}, {"alg": ["ECDH-ES+A256KW"]}])
def test_only_the_published_algorithms_are_used(changed: dict[str, Any]) -> None:
    assert rule_of(with_header(**changed)) == "jwe-algorithm"


@pytest.mark.parametrize("part", range(5))
def test_a_change_anywhere_is_noticed(part: int) -> None:
    parts = SEALED.split(".")
    parts[part] = ("B" if parts[part].startswith("A") else "A") + parts[part][1:]
    assert rule_of(".".join(parts)) in {"no-jwe", "not-opened"}


def test_a_header_too_deep_to_read_is_refused() -> None:
    assert rule_of(encoded(b"[" * 9000) + ".a.b.c.d") == "no-jwe"


@given(json_values)
@example({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})
@example({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43})
def test_a_hostile_key_in_the_header_is_refused(epk: object) -> None:
    assert rule_of(with_header(epk=epk)) == "not-opened"


@given(st.text() | st.binary().map(encoded) | st.lists(st.text(alphabet="AZaz09_-=."), max_size=6).map(".".join))
def test_whatever_else_arrives_is_refused(text: str) -> None:
    assert rule_of(text) in {"no-jwe", "jwe-algorithm"}
