"""The partners of the demo: they know nothing of us but their credentials and our doors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from contracts.door import OfferAnswered, ReferralSubmitted, SupportReported
from contracts.message import Message
from deploy.demo.plan import Submission

PATIENCE: Final = 90.0


@dataclass(frozen=True, slots=True)
class Told:
    """One message from a partner's outbox, or one answer to its request. `id` is the CloudEvents id."""

    partner: str
    id: str
    type: str
    data: dict[str, Any]


def _kafka_settings(credentials: dict[str, Any]) -> KafkaSettings:
    kafka = credentials["kafka"]
    return KafkaSettings(bootstrap=kafka["bootstrap"], user=kafka["user"], password=SecretStr(kafka["password"]))


@dataclass(slots=True)
class Mailbox:
    """Follows a partner's outbox with the partner's own credentials."""

    credentials: dict[str, Any]
    received: list[Told] = field(default_factory=list)
    react: Callable[[Told], Awaitable[None]] | None = None

    @property
    def partner(self) -> str:
        name: str = self.credentials["id"]
        return name

    async def follow(self) -> None:
        consumer = AIOKafkaConsumer(
            self.credentials["outbox"],
            **client_options(_kafka_settings(self.credentials), f"{self.partner}-reader"),
            group_id=f"{self.credentials['group_prefix']}{uuid4().hex[:8]}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            async for record in consumer:
                headers = {name: value.decode() for name, value in record.headers}
                told = Told(self.partner, headers["ce_id"], headers["ce_type"].split(".")[2], json.loads(record.value))
                self.received.append(told)
                if self.react:
                    await self.react(told)
        finally:
            await consumer.stop()


@dataclass(slots=True)
class KafkaDoor:
    """Writes to a partner's inbox."""

    credentials: dict[str, Any]
    producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        settings = _kafka_settings(self.credentials)
        self.producer = AIOKafkaProducer(
            **client_options(settings, self.credentials["id"]), acks="all", enable_idempotence=True, linger_ms=5
        )
        await self.producer.start()

    async def close(self) -> None:
        if self.producer:
            await self.producer.stop()

    async def send(self, kind: type[Message], submission_id: str, body: bytes) -> None:
        partner = self.credentials["id"]
        headers = {"specversion": "1.0", "id": submission_id, "source": f"/{partner}", "type": kind.spec.type}
        assert self.producer  # noqa: S101 - opened before
        acknowledged = await self.producer.send(
            self.credentials["inbox"], body, headers=[(f"ce_{name}", text.encode()) for name, text in headers.items()]
        )
        await acknowledged

    async def refer(self, submission: Submission) -> None:
        for _ in range(submission.times):
            await self.send(ReferralSubmitted, submission.id, submission.body)


@dataclass(slots=True)
class HttpDoor:
    """Posts with a partner's key, and tries again where the service is away: the same id is done once."""

    credentials: dict[str, Any]
    services: dict[str, Any]
    client: httpx2.AsyncClient
    answers: list[Told] = field(default_factory=list)

    async def call(self, method: str, service: str, path: str, submission_id: str, body: bytes) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        headers = {
            "Authorization": f"Bearer {self.credentials['api_key']}",
            "Idempotency-Key": submission_id,
            "Content-Type": "application/json",
        }
        while True:
            try:
                url = f"{self.services[service]['http']}{path}"
                response = await self.client.request(method, url, content=body, headers=headers)
                if response.status_code not in {401, 503}:
                    return response
            except httpx2.HTTPError:
                pass
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{service} did not answer {method} {path} within {PATIENCE:g} s")
            await asyncio.sleep(0.2)

    async def refer(self, submission: Submission) -> None:
        for _ in range(submission.times):
            response = await self.call("POST", "referrals", "/v1/referrals", submission.id, submission.body)
            kind = "ReferralAcknowledged" if response.status_code == 202 else "MessageRefused"
            data = {"submission_id": submission.id, **response.json()}
            self.answers.append(Told(submission.partner, submission.id, kind, data))


@dataclass(slots=True)
class Provider:
    """Answers what it is offered: most are accepted, some declined, some left lying; help starts and often ends."""

    door: KafkaDoor
    answered: set[str] = field(default_factory=set)
    needs: dict[str, str] = field(default_factory=dict)

    async def react(self, told: Told) -> None:
        if told.type == "OfferProposed":
            self.needs[told.data["offer_id"]] = told.data["need_id"]
            await self._answer(told.data["offer_id"])
        elif told.type == "OfferClosed" and told.data["reason"] == "accepted":
            await self._help(told.data["offer_id"])

    async def _answer(self, offer_id: str) -> None:
        chance = _chance(offer_id)
        if chance < 0.7:
            await self._send(OfferAnswered.model_validate({"offer_id": offer_id, "answer": "accept"}), f"a-{offer_id}")
        elif chance < 0.82:
            body = {"offer_id": offer_id, "answer": "decline", "reason": "no-capacity"}
            await self._send(OfferAnswered.model_validate(body), f"a-{offer_id}")

    async def _help(self, offer_id: str) -> None:
        need, chance = self.needs[offer_id], _chance(offer_id, "help")
        if chance < 0.8:
            await self._send(SupportReported.model_validate({"need_id": need, "state": "started"}), f"s-{offer_id}")
        if chance < 0.5:
            body = {"need_id": need, "state": "ended", "outcome": "helped"}
            await self._send(SupportReported.model_validate(body), f"e-{offer_id}")

    async def _send(self, message: Message, submission_id: str) -> None:
        if submission_id in self.answered:
            return
        self.answered.add(submission_id)
        try:
            await self.door.send(type(message), submission_id, message.model_dump_json().encode())
        except KafkaError:
            self.answered.discard(submission_id)
            raise


def _chance(*seed: str) -> float:
    """From 0 to 1, the same for the same words."""
    return int.from_bytes(sha256("/".join(seed).encode()).digest()[:4], "big") / 2**32
