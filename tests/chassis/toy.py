"""A toy service. In a test it runs in process; `python -m tests.chassis.toy TOPIC` is one that can be killed."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Fact, Said
from chassis.postgres import Conn
from chassis.service import Service, run
from chassis.settings import Settings
from contracts.matching import GapClosed
from contracts.referrals import ReferralClosed, ReferralWithdrawn
from contracts.topics import MAX_FACT_BYTES


@dataclass
class Handlers:
    """Keep each referral withdrawn or closed as a row, and say a GapClosed for each one withdrawn."""

    fails_on: set[str] = field(default_factory=set)
    too_long: set[str] = field(default_factory=set)

    def area(self, referral: UUID) -> str:
        return "x" * MAX_FACT_BYTES if str(referral) in self.too_long else "x"

    async def withdrawn(self, events: Sequence[Event[ReferralWithdrawn]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(events, conn)
        return [
            Fact(GapClosed(referral_id=(id_ := e.data.referral_id), need_id=id_, kind="device", area=self.area(id_)), e)
            for e in events
        ]

    async def closed(self, events: Sequence[Event[ReferralClosed]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(events, conn)
        return []

    async def _keep(self, events: Sequence[Event[Any]], conn: Conn) -> None:
        if self.fails_on & {event.key for event in events}:
            raise ValueError("a bug")
        rows = [(event.key, event.type.split(".")[2]) for event in events]
        await conn.executemany("insert into effect (key, type) values ($1, $2)", rows)


def build(topic: str, handlers: Handlers) -> Service:
    return Service(
        "toy", {topic: 2}, lambda conn: conn, {ReferralWithdrawn: handlers.withdrawn, ReferralClosed: handlers.closed}
    )


if __name__ == "__main__":
    asyncio.run(run(build(sys.argv[1], Handlers()), Settings.load()))
