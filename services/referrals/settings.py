"""Settings of the referrals service."""

from pydantic import Field, SecretStr

from chassis.settings import Settings


class ReferralsSettings(Settings):
    """`jwe_key` opens what partners seal (a private JWK); `programme_key` wraps the keys of persons
    (64 hexadecimal digits). They are separate, and never in a database. `token_key` is that of service tokens."""

    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+[^/\s]$")
    """Where people reach the pages of this service; without it their messages have no links."""
    jwe_key: SecretStr
    programme_key: SecretStr
    token_key: SecretStr
