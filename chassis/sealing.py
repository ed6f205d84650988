"""Seals what has to be kept but not read, and fingerprints what has to be recognised."""

import contextlib
import hashlib
import hmac
import json
import os
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pydantic import SecretStr

_NONCE = 12


def _keys_of(secret: SecretStr) -> list[bytes]:
    """One or several, with white space between: the newest first. That one writes, and all of them read."""
    keys = [bytes.fromhex(text) for text in secret.get_secret_value().split()]
    if not keys or any(len(key) != 32 for key in keys):
        raise ValueError("a key must be 64 hexadecimal digits")
    return keys


class Sealer:
    """AES-256-GCM and HMAC-SHA-256 with keys derived from secrets of 64 hexadecimal digits, the newest first."""

    def __init__(self, secret: SecretStr) -> None:
        keys = _keys_of(secret)
        self._aeads = [AESGCM(hmac.digest(key, b"seal", "sha256")) for key in keys]
        self._macs = [hmac.digest(key, b"fingerprint", "sha256") for key in keys]

    def seal(self, clear: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._aeads[0].encrypt(nonce, clear, None)

    def open(self, sealed: bytes) -> bytes:
        """Raises InvalidTag."""
        *newer, oldest = self._aeads
        for aead in newer:
            with contextlib.suppress(InvalidTag):
                return aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        return oldest.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)

    def fingerprints(self, body: Any) -> list[bytes]:
        """By each key. The same for bodies that are equal as JSON, whatever the order of their fields."""
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return [hmac.digest(mac, canonical, hashlib.sha256) for mac in self._macs]


class Vault:
    """Envelope encryption: each row has a key of its own, and a programme key wraps those (RFC 3394)."""

    def __init__(self, secret: SecretStr) -> None:
        self._programme_keys = _keys_of(secret)

    def lock(self, clear: bytes) -> tuple[bytes, bytes]:
        """Returns the wrapped key and the sealed text."""
        wrapped = aes_key_wrap(self._programme_keys[0], AESGCM.generate_key(256))
        return wrapped, self.seal(wrapped, clear)

    def seal(self, wrapped: bytes, clear: bytes) -> bytes:
        """Seals something more with a key that is there. Raises InvalidUnwrap."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._unwrap(wrapped)).encrypt(nonce, clear, None)

    def unlock(self, wrapped: bytes, sealed: bytes) -> bytes:
        """Raises InvalidUnwrap and InvalidTag."""
        return AESGCM(self._unwrap(wrapped)).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)

    def rewrap(self, wrapped: bytes) -> bytes | None:
        """The key as the newest programme key wraps it; none where it did so before. Raises InvalidUnwrap."""
        again = aes_key_wrap(self._programme_keys[0], self._unwrap(wrapped))
        return None if again == wrapped else again

    def _unwrap(self, wrapped: bytes) -> bytes:
        *newer, oldest = self._programme_keys
        for key in newer:
            with contextlib.suppress(InvalidUnwrap):
                return aes_key_unwrap(key, wrapped)
        return aes_key_unwrap(oldest, wrapped)

    def tokens(self, *parts: str) -> list[bytes]:
        """By each key, what these parts are found by, and cannot be guessed from without the key."""
        text = "\x1f".join(("token", *parts)).encode()
        return [hmac.digest(key, text, hashlib.sha256) for key in self._programme_keys]

    def alias(self, at: datetime, *parts: str) -> UUID:
        """A version 8 UUID that only the holder of the programme key can tell from these parts.

        It begins with the milliseconds of `at`, so that rows lie in the order in which they come.
        """
        bits = hmac.digest(self._programme_keys[0], "\x1f".join(("alias", *parts)).encode(), hashlib.sha256)
        number = int.from_bytes(bits[:10], "big") & ~(0xF << 76) & ~(0b11 << 62)
        milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
        return UUID(int=milliseconds << 80 | 0x8 << 76 | 0b10 << 62 | number)
