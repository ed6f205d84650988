"""JSON Web Encryption (RFC 7516): what a sender sealed with our public key, and how it is opened."""

import json
from base64 import urlsafe_b64decode
from typing import Any, Final

from joserfc import jwe
from joserfc.jwk import OKPKey
from pydantic import SecretStr

ALGORITHMS: Final = ["ECDH-ES+A256KW", "A256GCM"]
"""Key agreement on X25519 with key wrap, and the cipher. No compression."""


class NotOpened(Exception):
    """The text was not sealed with our key, or was changed on the way. `rule` tells which."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def new_key(key_id: str) -> dict[str, Any]:
    """A private JWK, to be kept secret."""
    key = OKPKey.generate_key("X25519", {"kid": key_id, "use": "enc"}, private=True)
    return dict(key.as_dict(private=True))


def public_part(private: dict[str, Any]) -> dict[str, Any]:
    return dict(OKPKey.import_key(private).as_dict(private=False))


def seal(clear: bytes, public: dict[str, Any]) -> str:
    """Seals for the owner of a public JWK, as a partner does."""
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "kid": public["kid"]}
    return jwe.encrypt_compact(header, clear, OKPKey.import_key(public), algorithms=ALGORITHMS)


def keys_in(text: str) -> list[dict[str, Any]]:
    """A private JWK, or a list of them: the newest first, which is the one to seal with."""
    read = json.loads(text)
    return read if isinstance(read, list) else [read]


class Opener:
    """Opens what was sealed with one of our public keys."""

    def __init__(self, private_jwks: SecretStr) -> None:
        keys = [OKPKey.import_key(each) for each in keys_in(private_jwks.get_secret_value())]
        self._keys = {key.kid: key for key in keys}

    def open(self, sealed: str) -> bytes:
        """Raises NotOpened."""
        header = _header(sealed)
        if "zip" in header or header.get("alg") != ALGORITHMS[0] or header.get("enc") != ALGORITHMS[1]:
            raise NotOpened("jwe-algorithm")
        key = self._keys.get(str(header.get("kid")))
        if key is None:
            raise NotOpened("other-key")
        try:
            opened = jwe.decrypt_compact(sealed, key, algorithms=ALGORITHMS)
        except Exception:  # noqa: BLE001 - a hostile header makes the library raise all sorts, KeyError among them
            raise NotOpened("not-opened") from None
        return opened.plaintext or b""


def _header(sealed: str) -> dict[str, Any]:
    encoded = sealed.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        raise NotOpened("no-jwe") from None
    if not isinstance(header, dict):
        raise NotOpened("no-jwe")
    return header
