"""Messages that are due: how fast changes become messages and errands while a slow provider is being sent to."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import SecretStr

from chassis.due import Senders
from chassis.envelope import Event
from chassis.ids import uuid7
from chassis.postgres import Database, connect_pool
from chassis.service import Service, now
from chassis.work import Batch
from contracts.referrals import NeedStatusChanged
from deploy.bench.ground import AT, SEALER, SEALING_KEY, Ground, make_database, referral_id, unplugged

POLL: Final = 1000
ANSWERS_AFTER: Final = 0.05
"""Seconds that the provider takes for each message."""
HEADER: Final = b"\r\n\r\n"


@dataclass(slots=True)
class Provider:
    """Referrals and GOV.UK Notify in one: everybody may be texted, and is, after a while."""

    took: int = 0
    most: int = 0
    now: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = await reader.readuntil(HEADER)
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
                )
                answer = await self._answer(head, json.loads(await reader.readexactly(length)))
                said = json.dumps(answer).encode()
                top = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(said)}"
                writer.write(top.encode() + HEADER + said)
                await writer.drain()
        writer.close()

    async def _answer(self, head: bytes, asked: dict[str, Any]) -> dict[str, Any]:
        if head.startswith(b"POST /v1/contacts"):
            return {"contacts": [_contact(lookup) for lookup in asked["lookups"]]}
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(ANSWERS_AFTER)
        self.now -= 1
        self.took += 1
        return {"id": str(UUID(int=self.took)), "reference": asked["reference"]}


def _contact(lookup: dict[str, Any]) -> dict[str, Any]:
    ids = {name: lookup[name] for name in ("referral_id", "need_id")}
    return {
        **ids,
        "decision": "send",
        "channel": "sms",
        "address": "+447700900123",
        "neutral": True,
        "voicemail": False,
    }


async def telling(ground: Ground, messages: int) -> dict[str, float]:
    """Messages a second that are planned and queued, and those that left meanwhile; the provider is always sent to."""
    roles = await make_database(ground.superuser, "telling", "notifications")
    provider = Provider()
    server = await asyncio.start_server(provider.talk, "127.0.0.1", 0)
    service = _service(server.sockets[0].getsockname()[1])
    async with server, await connect_pool(roles.app) as pool:
        worker = service.worker(pool, SEALER)
        senders = Senders(worker, {m.__name__: (m, s) for m, s in service.senders.items()}, now, "bench", now())
        stopping = asyncio.Event()
        sending = asyncio.create_task(senders.run(stopping))
        began = time.perf_counter()
        for first in range(0, messages, POLL):
            await worker.run(Batch("bench", [_event(n) for n in range(first, min(first + POLL, messages))]))
        seconds = time.perf_counter() - began
        left = provider.took
        await _must_be_planned(pool, messages)
        stopping.set()
        await sending
    return {"planned_per_s": messages / seconds, "sent_per_s": left / seconds, "at_once": provider.most}


async def _must_be_planned(pool: Database, messages: int) -> None:
    planned = await pool.fetchval("select count(*) from message")
    if planned != messages:
        raise RuntimeError(f"{planned} of {messages} messages were planned")


def _service(port: int) -> Service:
    return unplugged(
        "notifications",
        token_key=SEALING_KEY,
        referrals_url=f"http://127.0.0.1:{port}",
        grants_url="http://127.0.0.1:1",
        notify_url=f"http://127.0.0.1:{port}",
        notify_api_key=SecretStr(f"bench-{UUID(int=1)}-{UUID(int=2)}"),
        notify_sms_template="bench",
        smtp_host="127.0.0.1",
        smtp_port=1,
        smtp_sender="bench@example.org",
    )


def _event(number: int) -> Event[Any]:
    identity = str(uuid7(AT, "change", str(number)))
    given = {"referral_id": referral_id(number), "need_id": uuid7(AT, "need", str(number))}
    change = NeedStatusChanged.model_validate({**NeedStatusChanged.example, **given})
    return Event(identity, "/furthest/referrals", change.spec.type, AT, change.key(), change.key(), change, identity)
