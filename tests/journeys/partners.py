"""A partner as it is from outside: its own Kafka user, its own key, its own outbox."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer

from chassis.jwe import seal
from chassis.kafka import client_options
from contracts.door import ReferralSubmitted
from deploy.demo.doors import kafka_settings
from deploy.kafka.client import QUIET, options
from tests.referrals.builders import PERSON, WARD
from tests.support import eventually, read_topic

Header = tuple[str, bytes]


def producer(credentials: dict[str, Any], **more: Any) -> AIOKafkaProducer:
    return AIOKafkaProducer(**client_options(kafka_settings(credentials), credentials["id"]), acks="all", **more)


def somebody(**changes: Any) -> dict[str, Any]:
    """A person whom nobody has referred before."""
    number = uuid4().int
    return {**PERSON, "name": f"Example {number % 10**12}", "phone": f"+44{number % 10**10:010}", **changes}


def a_body(credentials: dict[str, Any], person: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    body = {
        "reference": "GP-1042",
        "ward": WARD,
        "needs": [{"kind": "device"}],
        "agreement": {"by": "person", "given_on": "2026-11-20"},
        "person_jwe": seal(json.dumps(person or PERSON).encode(), credentials["public_key"]),
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def headers(submission_id: str, kind: str = ReferralSubmitted.spec.type, **changes: bytes) -> list[Header]:
    fields = {"specversion": b"1.0", "id": submission_id.encode(), "source": b"/made-up", "type": kind.encode()}
    return [(f"ce_{name}", value) for name, value in {**fields, **changes}.items()]


async def write(credentials: dict[str, Any], *records: tuple[bytes | None, Sequence[Header]], **options: Any) -> None:
    """Writes records to a partner's own inbox."""
    writer = producer(credentials, **options)
    try:
        await writer.start()
        for value, heads in records:
            await writer.send_and_wait(credentials["inbox"], value, key=b"k", headers=list(heads))
    finally:
        await writer.stop()


async def outbox(credentials: dict[str, Any]) -> list[dict[str, Any]]:
    """What the partner was told: {type, ...data}, in order."""
    records = await read_topic(kafka_settings(credentials), credentials["outbox"])
    return [{"type": dict(r.headers)["ce_type"].decode().split(".")[2], **json.loads(r.value)} for r in records]


async def answer(credentials: dict[str, Any], submission_id: str) -> dict[str, Any]:
    """The first thing that a submission was answered with."""

    async def look() -> list[dict[str, Any]]:
        return [told for told in await outbox(credentials) if told.get("submission_id") == submission_id]

    return (await eventually(look, bool, within=120))[0]


async def post(
    credentials: dict[str, Any], url: str, body: Any, submission_id: str | None = None, key: str | None = None
) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "Authorization": f"Bearer {key or credentials['api_key']}",
        "Idempotency-Key": submission_id or uuid4().hex,
        "Content-Type": "application/json",
    }
    async with httpx2.AsyncClient(timeout=60) as client:
        return await client.post(url, content=content, headers=given)


def refused_reading(credentials: dict[str, Any], topic: str, group: str) -> int | None:
    """The error with which Kafka refuses to let a partner read a topic in a group, none where it does not."""
    reader = Consumer(
        {**options(kafka_settings(credentials)), "group.id": group, "auto.offset.reset": "earliest"}, logger=QUIET
    )
    try:
        reader.subscribe([topic])
        polled = reader.poll(60)
        error = polled.error() if polled is not None else None
        return error.code() if error is not None else None
    finally:
        reader.close()
