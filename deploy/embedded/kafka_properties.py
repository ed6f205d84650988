"""The configuration of the embedded broker."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.ports import LOOPBACK
from deploy.site import ADMIN

LOGIN = "org.apache.kafka.common.security"

SETTINGS = {
    # A killed broker may register anew only when its old session has ended, by default after 9 s.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    # There is no second copy, and the outbox forgets what was acknowledged: on disk first. Costs 10 to 20 %.
    "log.flush.interval.messages": "1",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}


@dataclass(frozen=True, slots=True)
class Door:
    """One more port to listen on, whose clients are told to come back by `advertised`: where a proxy stands."""

    port: int
    advertised: int


def properties(
    data: Path, port: int, controller_port: int, password: str, doors: Mapping[str, Door] | None = None
) -> str:
    """
    All listeners ask for a password, so that nobody is ANONYMOUS and only `admin` is a super user.

    The controller's knows PLAIN only: SCRAM users live in the metadata that it has yet to read.
    """
    clients = {"CLIENT": Door(port, port), **{name.upper(): door for name, door in (doors or {}).items()}}
    return _lines(
        {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "log.dirs": str(data),
            **_listeners(clients, controller_port, password),
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": _login(
                "plain.PlainLoginModule", password, f'user_{ADMIN}="{password}"'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMIN}",
            **SETTINGS,
        },
    )


def _listeners(clients: Mapping[str, Door], controller_port: int, password: str) -> dict[str, str]:
    scram = _login("scram.ScramLoginModule", password)
    return {
        "listeners": _addresses({name: door.port for name, door in clients.items()} | {"CONTROLLER": controller_port}),
        "advertised.listeners": _addresses({name: door.advertised for name, door in clients.items()}),
        "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in (*clients, "CONTROLLER")),
        **{f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config": scram for name in clients},
    }


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())


def _login(module: str, password: str, more: str = "") -> str:
    return f'{LOGIN}.{module} required username="{ADMIN}" password="{password}" {more};'


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
