import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined, unused-ignore]
    AdminClient,
    ConfigResource,
    ResourceType,
)
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from deploy.embedded import kafka
from deploy.embedded.processes import Process, wait_until
from deploy.kafka.admin import Access, Admin, AdminError, PartitionsDifferError, Topic
from deploy.kafka.client import QUIET, options
from deploy.kafka.quotas import OF_A_PARTNER, OF_A_SERVICE, apply_quotas
from deploy.site import ADMIN

Kill = Callable[[Process], None]


def admin(broker: kafka.Broker) -> Admin:
    return Admin(broker.kafka)


def as_user(broker: kafka.Broker, user: str, password: str) -> KafkaSettings:
    return broker.kafka.model_copy(update={"user": user, "password": SecretStr(password)})


def producer(broker: kafka.Broker, user: str, password: str, **more: int) -> Producer:
    return Producer({**options(as_user(broker, user, password)), "enable.idempotence": True, **more}, logger=QUIET)


def send(sender: Producer, topic: str, value: bytes = b"x") -> KafkaError | None:
    """What the broker said to a record: nothing when it took it."""
    said: list[KafkaError | None] = []
    sender.produce(topic, value, on_delivery=lambda error, _: said.append(error))
    sender.flush(60)
    return said[0]


def read(broker: kafka.Broker, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({**options(broker.kafka), "group.id": "reader"}, logger=QUIET)
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in consumer.consume(count, 60)]
    finally:
        consumer.close()


def offsets(broker: kafka.Broker, topic: str) -> tuple[int, int]:
    consumer = Consumer({**options(broker.kafka), "group.id": "reader"}, logger=QUIET)
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), 60)
    finally:
        consumer.close()


def partner(broker: kafka.Broker, name: str, *allowed: str) -> Producer:
    admin(broker).set_password(name, "secret")
    admin(broker).grant(name, [Access("topic", topic, "literal", ("write", "describe")) for topic in allowed])
    return producer(broker, name, "secret")


def test_it_listens_on_loopback_only(broker: kafka.Broker) -> None:
    connections = psutil.Process(broker.process.pid).net_connections()
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_it_keeps_its_data_its_users_and_its_port(own_dir: Path, kill: Kill) -> None:
    first = kafka.start(own_dir)
    admin(first).apply_topics([Topic("kept", 1)])
    partner(first, "p", "kept")
    kafka.stop(first.process)
    second = kafka.start(own_dir)
    assert send(producer(second, "p", "secret"), "kept", b"before the crash") is None
    kill(second.process)
    third = kafka.start(own_dir)
    assert read(third, "kept", 1) == [b"before the crash"]
    assert first.kafka.bootstrap == second.kafka.bootstrap == third.kafka.bootstrap
    assert first.kafka.password == second.kafka.password == third.kafka.password


def test_one_that_runs_is_returned(own_dir: Path) -> None:
    assert kafka.start(own_dir) == kafka.start(own_dir)


def test_no_password_is_on_a_command_line_or_open_to_others(own_dir: Path) -> None:
    broker = kafka.start(own_dir)
    process = psutil.Process(broker.process.pid)
    assert broker.kafka.password.get_secret_value() not in " ".join([*process.cmdline(), *process.environ().values()])
    holding = [
        path
        for path in own_dir.rglob("*")
        if path.is_file() and _mentions(path, broker.kafka.password.get_secret_value())
    ]
    assert {path.name for path in holding} == {"kafka-admin", "server.properties"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}


def _mentions(path: Path, password: str) -> bool:
    return password.encode() in path.read_bytes()


@pytest.mark.parametrize("change", [{"sasl.password": "wrong"}, {"security.protocol": "PLAINTEXT"}])
def test_nobody_enters_without_the_password(broker: kafka.Broker, change: dict[str, str]) -> None:
    wrong = {**options(broker.kafka), **change}
    with pytest.raises(Exception, match=r"(?i)transport failure|timed out"):
        AdminClient(wrong, logger=QUIET).list_topics(timeout=1)


def test_a_cluster_id_that_looks_like_an_option_is_taken(own_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.kafka._cluster_id", lambda: "-L_pGsCtSfqP21INFa8aVg")
    assert kafka.start(own_dir)


def test_the_controllers_listener_asks_for_a_password_too(own_dir: Path) -> None:
    kafka.start(own_dir)
    text = (own_dir / "kafka" / "server.properties").read_text()
    assert "CONTROLLER:SASL_PLAINTEXT" in text
    assert "ANONYMOUS" not in text


def test_a_partner_writes_where_it_may_and_nowhere_else(broker: kafka.Broker) -> None:
    admin(broker).apply_topics([Topic("mine", 1), Topic("theirs", 1)])
    sender = partner(broker, "writer", "mine")
    assert send(sender, "mine") is None
    refused = send(sender, "theirs")
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert offsets(broker, "theirs") == (0, 0)


def test_a_revoked_partner_writes_nowhere_also_on_an_open_connection(broker: kafka.Broker) -> None:
    admin(broker).apply_topics([Topic("once", 1)])
    sender = partner(broker, "leaver", "once")
    assert send(sender, "once") is None
    for _ in range(2):
        admin(broker).revoke("leaver")
        admin(broker).remove_user("leaver")
    refused = send(sender, "once")
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_prefix_grants_groups_and_the_cluster_can_be_described(broker: kafka.Broker) -> None:
    accesses = [
        Access("group", "p9.", "prefixed", ("read",)),
        Access("cluster", "", "literal", ("describe",)),
    ]
    for _ in range(2):
        admin(broker).grant("p9", accesses)
    assert len(admin(broker).rights("p9")) == len(accesses)


def test_what_was_granted_or_taken_away_is_so_at_once(broker: kafka.Broker) -> None:
    asked, may = admin(broker), Access("topic", "some", "literal", ("read",))
    for _ in range(5):
        asked.set_password("brief", "secret")
        asked.grant("brief", [may])
        assert ("brief" in asked.users(), len(asked.rights("brief"))) == (True, 1)
        asked.revoke("brief")
        asked.remove_user("brief")
        assert ("brief" in asked.users(), asked.rights("brief")) == (False, set())


def test_topics_are_made_as_described_and_made_so_again(broker: kafka.Broker) -> None:
    for retention in ("60000", "60000", "120000"):
        config = {"retention.ms": retention, "cleanup.policy": "compact"}
        admin(broker).apply_topics([Topic("described", 3, config)])
        wait_until(partial(_has_retention, broker, "described", retention), 60, "the new retention")


def _has_retention(broker: kafka.Broker, topic: str, wanted: str) -> bool:
    client = AdminClient(options(broker.kafka), logger=QUIET)
    resource = ConfigResource(ResourceType.TOPIC, topic)
    found = client.describe_configs([resource])[resource].result(20)
    return bool(found["retention.ms"].value == wanted)


def test_partitions_are_never_changed(broker: kafka.Broker) -> None:
    admin(broker).apply_topics([Topic("fixed", 2)])
    with pytest.raises(PartitionsDifferError, match="fixed has 2 partitions and should have 3"):
        admin(broker).apply_topics([Topic("other", 1), Topic("fixed", 3)])
    assert "other" not in admin(broker).partitions()


def test_an_unknown_topic_is_not_made_by_writing_to_it(broker: kafka.Broker) -> None:
    password = broker.kafka.password.get_secret_value()
    sender = producer(broker, ADMIN, password, **{"topic.metadata.propagation.max.ms": 200})
    refused = send(sender, "never-made")
    assert refused is not None
    assert "never-made" not in admin(broker).partitions()


def test_records_are_deleted_up_to_an_offset(broker: kafka.Broker) -> None:
    admin(broker).apply_topics([Topic("short", 1)])
    sender = producer(broker, ADMIN, broker.kafka.password.get_secret_value())
    for _ in range(3):
        assert send(sender, "short") is None
    for _ in range(2):
        admin(broker).delete_records("short", 0, before=2)
    assert offsets(broker, "short") == (2, 3)


def test_a_new_password_replaces_the_old(broker: kafka.Broker) -> None:
    for password in ("first", "first", "second"):
        admin(broker).set_password("changer", password)
    AdminClient(options(as_user(broker, "changer", "second")), logger=QUIET).list_topics(timeout=60)


def test_a_wrong_password_is_named_as_the_cause(broker: kafka.Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.kafka.admin.WITHIN", 1.5)
    with pytest.raises(AdminError, match="the user or the password is wrong"):
        Admin(broker.kafka.model_copy(update={"password": SecretStr("wrong")})).partitions()


async def test_each_user_has_a_quota_and_ours_a_larger_one(broker: kafka.Broker) -> None:
    await apply_quotas(broker.kafka, {None: OF_A_PARTNER, "referrals": OF_A_SERVICE})
    admin = AIOKafkaAdminClient(**client_options(broker.kafka, "test"))
    try:
        await admin.start()
        every_user = DescribeClientQuotasRequest([("user", 2, None)], strict=False)
        answer = await admin._send_request(every_user)
    finally:
        await admin.close()
    found = {entity[0][1]: dict(values) for entity, values in answer.entries}
    assert found == {None: dict(OF_A_PARTNER), "referrals": dict(OF_A_SERVICE)}
