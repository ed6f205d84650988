"""PostgreSQL and Kafka in containers, set up as the embedded ones are, where a Docker engine has the images."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pydantic import SecretStr
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config as config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from chassis.settings import DatabaseSettings, KafkaSettings
from deploy.embedded import postgres
from deploy.embedded.kafka_properties import properties
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.kafka.admin import Admin
from deploy.site import ADMIN
from tests.support import Servers

POSTGRES = "postgres:18"
KAFKA = "apache/kafka:4.3.1"
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
FORMAT = "/etc/kafka/format.properties"
FORMAT_AND_RUN = (
    f'/opt/kafka/bin/kafka-storage.sh format -t {CLUSTER_ID} -c {FORMAT} --add-scram "$FIRST_USER"'
    " && exec /etc/kafka/docker/run"
)
"""The image formats the storage too, but without a user; it goes on when it meets a formatted one."""


@cache
def available() -> bool:
    """Whether a Docker engine answers and has both images; none is pulled."""
    return _has(POSTGRES, KAFKA)


def _has(*images: str) -> bool:
    """Asks the command line: Docker's Python client leaves a socket open where no engine answers."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    command = [docker, "image", "inspect", *images]
    try:
        asked = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


@contextmanager
def started() -> Iterator[Servers]:
    if not _has(config.ryuk_image):
        config.ryuk_disabled = True  # it removes the containers of a killed run; its image would be pulled
    password = secrets.token_hex(16)
    database_port, broker_port = free_port(), free_port()
    with _postgres(database_port, password), _kafka(broker_port, password):
        hidden = SecretStr(password)
        broker = KafkaSettings(bootstrap=f"{LOOPBACK}:{broker_port}", user=ADMIN, password=hidden)
        database = DatabaseSettings(
            host=LOOPBACK, port=database_port, name="postgres", user=postgres.SUPERUSER, password=hidden
        )
        yield Servers(database, broker, Admin(broker))


def _postgres(port: int, password: str) -> PostgresContainer:
    container = PostgresContainer(
        POSTGRES, username=postgres.SUPERUSER, password=password, dbname="postgres", driver=None
    )
    container.with_env("POSTGRES_INITDB_ARGS", " ".join(postgres.INITDB))
    container.with_command(["-c", f"max_connections={postgres.SETTINGS['max_connections']}"])
    return container.with_bind_ports(5432, port)


def _kafka(port: int, password: str) -> DockerContainer:
    """The port is the same inside and outside: the broker reaches itself at the address that it advertises."""
    inside = properties(Path("/var/lib/kafka/data"), port, free_port(), password)
    published = inside.replace(f"\nlisteners=CLIENT://{LOOPBACK}:", "\nlisteners=CLIENT://:")
    container = DockerContainer(KAFKA, env=_environment(published))
    container.with_envs(
        CLUSTER_ID=CLUSTER_ID,
        FIRST_USER=f"SCRAM-SHA-512=[name={ADMIN},password={password}]",
        KAFKA_HEAP_OPTS="-Xmx512m",
    )
    container.with_copy_into_container(published.encode(), FORMAT)
    container.with_command(["bash", "-c", FORMAT_AND_RUN]).with_bind_ports(port, port)
    return container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))


def _environment(text: str) -> dict[str, str]:
    """Kafka's properties as its image takes them: `scram-sha-512.x` is `KAFKA_SCRAM___SHA___512_X`."""
    named = (line.split("=", 1) for line in text.splitlines())
    return {"KAFKA_" + name.upper().replace("-", "___").replace(".", "_"): value for name, value in named}
