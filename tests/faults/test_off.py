"""With a guard switched off, the counts that the fault test rests on must see what it prevents."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import failpoints
from chassis.kafka import client_options
from contracts.matching import GapClosed
from contracts.referrals import ReferralClosed, ReferralWithdrawn
from deploy.demo.owed import Owed, compare
from deploy.demo.witness import Said
from deploy.embedded.processes import alive
from deploy.kafka.log import Log
from tests.chassis.conftest import Toy
from tests.support import NOON, eventually


def withdrawn(referral: UUID) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral, need_ids=[], reason="other")


def closed(referral: UUID) -> ReferralClosed:
    return ReferralClosed(referral_id=referral, at=NOON)


async def effects(toy: Toy, referrals: list[UUID]) -> Owed:
    return compare("one effect for each fact", map(str, referrals), (key for key, _ in await toy.effects()))


async def said(toy: Toy, referrals: list[UUID]) -> Said:
    kafka = toy.servers.kafka
    log = Log(kafka)
    seen, ours = Said(), {str(referral) for referral in referrals}

    def read() -> None:
        for record in log.read(GapClosed.spec.topic):
            if (record.key() or b"").decode() in ours:
                seen.take(record)

    await asyncio.to_thread(read)
    return seen


async def committed(toy: Toy) -> int:
    """How many records Kafka takes for read by the toy."""
    consumer = AIOKafkaConsumer(**client_options(toy.servers.kafka, "test"), group_id="toy", enable_auto_commit=False)
    await consumer.start()
    try:
        return sum([await consumer.committed(TopicPartition(toy.topic, n)) or 0 for n in range(2)])
    finally:
        await consumer.stop()


@asynccontextmanager
async def effects_locked(toy: Toy) -> AsyncIterator[None]:
    """No transaction of the toy can commit meanwhile."""
    async with toy.database.acquire() as conn, conn.transaction():
        await conn.execute("lock table effect in share mode")
        yield


async def dead(process: Any) -> bool:
    return not await asyncio.to_thread(alive, process)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("off", ["", "id-claim"])
async def test_without_the_claim_of_ids_what_a_relay_repeats_is_doubled(
    toy: Toy, off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failpoints, "_OFF", off)
    referral, last, event_id = uuid4(), uuid4(), str(uuid4())
    await toy.write(withdrawn(referral), withdrawn(referral), withdrawn(last), ids=[event_id, event_id, str(uuid4())])
    async with toy.running():
        await eventually(toy.effects, lambda seen: str(last) in [key for key, _ in seen])
        await eventually(toy.effects, lambda seen: str(referral) in [key for key, _ in seen])
    found = await effects(toy, [referral, last])
    assert (found.lost, found.doubled) == (0, 1 if off else 0)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("off", ["", "ordering"])
async def test_without_its_order_the_relay_disorders_what_is_said_of_a_key(
    toy: Toy, off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failpoints, "_OFF", off)
    referral = uuid4()
    await toy.write(withdrawn(referral), withdrawn(referral), withdrawn(referral))
    async with toy.running():
        await eventually(toy.effects, lambda seen: len(seen) == 3)
        await eventually(toy.unsent, lambda rows: rows == 0)
    (versions,) = (await said(toy, [referral])).versions.values()
    assert versions.number == 3
    assert (versions.back > 0) == bool(off)


@pytest.mark.invariant(1)
@pytest.mark.parametrize(("off", "point"), [("", "after-kafka-acknowledgement"), ("outbox", "after-outbox-delete")])
async def test_without_the_outbox_what_was_committed_is_never_said(toy: Toy, off: str, point: str) -> None:
    referrals = [uuid4() for _ in range(5)]
    await toy.write(*map(withdrawn, referrals))
    with toy.process(FURTHEST_TEST_OFF=off, FURTHEST_TEST_KILL_AT=point) as victim:
        await eventually(lambda: dead(victim), bool, within=40)
    owed = {key for key, _ in await toy.effects()}
    waiting = {r["key"] for r in await toy.database.fetch("select convert_from(key, 'UTF8') as key from outbox")}
    heard = {key for _, _, key in (await said(toy, referrals)).versions}
    assert owed
    assert bool(owed - waiting - heard) == bool(off)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("off", ["", "offset-row"])
async def test_without_the_offset_row_what_kafka_takes_for_read_is_lost(toy: Toy, off: str) -> None:
    """Kafka's own offsets run ahead of the transaction: whoever trusts them passes over what was not committed."""
    referrals = [uuid4() for _ in range(20)]
    with toy.process(FURTHEST_TEST_OFF=off) as victim:
        await toy.write(closed(referrals[0]), closed(referrals[1]))
        await eventually(toy.effects, lambda seen: len(seen) == 2, within=40)
        async with effects_locked(toy):
            await toy.write(*map(closed, referrals[2:]))
            await eventually(lambda: committed(toy), lambda offset: offset > 2)
            os.kill(victim.pid, signal.SIGKILL)
    last = uuid4()
    await toy.write(closed(last), closed(last))
    with toy.process("again", FURTHEST_TEST_OFF=off):
        await eventually(toy.effects, lambda seen: str(last) in [key for key, _ in seen], within=40)
    found = await effects(toy, [*referrals, last, last])
    assert (found.lost > 0, found.doubled) == (bool(off), 0)
