"""The doors as partners use them, at little cost to the sender: Kafka, and HTTP kept alive."""

import asyncio
import http.client
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlsplit

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from contracts.door import ReferralSubmitted
from contracts.topics import inbox
from deploy.embedded.processes import EmbeddedError

PATIENCE: Final = 20.0

Referral = tuple[str, str, bytes]
"""Partner, submission id and body."""


@dataclass(slots=True)
class HttpDoor:
    """One call at a time, tried again while a key that was just made is not known yet."""

    url: str
    api_key: str
    connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        return self

    def __exit__(self, *why: object) -> None:
        if self.connection:
            self.connection.close()

    def call(self, method: str, path: str, body: dict[str, Any], submission_id: str | None = None) -> None:
        """Raises EmbeddedError where it is refused."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        named = {"Idempotency-Key": submission_id} if submission_id else {}
        deadline = time.monotonic() + PATIENCE
        status, answer = self._send(method, path, body, headers | named)
        while status in {401, 503} and time.monotonic() < deadline:
            time.sleep(0.2)
            status, answer = self._send(method, path, body, headers | named)
        if status not in {200, 202}:
            raise EmbeddedError(f"{method} {path} was answered {status}: {answer.decode()}")

    def _send(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        assert self.connection  # noqa: S101 - used within a `with`
        self.connection.request(method, path, json.dumps(body).encode(), headers)
        response = self.connection.getresponse()
        return response.status, response.read()


@dataclass(slots=True)
class KeptAlive:
    """One connection on which request follows answer. It knows as much of HTTP as our own server's answers need."""

    url: str
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        address = urlsplit(self.url)
        self.reader, self.writer = await asyncio.open_connection(address.hostname, address.port)
        return self

    async def __aexit__(self, *why: object) -> None:
        if self.writer:
            self.writer.close()
            await self.writer.wait_closed()

    async def refer(self, api_key: str, submission_id: str, body: bytes) -> bytes:
        """The answer. Raises EmbeddedError where the referral is not accepted."""
        status, answer = await self.post("/v1/referrals", api_key, submission_id, body)
        if status != 202:
            raise EmbeddedError(f"a referral was answered {status}: {answer.decode()}")
        return answer

    async def post(self, path: str, api_key: str, submission_id: str, body: bytes) -> tuple[int, bytes]:
        """The status and the answer."""
        assert self.reader and self.writer  # noqa: S101, PT018 - used within an `async with`
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {api_key}\r\n"
            f"Idempotency-Key: {submission_id}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        status, *fields = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in fields if line.lower().startswith("content-length:"))
        return int(status.split()[1]), await self.reader.readexactly(length)


async def post_all(url: str, keys: dict[str, str], referrals: Sequence[Referral], connections: int) -> None:
    """All of them over so many connections, each sending the next when it has its answer."""
    waiting: Iterator[Referral] = iter(referrals)

    async def post() -> None:
        async with KeptAlive(url) as door:
            for partner, submission_id, body in waiting:
                await door.refer(keys[partner], submission_id, body)

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(post())


@dataclass(slots=True)
class KafkaDoors:
    """A producer for each partner, with the partner's own user."""

    partners: dict[str, dict[str, Any]]
    producers: dict[str, AIOKafkaProducer] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        for name, credentials in self.partners.items():
            kafka = credentials["kafka"]
            settings = KafkaSettings(
                bootstrap=kafka["bootstrap"], user=kafka["user"], password=SecretStr(kafka["password"])
            )
            self.producers[name] = AIOKafkaProducer(
                **client_options(settings, name), acks="all", enable_idempotence=True, linger_ms=5
            )
            await self.producers[name].start()
        return self

    async def __aexit__(self, *why: object) -> None:
        for producer in self.producers.values():
            await producer.stop()

    async def send(self, referrals: Sequence[Referral]) -> None:
        """Returns when Kafka has them all."""
        sent = [
            await self.producers[partner].send(inbox(partner), body, headers=_headers(partner, submission_id))
            for partner, submission_id, body in referrals
        ]
        await asyncio.gather(*sent)


def _headers(partner: str, submission_id: str) -> list[tuple[str, bytes]]:
    fields = {"specversion": "1.0", "id": submission_id, "source": f"/{partner}", "type": ReferralSubmitted.spec.type}
    return [(f"ce_{name}", text.encode()) for name, text in fields.items()]
