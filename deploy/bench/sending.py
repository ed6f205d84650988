"""From rows to Kafka, two ways: a bare idempotent producer, and our relay."""

import asyncio
import contextlib
import time

from chassis.postgres import Conn, connected
from chassis.relay import LARGEST_BATCH, Relay
from contracts.referrals import ReferralReceived
from deploy.bench.ground import Ground, facts, fill_outbox

PATIENCE = 120.0
LOOK_EVERY = 0.003


async def producer(ground: Ground, records: int) -> float:
    """Records that stand ready in memory, sent to where the relay sends the same."""
    topic = ReferralReceived.spec.topic
    options = {"acks": "all", "enable_idempotence": True, "linger_ms": 5, "max_batch_size": LARGEST_BATCH}
    async with ground.producer(**options) as sender:
        _, key, headers, value = ground.rows[0]
        await sender.send_and_wait(topic, value, key=key, headers=headers)
        began = time.perf_counter()
        waiting = [
            await sender.send(topic, value, key=key, headers=headers)
            for _, key, headers, value in ground.rows[:records]
        ]
        await asyncio.gather(*waiting)
        return records / (time.perf_counter() - began)


async def relay(ground: Ground, records: int) -> float:
    """From the commit of so many facts until all of them are told and kept as said."""
    ours = Relay(ground.roles.app, ground.kafka, "bench")
    running = asyncio.create_task(ours.run())
    try:
        async with connected(ground.roles.app) as conn, asyncio.timeout(PATIENCE):
            await _said(conn, await _say(conn, 1))
            last = await _say(conn, records)
            began = time.perf_counter()
            ours.wake()
            await _said(conn, last)
            return records / (time.perf_counter() - began)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _say(conn: Conn, records: int) -> int:
    """Commits so many facts and returns the last position."""
    async with conn.transaction():
        await fill_outbox(conn, facts(records))
        return int(await conn.fetchval("select max(position) from outbox"))


async def _said(conn: Conn, last: int) -> None:
    """Looks the last position up by its index: counting rows would slow down what is measured."""
    while (await conn.fetchval("select max(position) from said") or 0) < last:  # noqa: ASYNC110 - another process's row
        await asyncio.sleep(LOOK_EVERY)
    if left := await conn.fetchval("select count(*) from outbox where position <= $1", last):
        raise RuntimeError(f"{left} facts were passed over")
