"""What commands need of a deployment, whoever put it there: addresses, secrets, and the settings of each service."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.facts import Said
from chassis.postgres import connected
from chassis.service import act
from chassis.settings import DatabaseSettings, KafkaSettings
from contracts.message import SERVICES, Service
from deploy import keys
from deploy.errors import DeployError
from deploy.kafka.admin import Admin
from deploy.wiring import build, settings_of

ADMIN: Final = "admin"
"""The super user of our Kafka, whose password is `kafka-admin` among the secrets."""
SECRETS: Final = "FURTHEST_SECRETS"
ROLES: Final = ("owner", "app", "backup")


@dataclass(frozen=True, slots=True)
class Roles:
    """Of a service's database: the owner migrates, the application reads and writes rows, the backup reads all."""

    owner: DatabaseSettings
    app: DatabaseSettings
    backup: DatabaseSettings


@dataclass(frozen=True, slots=True)
class Outside:
    """Where partners come in. `kafka_ca` is the certificate (PEM) of who signed Kafka's; none where it has no TLS."""

    kafka: str
    kafka_ca: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """`kafka` and `database` are for administration; `given` is what each service's settings are, but for secrets."""

    secrets: Path
    kafka: KafkaSettings
    database: DatabaseSettings
    outside: Outside
    given: Callable[[Service], Mapping[str, str]]
    urls: Mapping[Service, str]
    keep_partner: Callable[[str, dict[str, Any]], None] = lambda partner, credentials: None
    servers: Callable[[], Mapping[str, str]] | None = None

    def settings(self, service: Service) -> Any:
        """For acts on a service from outside of its process."""
        given: dict[str, Any] = {"_secrets_dir": self.secrets / service, **self.given(service)}
        return settings_of(service)(**given)

    async def act(self, service: Service, *acts: BaseModel) -> list[Said]:
        """Does what staff or operations ask of a service, on its database, and returns what will be said."""
        settings = self.settings(service)
        return await act(build(service, settings), settings, *acts)

    def connected(self, service: Service) -> "AbstractAsyncContextManager[asyncpg.Connection[asyncpg.Record]]":
        """A service's database, with the rights of the service."""
        return connected(self.settings(service).database)

    def before(self, name: str) -> SecretStr | None:
        """The password of an administrator that was renewed, as it was before."""
        file = self.secrets / f"{name}.before"
        return SecretStr(file.read_text()) if file.exists() else None

    def admin(self) -> Admin:
        return Admin(self.kafka)

    def status(self) -> dict[str, Any]:
        """Whether each server lives, where we started them, and what each service says of itself."""
        servers = {"servers": self.servers()} if self.servers else {}
        return {**servers, "services": {service: readiness(f"{url}/ready") for service, url in self.urls.items()}}

    @property
    def backup(self) -> DatabaseSettings:
        """The role that copies the whole server."""
        password = SecretStr(keys.of_database(self.secrets, *keys.BACKUP).read_text())
        return self.database.model_copy(update={"user": "_".join(keys.BACKUP), "password": password})

    def roles(self, service: Service) -> Roles:
        def settings(role: str, password: str) -> DatabaseSettings:
            named = {"name": service, "user": f"{service}_{role}", "password": SecretStr(password)}
            return self.database.model_copy(update=named)

        owner, backup = (keys.of_database(self.secrets, service, role).read_text() for role in ("owner", "backup"))
        app = keys.read(self.secrets, service, "database_password")
        return Roles(settings("owner", owner), settings("app", app), settings("backup", backup))


def readiness(url: str) -> dict[str, Any]:
    """What `/ready` says, or that nobody answers."""
    try:
        seen: dict[str, Any] = httpx2.get(url, timeout=3).json()
    except (httpx2.HTTPError, ValueError) as error:
        return {"status": "down", "reason": type(error).__name__}
    return seen


def own_names(service: Service) -> dict[str, str]:
    """What its settings say of a service's own database and users."""
    return {"database_name": service, "database_user": f"{service}_app", "kafka_user": service}


class _Environment(BaseSettings):
    """Variables are named FURTHEST_...; those of the services are read by their own settings."""

    model_config = SettingsConfigDict(
        env_prefix="FURTHEST_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    secrets: Path
    kafka_bootstrap: str
    kafka_ca: Path | None = None
    kafka_admin: str = ADMIN
    database_host: str
    database_port: int = 5432
    database_admin: str = "postgres"
    outside_kafka: str
    outside_kafka_ca: Path | None = None
    http_port: int = 8000


def from_environment() -> Site:
    """Where containers run. Raises DeployError where a secret was not made yet."""
    env = _Environment()  # type: ignore[call-arg]  # read from the environment

    def password(name: str) -> SecretStr:
        file = env.secrets / name
        if not file.exists():
            raise DeployError(f"The secret {file} is missing. Make it with: furthest secrets make")
        return SecretStr(file.read_text())

    ca = env.outside_kafka_ca
    return Site(
        env.secrets,
        KafkaSettings(
            bootstrap=env.kafka_bootstrap,
            user=env.kafka_admin,
            password=password("kafka-admin"),
            tls_ca=env.kafka_ca.read_text() if env.kafka_ca else None,
        ),
        DatabaseSettings(
            host=env.database_host,
            port=env.database_port,
            name="postgres",
            user=env.database_admin,
            password=password("postgres-admin"),
        ),
        Outside(env.outside_kafka, ca.read_text() if ca else None),
        lambda service: {**own_names(service), "http_port": str(env.http_port)},
        {service: f"http://{service}:{env.http_port}" for service in SERVICES},
    )


def in_containers() -> bool:
    return SECRETS in os.environ
