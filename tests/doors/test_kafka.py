"""Every door over Kafka takes whatever a partner may write: each record is answered once, and nothing stops."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.postgres import connect
from deploy.demo.doors import kafka_settings
from deploy.partners import add_partner
from tests.chassis.batches import NO_TEXT, builder
from tests.deployment import Deployment
from tests.doors.bodies import MARK, TIMES, drawn
from tests.doors.conftest import Tried, lives_on
from tests.doors.records import Sent, as_told, drawing, records
from tests.journeys.partners import answer, headers, producer
from tests.journeys.search import as_administrator
from tests.support import eventually, read_topic

RECORDS = 10_000 * TIMES
EACH = 8
READERS = {"referrals": "referrals.inbox", "matching": "matching.inbox"}
READ_WITHIN = 120.0 * TIMES


@pytest.fixture(scope="module")
def partners(deployment: Deployment, tried: Tried) -> list[dict[str, Any]]:
    """Those who write: the one that gives and gets help already, and two more."""
    return [tried.partner, *(add_partner(deployment.stack.site, f"doors-{name}") for name in ("second", "third"))]


async def write(credentials: dict[str, Any], sent: Sequence[Sent]) -> int:
    """Writes to the partner's inbox, and returns the offset behind it."""
    writer = producer(credentials, linger_ms=20)
    await writer.start()
    try:
        waiting = [
            await writer.send(credentials["inbox"], one.value, key=b"\xff", headers=one.headers, partition=0)
            for one in sent
        ]
        offsets = [metadata.offset for metadata in await asyncio.gather(*waiting)]
    finally:
        await writer.stop()
    return int(max(offsets)) + 1


async def write_without_text(credentials: dict[str, Any], name: str) -> int:
    """Writes a record that has a header whose name is no text, and returns the offset behind it."""
    writer = producer(credentials)
    await writer.start()
    try:
        batch = writer.create_batch()
        batch._builder = builder()
        batch.append(key=b"k", value=b"{}", timestamp=None, headers=[(NO_TEXT, b"x"), *headers(name)])
        batch.close()
        metadata = await (await writer.send_batch(batch, credentials["inbox"], partition=0))
    finally:
        await writer.stop()
    return int(metadata.offset) + 1


async def is_read(deployment: Deployment, service: str, ends: dict[str, int]) -> None:
    """Waits until a service has read these inboxes to their ends, and has said all that it had to say."""
    conn = await connect(as_administrator(deployment, service))
    try:

        async def missing() -> dict[str, int]:
            rows = await conn.fetch(
                "select topic, next_offset from consumer_offset where consumer = $1", READERS[service]
            )
            read = {row["topic"]: row["next_offset"] for row in rows}
            unsaid = await conn.fetchval("select count(*) from outbox")
            left = {topic: end - read.get(topic, 0) for topic, end in ends.items() if read.get(topic, 0) < end}
            return left | ({"outbox": unsaid} if unsaid else {})

        await eventually(missing, lambda left: not left, within=READ_WITHIN)
    finally:
        await conn.close()


async def accepted(deployment: Deployment) -> set[tuple[str, str]]:
    """The partner and the id of every message that took effect."""
    taken: set[tuple[str, str]] = set()
    for service in READERS:
        conn = await connect(as_administrator(deployment, service))
        try:
            taken |= {(r["partner"], r["submission_id"]) for r in await conn.fetch("select * from door")}
        finally:
            await conn.close()
    return taken


def wrongly_answered(
    partner: str, sent: Sequence[Sent], told: dict[str | None, list[str]], taken: set[tuple[str, str]]
) -> list[str]:
    """What was not answered exactly once: refused, acknowledged, or done where that is not acknowledged."""
    wrong: list[str] = []
    for name, number in Counter(one.id for one in sent).items():
        answers = told.get(name, [])
        if name is None or any(one.is_told for one in sent if one.id == name):
            is_right = len(answers) == number
        elif (partner, name) in taken:
            is_right = len(answers) < number
        else:
            is_right = len(answers) == number
        if not is_right:
            wrong.append(f"{name}: {number} sent, {answers} told, done: {(partner, name or '') in taken}")
    return wrong


async def test_ten_thousand_records_are_answered_once_each_and_nothing_stops(
    deployment: Deployment, tried: Tried, partners: list[dict[str, Any]], processes: dict[str, int]
) -> None:
    made = drawn(drawing(tried.known), RECORDS // EACH)
    sent: list[list[Sent]] = [[] for _ in partners]
    for number, one in enumerate(made):
        sent[number % len(partners)] += records(one, f"fuzz-{number}")
    assert sum(map(len, sent)) >= RECORDS
    before = {p["id"]: len(await read_topic(kafka_settings(p), p["outbox"])) for p in partners}
    ends = {p["inbox"]: await write(p, those) for p, those in zip(partners, sent, strict=True)}
    for service in READERS:
        await is_read(deployment, service, ends)

    taken, letters = await accepted(deployment), await dead_letters(deployment)
    assert letters == []
    for partner, those in zip(partners, sent, strict=True):
        outbox = (await read_topic(kafka_settings(partner), partner["outbox"]))[before[partner["id"]] :]
        assert wrongly_answered(partner["id"], those, as_told(outbox), taken) == []
        repeated = [r.offset for r in outbox if MARK.encode() in r.value + str(r.headers).encode()]
        assert repeated == [], "no answer repeats what was sent"
    assert {name for name, _ in taken} >= {p["id"] for p in partners}, "some of it was right"
    await lives_on(deployment, tried, processes)


async def dead_letters(deployment: Deployment) -> list[str]:
    found: list[str] = []
    for service in READERS:
        conn = await connect(as_administrator(deployment, service))
        try:
            rows = await conn.fetch("select kind, topic, record_offset, rule from dead_letter where settled_at is null")
            found += [f"{service}: {tuple(row)}" for row in rows]
        finally:
            await conn.close()
    return found


async def test_a_header_name_that_is_no_text_does_not_hold_up_the_inbox(
    deployment: Deployment, tried: Tried, processes: dict[str, int]
) -> None:
    end = await write_without_text(tried.partner, "no-text")
    for service in READERS:
        await is_read(deployment, service, {tried.partner["inbox"]: end})
    assert (await answer(tried.partner, "no-text"))["type"] == "MessageRefused"
    await lives_on(deployment, tried, processes)
