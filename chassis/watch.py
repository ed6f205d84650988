"""Watches the consumers: a FastStream subscriber can fall silent without an error, and then nobody reads."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chassis.consume import Consumer
from chassis.due import until_stopped
from chassis.logs import logger
from chassis.metrics import DEGRADED

log = logger("watch")

LOOK_EVERY: Final = 1.0
SILENT_AFTER: Final = 15.0
AGAIN_AFTER: Final = 60.0
RESTART_WITHIN: Final = 20.0


@dataclass(slots=True)
class Watch:
    """Looks at each consumer every second. One that shows no sign of life for `again_after` seconds is stopped
    and started: it goes on from the stored offsets."""

    consumers: Sequence[Consumer]
    monotonic: Callable[[], float] = time.monotonic
    silent_after: float = SILENT_AFTER
    again_after: float = AGAIN_AFTER
    heard: dict[str, float] = field(default_factory=dict)

    async def run(self, stopping: asyncio.Event) -> None:
        await until_stopped(stopping, "watch", self.once, LOOK_EVERY)

    async def once(self) -> int:
        for consumer in self.consumers:
            consumer.look()
            silent = self._silent(consumer)
            DEGRADED.labels(part=f"{consumer.name}-silent").set(silent > self.silent_after)
            if silent > self.again_after:
                log.error("silent", consumer=consumer.name, seconds=round(silent))
                await asyncio.wait_for(consumer.restart(), RESTART_WITHIN)
                self.heard[consumer.name] = self.monotonic()
        return 0

    def _silent(self, consumer: Consumer) -> float:
        """Seconds since it was last heard of."""
        now = self.monotonic()
        if consumer.is_alive():
            self.heard[consumer.name] = now
        return now - self.heard.setdefault(consumer.name, now)
