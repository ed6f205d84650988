"""Settings of one service process, from the environment and from files of secrets."""

import os
from pathlib import Path
from socket import gethostname
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SAFEGUARDING = "Tell the safeguarding team of the council, or call 999 where somebody is in danger now."
SECRETS_DIR = "FURTHEST_SECRETS_DIR"


class DatabaseSettings(BaseModel):
    host: str
    port: int = 5432
    name: str
    user: str
    password: SecretStr
    pool_size: int = Field(default=10, ge=3)
    search_path: str = "public"


class KafkaSettings(BaseModel):
    bootstrap: str
    user: str
    password: SecretStr
    tls_ca: str | None = None
    """The certificate of who signed Kafka's, in PEM; without it there is no TLS."""


class Settings(BaseSettings):
    """What every service needs. Variables are named FURTHEST_...; a file of that name in the folder that
    FURTHEST_SECRETS_DIR names holds a secret."""

    model_config = SettingsConfigDict(
        env_prefix="FURTHEST_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_host: str
    database_port: int = 5432
    database_name: str
    database_user: str
    database_password: SecretStr
    kafka_bootstrap: str
    kafka_user: str
    kafka_password: SecretStr
    kafka_ca: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int
    internal_port: int | None = None
    """Where a service that has doors for other services opens them; never to be reached from outside."""
    replica: str = Field(default_factory=gethostname)
    inbox_daily_quota: int = Field(default=100_000, ge=1)
    """Records that are read of one partner's inbox in a day; those beyond wait for the next."""
    safeguarding: str = Field(default=SAFEGUARDING, max_length=500)
    """Where worries about somebody's safety go. Every door shows it."""
    sealing_key: SecretStr
    """Seals dead letters and fingerprints submissions: 64 hexadecimal digits."""

    @classmethod
    def load(cls) -> Self:
        """From the environment, and from files named after the variables in the folder of secrets."""
        folder = os.environ.get(SECRETS_DIR)
        given: dict[str, Any] = {"_secrets_dir": Path(folder)} if folder else {}
        return cls(**given)

    @property
    def database(self) -> DatabaseSettings:
        return DatabaseSettings(
            host=self.database_host,
            port=self.database_port,
            name=self.database_name,
            user=self.database_user,
            password=self.database_password,
        )

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.kafka_bootstrap,
            user=self.kafka_user,
            password=self.kafka_password,
            tls_ca=self.kafka_ca.read_text() if self.kafka_ca else None,
        )
