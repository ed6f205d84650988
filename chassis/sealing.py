"""Seals what has to be kept but not read, and fingerprints what has to be recognised."""

import hashlib
import hmac
import json
import os
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pydantic import SecretStr

_NONCE = 12


def _key_of(secret: SecretStr) -> bytes:
    key = bytes.fromhex(secret.get_secret_value())
    if len(key) != 32:
        raise ValueError("a key must be 64 hexadecimal digits")
    return key


class Sealer:
    """AES-256-GCM and HMAC-SHA-256 with keys derived from one secret of 64 hexadecimal digits."""

    def __init__(self, secret: SecretStr) -> None:
        key = _key_of(secret)
        self._aead = AESGCM(hmac.digest(key, b"seal", "sha256"))
        self._mac = hmac.digest(key, b"fingerprint", "sha256")

    def seal(self, clear: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, clear, None)

    def open(self, sealed: bytes) -> bytes:
        return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)

    def fingerprint(self, body: Any) -> bytes:
        """Same for bodies that are equal as JSON, whatever the order of their fields."""
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return hmac.digest(self._mac, canonical, hashlib.sha256)


class Vault:
    """Envelope encryption: each row has a key of its own, and one programme key wraps those (RFC 3394)."""

    def __init__(self, secret: SecretStr) -> None:
        self._programme_key = _key_of(secret)

    def lock(self, clear: bytes) -> tuple[bytes, bytes]:
        """Returns the wrapped key and the sealed text."""
        key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE)
        return aes_key_wrap(self._programme_key, key), nonce + AESGCM(key).encrypt(nonce, clear, None)

    def unlock(self, wrapped: bytes, sealed: bytes) -> bytes:
        key = aes_key_unwrap(self._programme_key, wrapped)
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)

    def alias(self, at: datetime, *parts: str) -> UUID:
        """A version 8 UUID that only the holder of the programme key can tell from these parts.

        It begins with the milliseconds of `at`, so that rows lie in the order in which they come.
        """
        bits = hmac.digest(self._programme_key, "\x1f".join(("alias", *parts)).encode(), hashlib.sha256)
        number = int.from_bytes(bits[:10], "big") & ~(0xF << 76) & ~(0b11 << 62)
        milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
        return UUID(int=milliseconds << 80 | 0x8 << 76 | 0b10 << 62 | number)
