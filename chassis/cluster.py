"""What must be true of Kafka before one record is read: it is the cluster we know, and keys lie where they did."""

from collections.abc import Mapping
from datetime import datetime

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from chassis.errors import Stopped
from chassis.kafka import client_options
from chassis.postgres import Database
from chassis.settings import KafkaSettings
from chassis.waiting import unbroken


async def check(
    kafka: KafkaSettings, client_id: str, topics: Mapping[str, int], database: Database, at: datetime
) -> None:
    """Raises Stopped where the cluster or a partition count is another, and KafkaError where that cannot be told."""
    admin = AIOKafkaAdminClient(**client_options(kafka, client_id))
    try:
        await unbroken(admin.start())
        cluster = (await admin.describe_cluster())["cluster_id"]
        described = await admin.describe_topics(list(topics)) if topics else []
    finally:
        await admin.close()
    await _check_cluster(database, cluster, at)
    for topic in described:
        _check_partitions(topic["topic"], len(topic["partitions"]), topics[topic["topic"]])


async def _check_cluster(database: Database, found: str, at: datetime) -> None:
    await database.execute("insert into kafka_cluster values ($1, $2) on conflict do nothing", found, at)
    known = await database.fetchval("select id from kafka_cluster")
    if known != found:
        raise Stopped(
            f"This is Kafka cluster {found}, and the stored offsets are of cluster {known}. Give the right address, or "
            "take up the new cluster on purpose: furthest resay"
        )


def _check_partitions(topic: str, found: int, wanted: int) -> None:
    if not found:
        raise UnknownTopicOrPartitionError(topic)
    if found != wanted:
        raise Stopped(
            f"Topic {topic} has {found} partitions and should have {wanted}: keys would lie elsewhere than they did, "
            "and their order would be lost. Restore the topic, or move it to a new name."
        )
