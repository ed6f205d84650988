"""How much one caller is told in a minute, so that a stolen token does not empty a table at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Pace:
    """At most `most` in each minute of the clock, for each who asks this process."""

    most: int
    clock: Callable[[], datetime]
    minute: datetime | None = None
    told: dict[str, int] = field(default_factory=dict)

    def allows(self, who: str, number: int) -> bool:
        minute = self.clock().replace(second=0, microsecond=0)
        if minute != self.minute:
            self.minute, self.told = minute, {}
        told = self.told.get(who, 0) + number
        if told > self.most:
            return False
        self.told[who] = told
        return True
