"""The doors of one partner, as it uses them: with its credentials, again and again until it is answered."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from contracts.door import (
    PlaceUpdated,
    ProviderUpdated,
    ReferralSubmitted,
)
from contracts.message import Message
from deploy.demo.plan import Door, Submission

PATIENCE: Final = 90.0
"""Seconds for which a partner tries again what a service or Kafka does not take."""
RETRY_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """One message from a partner's outbox, or one answer to its request. `id` is the CloudEvents id."""

    partner: str
    id: str
    type: str
    data: dict[str, Any]


def kafka_settings(credentials: dict[str, Any]) -> KafkaSettings:
    """As a partner reads them from what it was handed."""
    kafka = credentials["kafka"]
    return KafkaSettings(
        bootstrap=kafka["bootstrap"], user=kafka["user"], password=SecretStr(kafka["password"]), tls_ca=kafka["ca"]
    )


@dataclass(slots=True)
class KafkaDoor:
    """Writes to a partner's inbox. What was not acknowledged is sent again, with the same id, by a new producer."""

    credentials: dict[str, Any]
    patience: float = PATIENCE
    producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        settings = kafka_settings(self.credentials)
        producer = AIOKafkaProducer(
            **client_options(settings, self.credentials["id"]), acks="all", enable_idempotence=True, linger_ms=5
        )
        await producer.start()
        self.producer = producer

    async def close(self) -> None:
        if self.producer:
            await self.producer.stop()

    async def send(self, kind: type[Message], submission_id: str, body: bytes) -> None:
        headers = {
            "ce_specversion": "1.0",
            "ce_id": submission_id,
            "ce_source": f"/{self.credentials['id']}",
            "ce_type": kind.spec.type,
        }
        await self.write(body, [(name, text.encode()) for name, text in headers.items()])

    async def write(self, body: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        """Raises KafkaError where Kafka does not take it in time."""
        deadline = asyncio.get_running_loop().time() + self.patience
        while True:
            used = self.producer
            try:
                if used:
                    await used.send_and_wait(
                        self.credentials["inbox"], body, key=b"none" if body is None else None, headers=headers
                    )
                    return
                await asyncio.sleep(RETRY_EVERY)
            except KafkaError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                if used is self.producer:
                    await self._open_again()

    async def _open_again(self) -> None:
        """A producer that failed once may never send again."""
        failed, self.producer = self.producer, None
        with contextlib.suppress(KafkaError):
            if failed:
                await failed.stop()
        while self.producer is None:
            try:
                await self.open()
            except KafkaError:
                await asyncio.sleep(RETRY_EVERY)


@dataclass(slots=True)
class HttpDoor:
    """Posts with a partner's key, and tries again where the service is away: the same id is done once."""

    credentials: dict[str, Any]
    services: dict[str, Any]
    client: httpx2.AsyncClient
    answers: list[Told] = field(default_factory=list)
    sent: Counter[str | None] = field(default_factory=Counter)
    patience: float = PATIENCE

    async def call(self, method: str, service: str, path: str, submission_id: str, body: bytes) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + self.patience
        headers = {
            "Authorization": f"Bearer {self.credentials['api_key']}",
            "Idempotency-Key": submission_id,
            "Content-Type": "application/json",
        }
        while True:
            try:
                url = f"{self.services[service]['http']}{path}"
                response = await self.client.request(method, url, content=body, headers=headers)
                if response.status_code not in {401, 429, 503}:
                    return response
            except httpx2.HTTPError:
                pass
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{service} did not answer {method} {path} within {self.patience:g} s")
            await asyncio.sleep(RETRY_EVERY)

    async def refer(self, submission: Submission) -> Told:
        response = await self.call("POST", "referrals", "/v1/referrals", submission.id, submission.body)
        kind = "ReferralAcknowledged" if response.status_code == 202 else "MessageRefused"
        return self._told(kind, submission.id, response)

    async def tell(
        self, method: str, service: str, path: str, submission_id: str, message: Message, named: str
    ) -> None:
        """Sends a message whose field `named` is in the path already."""
        body = message.model_dump_json(exclude={named}).encode()
        response = await self.call(method, service, path, submission_id, body)
        if response.status_code >= 400:
            self._told("MessageRefused", submission_id, response)

    def _told(self, kind: str, submission_id: str, response: httpx2.Response) -> Told:
        told = Told(self.credentials["id"], submission_id, kind, {"submission_id": submission_id, **response.json()})
        self.answers.append(told)
        self.sent[submission_id] += 1
        return told


@dataclass(slots=True)
class Doors:
    """Both doors of one partner."""

    kafka: KafkaDoor
    http: HttpDoor

    async def refer(self, submission: Submission) -> list[Told]:
        """Sends it as often as it is to be sent, and returns what was answered over HTTP."""
        told: list[Told] = []
        for door in submission.doors:
            if door == "http":
                told.append(await self.http.refer(submission))
            else:
                await self.kafka.send(ReferralSubmitted, submission.id, submission.body)
        return told

    async def describe(self, provider: ProviderUpdated, submission_id: str) -> None:
        path = f"/v1/providers/{provider.provider_id}"
        await self.http.tell("PUT", "matching", path, submission_id, provider, "provider_id")

    async def supply(self, place: PlaceUpdated, submission_id: str, door: Door) -> None:
        if door == "kafka":
            await self.kafka.send(PlaceUpdated, submission_id, place.model_dump_json().encode())
        else:
            await self.http.tell("PUT", "matching", f"/v1/places/{place.place_id}", submission_id, place, "place_id")
