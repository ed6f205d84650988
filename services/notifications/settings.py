"""Settings of the notifications service."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import Settings


class NotificationsSettings(Settings):
    """Where referrals answers other services, the key of service tokens, and which server takes mail."""

    referrals_url: str = Field(pattern=r"^https?://")
    token_key: SecretStr
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_ca: Path | None = None
    smtp_sender: str = Field(pattern=r"^[^\s@<>,;:]+@[^\s@<>,;:]+$")

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.smtp_user and self.smtp_tls == "none":
            raise ValueError("smtp_user needs smtp_tls starttls or tls: a password does not travel in clear")
        return self
