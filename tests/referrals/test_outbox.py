"""A partner without Kafka reads over HTTP what stands in its outbox on Kafka."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.kafka import client_options
from chassis.service import Running, Service
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded
from contracts.door import ReferralProgressed
from contracts.message import Message
from contracts.offers import OfferClosed
from contracts.topics import outbox
from contracts.vocabulary import Role
from deploy.provision import add_partner
from services.referrals.service import build
from tests.referrals.builders import settings
from tests.support import NOON, Servers, Stage, eventually

CLOSED = OfferClosed(offer_id=UUID(int=7), reason="expired")


@dataclass(slots=True)
class Outboxes:
    """The HTTP door of referrals over real Kafka. The key of a caller is its name."""

    servers: Servers
    http: httpx2.AsyncClient
    access: Access

    async def partner(self) -> str:
        name = f"gp-{secrets.token_hex(4)}"
        add_partner(self.servers.admin, name, "secret")
        self.let_in(name)
        return name

    def let_in(self, name: str, role: Role = "partner") -> None:
        digest = hashlib.sha256(name.encode()).hexdigest()
        until = NOON + timedelta(days=1)
        self.access.keys[digest] = KeyAdded(key_id=uuid4(), sha256=digest, role=role, principal=name, expires_at=until)

    async def tell(self, partner: str, *messages: Message) -> None:
        await self.write(partner, [(m.spec.type, m.model_dump_json().encode()) for m in messages])

    async def write(self, partner: str, records: Sequence[tuple[str, bytes]]) -> None:
        async with AIOKafkaProducer(**client_options(self.servers.kafka, "test"), acks="all") as producer:
            for kind, value in records:
                named = {"specversion": "1.0", "id": str(uuid4()), "source": "/furthest/test", "type": kind}
                headers = [(f"ce_{name}", text.encode()) for name, text in named.items()]
                await producer.send_and_wait(outbox(partner), value, headers=headers)

    async def ask(self, name: str, **query: Any) -> httpx2.Response:
        return await self.http.get("/v1/outbox", params=query, headers={"Authorization": f"Bearer {name}"})

    async def page(self, name: str, **query: Any) -> dict[str, Any]:
        response = await self.ask(name, **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


Open = Callable[[KafkaSettings], Awaitable[Outboxes]]


@pytest_asyncio.fixture
async def open_on(servers: Servers, stage: Callable[[Service], Awaitable[Stage]]) -> AsyncIterator[Open]:
    """Opens the door with its own way to Kafka."""
    clients: list[httpx2.AsyncClient] = []

    async def opened(kafka: KafkaSettings) -> Outboxes:
        service = build(settings(kafka_bootstrap=kafka.bootstrap, kafka_user=kafka.user, kafka_password=kafka.password))
        put = await stage(service)
        access = Access(kafka, "referrals", put.clock, read_to_the_end=True, heard_at=float("inf"))
        running = Running("referrals", put.database, put.worker, Door(put.worker, put.clock), put.clock)
        app = build_app("referrals", access, Health("referrals", put.database), service.routers(running))
        clients.append(httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://referrals"))
        return Outboxes(servers, clients[-1], access)

    yield opened
    for client in clients:
        await client.aclose()


@pytest_asyncio.fixture
async def outboxes(servers: Servers, open_on: Open) -> Outboxes:
    return await open_on(servers.kafka)


async def test_messages_come_in_order_and_next_goes_on_behind_them(outboxes: Outboxes) -> None:
    partner, progressed = await outboxes.partner(), ReferralProgressed.model_validate(ReferralProgressed.example)
    empty = await outboxes.page(partner)
    assert empty == {"messages": [], "next": -1}
    await outboxes.tell(partner, progressed, CLOSED)
    both = await outboxes.page(partner, after=empty["next"])
    assert [(m["offset"], m["type"]) for m in both["messages"]] == [(0, "ReferralProgressed"), (1, "OfferClosed")]
    assert both["messages"][1]["data"] == {"offer_id": str(CLOSED.offer_id), "reason": "expired"}
    assert UUID(both["messages"][0]["id"])
    assert both["messages"][0]["time"].endswith("Z")
    assert await outboxes.page(partner, after=both["next"]) == {"messages": [], "next": 1}
    await outboxes.tell(partner, CLOSED)
    assert [m["offset"] for m in (await outboxes.page(partner, after=1))["messages"]] == [2]


async def test_a_long_outbox_is_read_page_by_page_without_a_gap(outboxes: Outboxes) -> None:
    partner, seen, after = await outboxes.partner(), [], -1
    await outboxes.tell(partner, *[CLOSED] * 7)
    for _ in range(4):
        page = await outboxes.page(partner, after=after, limit=3)
        seen.append([m["offset"] for m in page["messages"]])
        after = page["next"]
    assert seen == [[0, 1, 2], [3, 4, 5], [6], []]


async def test_a_partner_reads_its_own_outbox_and_no_other(outboxes: Outboxes) -> None:
    one, other = await outboxes.partner(), await outboxes.partner()
    await outboxes.tell(one, CLOSED)
    assert len((await outboxes.page(one))["messages"]) == 1
    assert (await outboxes.page(other))["messages"] == []


async def test_what_cannot_be_read_is_passed_over_and_not_asked_for_again(outboxes: Outboxes) -> None:
    partner, good = await outboxes.partner(), (CLOSED.spec.type, CLOSED.model_dump_json().encode())
    unknown = ("furthest.partner.ReferralSubmitted.v1", b"{}")
    await outboxes.write(partner, [unknown, (CLOSED.spec.type, b"{broken"), good, ("furthest.partner.New.v9", b"{}")])
    page = await outboxes.page(partner)
    assert [m["offset"] for m in page["messages"]] == [2]
    assert page["next"] == 3


async def test_what_a_newer_writer_adds_is_left_out(outboxes: Outboxes) -> None:
    partner = await outboxes.partner()
    more = json.dumps({**CLOSED.model_dump(mode="json"), "since": "then"}).encode()
    await outboxes.write(partner, [(CLOSED.spec.type, more)])
    (message,) = (await outboxes.page(partner))["messages"]
    assert "since" not in message["data"]


@pytest.mark.parametrize("after", ["1", "999999999999", "9" * 40, "-2", "x", "", "1.5", "٣"])
async def test_an_offset_that_was_never_given_is_refused(outboxes: Outboxes, after: str) -> None:
    partner = await outboxes.partner()
    await outboxes.tell(partner, CLOSED)
    refused = await outboxes.ask(partner, after=after)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert [(e["field"], e["rule"]) for e in refused.json()["errors"]] == [("after", "unknown-offset")]


@pytest.mark.parametrize("limit", ["0", "501", "many"])
async def test_a_page_has_bounds(outboxes: Outboxes, limit: str) -> None:
    assert (await outboxes.ask(await outboxes.partner(), limit=limit)).status_code == 422


async def test_only_partners_have_an_outbox(outboxes: Outboxes) -> None:
    outboxes.let_in("ann", "staff")
    assert (await outboxes.ask("ann")).status_code == 403
    assert (await outboxes.ask("nobody")).status_code == 401


async def test_without_kafka_the_partner_is_asked_to_try_again(open_on: Open) -> None:
    nowhere = await open_on(KafkaSettings(bootstrap="127.0.0.1:1", user="nobody", password=SecretStr("none")))
    nowhere.let_in("gp-armley")
    away = await nowhere.ask("gp-armley")
    assert away.status_code == 503
    assert away.headers["retry-after"]


async def test_the_service_reads_with_the_rights_that_come_with_a_partner(servers: Servers, open_on: Open) -> None:
    servers.admin.set_password("referrals", "its-own")
    its_own = servers.kafka.model_copy(update={"user": "referrals", "password": SecretStr("its-own")})
    outboxes = await open_on(its_own)
    partner = await outboxes.partner()
    await outboxes.tell(partner, CLOSED)
    await eventually(lambda: outboxes.ask(partner), lambda response: response.status_code == 200)
    assert len((await outboxes.page(partner))["messages"]) == 1
