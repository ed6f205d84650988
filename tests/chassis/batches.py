"""Batches of records that no client writes, but that Kafka takes."""

from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

Headers = list[tuple[str, bytes]]


class _NoText(str):
    """A header name that goes to Kafka as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return b"\xff\xfe"


NO_TEXT = _NoText("no text")


def builder(compression: int = 0) -> _DefaultRecordBatchBuilderPy:
    """aiokafka's slow one, which takes such names. It can stand in for the fast one of a producer's batch."""
    return _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 2**16)


def batch(*records: Headers, compression: int = 0) -> bytes:
    made = builder(compression)
    for offset, headers in enumerate(records):
        made.append(offset, timestamp=0, key=b"k", value=b"v", headers=headers)
    return bytes(made.build())
