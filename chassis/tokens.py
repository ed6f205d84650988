"""How one of our services shows another who it is: a token, signed with a key that both hold, that soon expires."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

LIVES: Final = timedelta(minutes=1)
SKEW: Final = timedelta(seconds=10)
"""What the clocks of two machines may differ by."""
ALGORITHM: Final = "HS256"


@dataclass(frozen=True, slots=True)
class Tokens:
    """JSON Web Tokens (RFC 7519). `key` has 64 hexadecimal digits."""

    key: SecretStr

    def make(self, who: str, whom: str, at: datetime) -> str:
        """A token by which `who` asks `whom`."""
        claims = {"iss": who, "aud": whom, "exp": int((at + LIVES).timestamp())}
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def who(self, token: str, whom: str, at: datetime) -> str | None:
        """Who made this token for `whom`; none where it is no such token, or not live."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        who, expires = claims.get("iss"), claims.get("exp")
        if claims.get("aud") != whom or not isinstance(who, str) or not isinstance(expires, int):
            return None
        now = at.timestamp()
        return who if now - SKEW.total_seconds() < expires <= now + (LIVES + SKEW).total_seconds() else None

    @property
    def _key(self) -> OctKey:
        return OctKey.import_key(bytes.fromhex(self.key.get_secret_value()))
