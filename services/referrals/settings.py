"""Settings of the referrals service."""

from pydantic import SecretStr

from chassis.settings import Settings


class ReferralsSettings(Settings):
    """`jwe_key` opens what partners seal (a private JWK); `programme_key` wraps the keys of persons
    (64 hexadecimal digits). They are separate, and never in a database. `token_key` is that of service tokens."""

    jwe_key: SecretStr
    programme_key: SecretStr
    token_key: SecretStr
