"""A header name that is no UTF-8 holds up nobody: its record is read, and so are those beside it."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBase

from chassis.header_names import _Batches
from tests.chassis.batches import NO_TEXT, Headers, batch

GOOD: Headers = [("ce_id", b"a"), ("ce_type", b"\xff")]
BAD: Headers = [("ce_id", b"a"), (NO_TEXT, b"b")]


def read(log: bytes, begin: int = 0) -> list[Any]:
    """What the fetcher makes of a log, from an offset on."""
    partition = TopicPartition("partners.a.inbox", 0)
    return list(PartitionRecords(partition, _Batches(log), [], begin, None, None, True, 0))


@pytest.mark.parametrize("compression", [DefaultRecordBase.CODEC_NONE, DefaultRecordBase.CODEC_GZIP])
def test_every_record_of_a_batch_is_read_once_wherever_the_bad_name_stands(compression: int) -> None:
    for bad in range(3):
        log = batch(*(BAD if n == bad else GOOD for n in range(3)), compression=compression)
        records = read(log)
        assert [record.offset for record in records] == [0, 1, 2]
        assert [dict(record.headers)["ce_id"] for record in records] == [b"a"] * 3
        assert {(record.key, record.value) for record in records} == {(b"k", b"v")}
        assert records[bad].headers[1] == ("\ufffd\ufffd", b"b")


def test_reading_goes_on_in_the_middle_of_such_a_batch() -> None:
    assert [record.offset for record in read(batch(GOOD, BAD, GOOD), 2)] == [2]
