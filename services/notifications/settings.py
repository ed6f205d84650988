"""Settings of the notifications service."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import Settings


class NotificationsSettings(Settings):
    """Where referrals and grants answer other services, the key of tokens, and which carriers take what is sent."""

    referrals_url: str = Field(pattern=r"^https?://")
    grants_url: str = Field(pattern=r"^https?://")
    token_key: SecretStr
    signature: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    """Who we are and our telephone, as emails and letters end; those in neutral words do not."""
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_ca: Path | None = None
    smtp_sender: str = Field(pattern=r"^[^\s@<>,;:]+@[^\s@<>,;:]+$")
    smtp_bounces: str | None = Field(default=None, pattern=r"^[^\s@<>,;:+]{1,12}@[^\s@<>,;:]+$")
    """Where mails come back to that cannot be delivered, as `bounces+REFERENCE@`. Without it they are not heard of."""
    notify_api_key: SecretStr | None = None
    notify_url: str = Field(default="https://api.notifications.service.gov.uk", pattern=r"^https?://")
    notify_email_template: str | None = None
    """With it emails go by GOV.UK Notify. It holds ((subject)) and ((body)); that of text messages ((body))."""
    notify_sms_template: str | None = None
    notify_letters: bool = False
    notify_at_once: int = Field(default=20, ge=1, le=200)
    """Calls to Notify at the same time."""
    notify_callback_token: SecretStr | None = None

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.smtp_user and self.smtp_tls == "none":
            raise ValueError("smtp_user needs smtp_tls starttls or tls: a password does not travel in clear")
        return self
