"""Header names that are no UTF-8: Kafka takes them from whoever may write, and aiokafka never gets past them.

A batch on which its parser gives up is read again by its slow one, with U+FFFD for what is no text.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class _Text(bytes):
    """Bytes whose parts can always be decoded."""

    def __getitem__(self, where: Any) -> Any:
        part = super().__getitem__(where)
        return _Text(part) if isinstance(part, bytes) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Text):
            self._buffer = _Text(self._buffer)


class _Batch:
    """A batch as aiokafka reads it, and its bytes."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """The second time begins with records that were read: the fetcher passes over those."""
        try:
            yield from self._batch
        except UnicodeDecodeError:
            yield from _SlowBatch(self._data)


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]  # aiokafka has no types
    def next_batch(self) -> Any:
        data = self._next_slice
        batch = super().next_batch()
        return batch if batch is None or batch.is_control_batch else _Batch(batch, data)


def read_any() -> None:
    """From now on, in this process."""
    fetcher.MemoryRecords = _Batches
