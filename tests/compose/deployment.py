"""The deployment as ops start it, under a name and on ports of its own, seen from the host that it runs on."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from chassis.settings import DatabaseSettings, KafkaSettings
from contracts.message import SERVICES
from deploy import keys
from deploy.embedded import mail
from deploy.embedded.ports import free_port
from deploy.site import ADMIN

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "deploy" / "compose.yaml"
PORTS: Final = (
    "FURTHEST_HTTPS_PORT",
    "FURTHEST_HTTP_REDIRECT_PORT",
    *(f"FURTHEST_KAFKA_PORT_{n}" for n in (1, 2, 3)),
)


class ComposeError(Exception):
    """A command of compose failed; the message holds the end of what it said."""


@dataclass(slots=True)
class Composed:
    """`folder` takes a copy of the secrets and the mails."""

    project: str
    folder: Path
    file: Path = FILE
    environment: dict[str, str] = field(default_factory=dict)

    def up(self) -> None:
        """Returns when all of it is healthy."""
        if not self.environment:
            host = _docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}").strip()
            mailbox = mail.start(self.folder, host=host)
            self.environment = {
                "FURTHEST_SMTP_HOST": host,
                "FURTHEST_SMTP_PORT": str(mailbox.port),
                "FURTHEST_SMTP_TLS": "none",
                "FURTHEST_SMTP_SENDER": "no-reply@furthest.example",
                "FURTHEST_PROMETHEUS_PORT": str(free_port()),
                **{name: str(free_port()) for name in PORTS},
            }
        self.compose("up", "--wait", "--build", "--quiet-pull")
        self._copy_secrets()

    def down(self, *words: str) -> None:
        """With the words `--volumes` nothing stays."""
        self.compose("--profile", "*", "down", "--remove-orphans", *words)

    def compose(self, *words: str, within: float = 400) -> str:
        """What it printed. Raises ComposeError."""
        return _docker("compose", "-p", self.project, "-f", str(self.file), *words, within=within, **self.environment)

    def furthest(self, *words: str) -> Any:
        """The command, in a container, as ops run it; its JSON. Raises ComposeError."""
        return json.loads(self.compose("run", "--rm", "-T", "--no-deps", "furthest", *words, "--json"))

    def crash(self, service: str) -> None:
        """Kills every process of a container, as it would die of itself: its restart policy starts it again."""
        user = ["--user", "postgres"] if service == "postgres" else []
        words = self._words("exec", "-T", *user, service, "sh", "-c", "kill -9 -1")
        subprocess.run(words, env={**os.environ, **self.environment}, capture_output=True, timeout=60, check=False)

    def remove_volume(self, name: str) -> None:
        _docker("volume", "rm", f"{self.project}_{name}")

    def trouble(self) -> str:
        """What is not well with the containers, or with the services in them; empty where all is."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        seen = {each["Service"]: (each["State"], each["Health"], each["ExitCode"]) for each in map(json.loads, lines)}
        wrong = {name: s for name, s in seen.items() if s[0] != "exited" and s[:2] != ("running", "healthy")}
        wrong |= {name: s for name, s in seen.items() if s[0] == "exited" and s[2] != 0}
        if wrong:
            return ", ".join(f"{name} is {state} {health}".strip() for name, (state, health, _) in wrong.items())
        return self._degraded()

    def _degraded(self) -> str:
        """Healthy is who serves somebody: this is whether all of it works."""
        try:
            services = self.furthest("status")["services"]
        except ComposeError as error:
            return str(error)
        wrong = {name: said for name, said in services.items() if said["status"] != "ok"}
        return ", ".join(f"{name} is {said['status']} {said.get('degraded', '')}" for name, said in wrong.items())

    def published(self) -> set[int]:
        """The ports of the host that lead to a container."""
        lines = self.compose("ps", "--format", "json").splitlines()
        ports = (port["PublishedPort"] for line in lines for port in json.loads(line)["Publishers"] or ())
        return {port for port in ports if port}

    def address(self, service: str) -> str:
        """Where the host reaches a container on the network between them."""
        container = self.compose("ps", "-q", service).split()[0]
        networks = json.loads(_docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", container))
        address: str = networks[f"{self.project}_inside"]["IPAddress"]
        return address

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def ca(self) -> str:
        """The certificate of who signed those that partners see."""
        return (self.secrets / "ca.pem").read_text()

    @property
    def edge(self) -> str:
        return f"https://localhost:{self.environment['FURTHEST_HTTPS_PORT']}"

    @property
    def brokers(self) -> str:
        return ",".join(f"localhost:{self.environment[f'FURTHEST_KAFKA_PORT_{n}']}" for n in (1, 2, 3))

    @property
    def kafka(self) -> KafkaSettings:
        """As its administrator, by the door of the partners."""
        password = SecretStr((self.secrets / "kafka-admin").read_text())
        return KafkaSettings(bootstrap=self.brokers, user=ADMIN, password=password, tls_ca=self.ca)

    def database(self, service: str) -> DatabaseSettings:
        password = SecretStr(keys.read(self.secrets, service, "database_password"))
        return DatabaseSettings(host=self.address("postgres"), name=service, user=f"{service}_app", password=password)

    def databases(self) -> dict[Any, str]:
        """The address of each service's database, with its password."""
        return {service: _dsn(self.database(service)) for service in SERVICES}

    def _copy_secrets(self) -> None:
        words = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "tar", "furthest", "-C", "/run/furthest", "-c", ".")
        with tarfile.open(fileobj=io.BytesIO(_run(self._words(*words), self.environment, 60)), mode="r|") as archive:
            archive.extractall(self.secrets, filter="data")

    def _words(self, *words: str) -> list[str]:
        return ["docker", "compose", "-p", self.project, "-f", str(self.file), *words]


def _dsn(database: DatabaseSettings) -> str:
    password = database.password.get_secret_value()
    return f"postgresql://{database.user}:{password}@{database.host}:{database.port}/{database.name}"


def _docker(*words: str, within: float = 60, **environment: str) -> str:
    return _run(["docker", *words], environment, within).decode()


def _run(words: list[str], environment: Mapping[str, str], within: float) -> bytes:
    try:
        done = subprocess.run(
            words, env={**os.environ, **environment}, capture_output=True, timeout=within, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ComposeError(f"{' '.join(words)} did not end within {within:g} s") from error
    if done.returncode != 0:
        raise ComposeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr.decode()[-3000:]}")
    return done.stdout
