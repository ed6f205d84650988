"""No partner takes what is there for all: inboxes have their turns, and each has a quota of the day."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from chassis import kafka
from chassis.consume import Consumer
from chassis.decode import Decoder
from chassis.envelope import Event
from chassis.kafka import client_options
from chassis.quota import Quota
from chassis.sealing import Sealer
from chassis.work import Worker
from contracts.catalogue import partner_topics
from contracts.door import ReferralWithdrawalRequested
from contracts.referrals import ReferralClosed
from deploy.kafka.admin import Topic
from tests.chassis.conftest import Toy, headers
from tests.support import NOON, SEALING_KEY, Clock, eventually

INBOX = ("partners.gp.inbox", 0)


@dataclass
class Place:
    offset: int
    topic: str = INBOX[0]
    partition: int = INBOX[1]
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def test_a_day_takes_as_many_as_the_quota_whatever_the_polls() -> None:
    clock = Clock()
    quota = Quota(5, clock)
    quota.begin(INBOX, 10)
    kept, rest = quota.cut([Place(n) for n in range(10, 13)])
    assert ([p.offset for p in kept], rest) == ([10, 11, 12], {})
    kept, rest = quota.cut([Place(n) for n in range(13, 20)])
    assert ([p.offset for p in kept], rest) == ([13, 14], {INBOX: 15})
    assert quota.cut([Place(20)]) == ([], {})
    assert quota.rested() == []
    clock.forward(timedelta(days=1))
    assert quota.rested() == [INBOX]
    kept, rest = quota.cut([Place(n) for n in range(15, 25)])
    assert ([p.offset for p in kept], rest) == ([15, 16, 17, 18, 19], {INBOX: 20})


async def test_what_is_beyond_the_quota_waits_for_the_next_day_and_is_not_lost(toy: Toy) -> None:
    facts = [ReferralClosed(referral_id=uuid4(), at=NOON) for _ in range(40)]
    async with toy.consuming(quota=5) as consumer:
        await toy.write(*facts)
        await eventually(toy.effects, lambda seen: len(seen) == 10)
        toy.clock.forward(timedelta(days=1))
        consumer.look()
        await eventually(toy.effects, lambda seen: len(seen) == 20)
    async with toy.consuming(quota=6):
        await eventually(toy.effects, lambda seen: len(seen) == 22)
    async with toy.consuming():
        await eventually(toy.effects, lambda seen: len(seen) == 40)
    assert sorted(key for key, _ in await toy.effects()) == sorted(fact.key() for fact in facts)


async def test_a_partner_with_a_large_backlog_does_not_hold_up_another(toy: Toy) -> None:
    flood, quiet = (f"{name}-{secrets.token_hex(3)}" for name in ("flood", "quiet"))
    config = partner_topics("any")[0].config
    toy.servers.admin.apply_topics([Topic(f"partners.{name}.inbox", 1, config) for name in (flood, quiet)])
    await _write(toy, flood, 3000)
    await _write(toy, quiet, 1)
    heard: list[str] = []

    async def on_request(events: Sequence[Event[Any]], store: object, at: datetime) -> list[Any]:
        heard.extend(str(event.partner) for event in events)
        return []

    kind = ReferralWithdrawalRequested
    worker = Worker("toy", toy.database, {kind.spec.type: on_request}, lambda conn: conn, Sealer(SEALING_KEY), Clock())
    consumer = Consumer(worker, "toy.inbox", Decoder({kind.spec.type: kind}, worker.sealer))
    broker = kafka.broker(toy.servers.kafka, "toy")
    consumer.subscribe(broker)
    await broker.start()
    try:
        await eventually(lambda: _copy(heard), lambda seen: len(seen) == 3001, within=60)
    finally:
        await broker.stop()
    assert heard.index(quiet) < 1500


async def _copy(heard: list[str]) -> list[str]:
    return list(heard)


async def _write(toy: Toy, partner: str, records: int) -> None:
    message = ReferralWithdrawalRequested.model_validate(ReferralWithdrawalRequested.example)
    async with AIOKafkaProducer(**client_options(toy.servers.kafka, "test"), linger_ms=5) as producer:
        for _ in range(records):
            await producer.send(
                f"partners.{partner}.inbox",
                message.model_dump_json().encode(),
                headers=[*headers(message.spec.type, secrets.token_hex(8)), ("padding", b"x" * 500)],
            )
        await producer.flush()
