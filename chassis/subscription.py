"""How FastStream reads Kafka for us: the only settings under which nothing is lost in silence."""

from collections.abc import Sequence
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from contracts.topics import INBOX_PATTERN

POLL_RECORDS: Final = 1000
LONGEST_POLL_MS: Final = 24 * 60 * 60 * 1000
"""Waiting for Postgres is no reason to leave the group; every statement has a time limit of its own."""
TURN_OF_A_TOPIC: Final = 1024 * 1024
TURN_OF_A_PARTNER: Final = 256 * 1024
"""Bytes fetched of one partition before the others have their turn: no partner's backlog holds up another's."""


def subscribe(
    broker: KafkaBroker, group: str, topics: Sequence[str], listener: ConsumerRebalanceListener
) -> BatchSubscriber:
    """A subscriber to topics of facts, or to every partner's inbox where none is named."""
    return broker.subscriber(
        *topics,
        pattern=None if topics else INBOX_PATTERN,
        group_id=group,
        batch=True,
        max_records=POLL_RECORDS,
        max_partition_fetch_bytes=TURN_OF_A_TOPIC if topics else TURN_OF_A_PARTNER,
        batch_timeout_ms=15,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
        rebalance_timeout_ms=45_000,
        max_poll_interval_ms=LONGEST_POLL_MS,
        fetch_max_wait_ms=100,
        listener=listener,
        parser=_keep_records,
        decoder=_records,
        no_reply=True,
    )


async def _keep_records(records: tuple[ConsumerRecord, ...], original: Any) -> Any:
    """FastStream's parser would drop a batch for one header that is no UTF-8: it gets to see none."""
    first = records[0]
    parsed = await original((_bare(first),))
    parsed.raw_message = records
    return parsed


def _bare(record: ConsumerRecord) -> ConsumerRecord:
    return ConsumerRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        None,
        b"",
        None,
        0,
        0,
        (),
    )


async def _records(message: Any) -> Any:
    return message.raw_message
