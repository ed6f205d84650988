"""What is sealed is read by the holder of the key alone, and equal bodies have equal fingerprints."""

import json
from uuid import RFC_4122

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from chassis.sealing import Sealer, Vault
from tests.support import NOON

ONE, OTHER = SecretStr("5e" * 32), SecretStr("a1" * 32)
CLEAR = b"Jane Marker, 12 Example Street"

bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def flipped(sealed: bytes, position: int) -> bytes:
    return sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]


@given(st.binary(max_size=200))
def test_what_was_sealed_is_opened(clear: bytes) -> None:
    assert Sealer(ONE).open(Sealer(ONE).seal(clear)) == clear


def test_a_seal_shows_nothing_of_what_it_holds_and_is_another_each_time() -> None:
    first, second = Sealer(ONE).seal(CLEAR), Sealer(ONE).seal(CLEAR)
    assert first != second
    assert b"Jane" not in first


@given(st.integers(0, 11 + len(CLEAR) + 16))
def test_a_change_of_one_bit_is_noticed(position: int) -> None:
    with pytest.raises(InvalidTag):
        Sealer(ONE).open(flipped(Sealer(ONE).seal(CLEAR), position))


def test_another_key_does_not_open() -> None:
    with pytest.raises(InvalidTag):
        Sealer(OTHER).open(Sealer(ONE).seal(CLEAR))


@pytest.mark.parametrize("secret", ["", "5e" * 16, "5e" * 33, "not hexadecimal"])
def test_a_key_of_another_length_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        Sealer(SecretStr(secret))


BOTH = SecretStr(f"{OTHER.get_secret_value()}\n{ONE.get_secret_value()}")


def test_what_an_older_key_sealed_is_opened_while_the_newer_seals() -> None:
    assert Sealer(BOTH).open(Sealer(ONE).seal(CLEAR)) == CLEAR
    assert Sealer(OTHER).open(Sealer(BOTH).seal(CLEAR)) == CLEAR
    with pytest.raises(InvalidTag):
        Sealer(BOTH).open(Sealer(SecretStr("77" * 32)).seal(CLEAR))


def test_a_submission_is_known_by_the_older_key_too() -> None:
    assert Sealer(ONE).fingerprints({"a": 1})[0] in Sealer(BOTH).fingerprints({"a": 1})
    assert Sealer(BOTH).fingerprints({"a": 1})[0] == Sealer(OTHER).fingerprints({"a": 1})[0]


def test_a_persons_key_is_wrapped_anew_once_and_then_the_older_programme_key_may_go() -> None:
    wrapped, sealed = Vault(ONE).lock(CLEAR)
    assert Vault(BOTH).unlock(wrapped, sealed) == CLEAR
    again = Vault(BOTH).rewrap(wrapped)
    assert again
    assert Vault(OTHER).unlock(again, sealed) == CLEAR
    assert Vault(BOTH).rewrap(again) is None


@given(bodies)
def test_the_order_of_fields_does_not_change_a_fingerprint(body: object) -> None:
    def turned(part: object) -> object:
        if isinstance(part, dict):
            return {key: turned(value) for key, value in reversed(part.items())}
        return [turned(item) for item in part] if isinstance(part, list) else part

    assert Sealer(ONE).fingerprints(turned(body)) == Sealer(ONE).fingerprints(body)


@given(bodies, bodies)
def test_other_bodies_have_other_fingerprints(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (Sealer(ONE).fingerprints(one) == Sealer(ONE).fingerprints(other)) == same


def test_a_fingerprint_cannot_be_made_without_the_key() -> None:
    assert Sealer(ONE).fingerprints({"a": 1}) != Sealer(OTHER).fingerprints({"a": 1})


@given(st.binary(max_size=200))
def test_what_was_locked_is_unlocked(clear: bytes) -> None:
    assert Vault(ONE).unlock(*Vault(ONE).lock(clear)) == clear


def test_each_row_has_a_key_of_its_own() -> None:
    (first_key, first), (second_key, second) = Vault(ONE).lock(CLEAR), Vault(ONE).lock(CLEAR)
    assert first_key != second_key
    assert b"Jane" not in first + second
    with pytest.raises(InvalidTag):
        Vault(ONE).unlock(second_key, first)


def test_another_programme_key_does_not_unwrap() -> None:
    with pytest.raises(InvalidUnwrap):
        Vault(OTHER).unlock(*Vault(ONE).lock(CLEAR))


def test_a_locked_row_that_was_changed_is_noticed() -> None:
    wrapped, sealed = Vault(ONE).lock(CLEAR)
    with pytest.raises(InvalidTag):
        Vault(ONE).unlock(wrapped, flipped(sealed, 20))
    with pytest.raises(InvalidUnwrap):
        Vault(ONE).unlock(flipped(wrapped, 3), sealed)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_an_alias_is_a_version_8_uuid_that_only_the_holder_of_the_key_can_make(parts: list[str]) -> None:
    alias = Vault(ONE).alias(NOON, *parts)
    assert (alias.version, alias.variant) == (8, RFC_4122)
    assert alias == Vault(ONE).alias(NOON, *parts)
    assert alias != Vault(OTHER).alias(NOON, *parts)


def test_parts_of_an_alias_do_not_run_into_each_other() -> None:
    assert Vault(ONE).alias(NOON, "ab", "c") != Vault(ONE).alias(NOON, "a", "bc")
