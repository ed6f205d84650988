"""How much of one partner's inbox is read in a day, so that nobody's flood takes what is there for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from chassis.delivery import Partition
from chassis.envelope import Record

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Quota:
    """Records of one partition that are read from midnight to midnight (UTC); what is beyond waits where it is."""

    records: int
    clock: Callable[[], datetime]
    began: dict[Partition, tuple[date, int]] = field(default_factory=dict)
    resting: dict[Partition, date] = field(default_factory=dict)

    def begin(self, partition: Partition, day_began: int) -> None:
        """A partition was assigned, and stood at this offset when the day began."""
        self.began[partition] = self.clock().date(), day_began
        self.resting.pop(partition, None)

    def cut(self, records: Sequence[R]) -> tuple[list[R], dict[Partition, int]]:
        """What may be read, and the partitions that rest from now on, each with the offset to go on from."""
        today = self.clock().date()
        kept: list[R] = []
        rest: dict[Partition, int] = {}
        for record in records:
            partition = (record.topic, record.partition)
            day, first = self.began.get(partition, (None, 0))
            if day != today:
                first = record.offset
                self.began[partition] = today, first
            if record.offset < first + self.records:
                kept.append(record)
            elif partition not in self.resting:
                self.resting[partition] = today
                rest[partition] = first + self.records
        return kept, rest

    def rested(self) -> list[Partition]:
        """The partitions whose day is over: they are read again."""
        today = self.clock().date()
        over = [partition for partition, day in self.resting.items() if day != today]
        for partition in over:
            del self.resting[partition]
        return over
