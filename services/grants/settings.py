"""Settings of the grants service."""

from pydantic import SecretStr

from chassis.settings import Settings


class GrantsSettings(Settings):
    """`token_key` is that of service tokens: notifications asks where applicants are written to."""

    token_key: SecretStr
