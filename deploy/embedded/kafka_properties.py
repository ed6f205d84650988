"""The configuration of the embedded broker."""

from pathlib import Path

from deploy.embedded.ports import LOOPBACK

ADMIN = "admin"
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


def properties(data: Path, port: int, controller_port: int, password: str) -> str:
    """
    Both listeners ask for a password, so that nobody is ANONYMOUS and only `admin` is a super user.

    The controller's knows PLAIN only: SCRAM users live in the metadata that it has yet to read.
    """
    return _lines(
        {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "log.dirs": str(data),
            "listeners": f"CLIENT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"CLIENT://{LOOPBACK}:{port}",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.client.scram-sha-512.sasl.jaas.config": _login("scram.ScramLoginModule", password),
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


def _login(module: str, password: str, more: str = "") -> str:
    return f'{LOGIN}.{module} required username="{ADMIN}" password="{password}" {more};'


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
