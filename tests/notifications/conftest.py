"""The notifications service on a real database, a real HTTP door in place of referrals, and a real mail server."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest_asyncio
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.due import DueWork, Senders
from chassis.facts import Said
from chassis.http import Health, build_app
from chassis.service import Running, Service
from contracts.access import KeyAdded
from contracts.message import Message
from contracts.referrals import NeedStatusChanged
from contracts.vocabulary import NeedStatus
from services.notifications.service import build
from services.notifications.settings import NotificationsSettings
from tests.notifications.notify import API_KEY, CALLBACK_TOKEN, StandInNotify
from tests.notifications.standins import StandInGrants, StandInMailServer, StandInReferrals, facts_in
from tests.support import NOON, SEALING_KEY, TOKEN_KEY, Clock, Stage

AMINA, BORIS, PARTNER = "amina", "boris", "gp-armley"


def settings_for(referrals: int, mail: int, **changes: Any) -> NotificationsSettings:
    return NotificationsSettings(
        **{
            "database_host": "127.0.0.1",
            "database_name": "notifications",
            "database_user": "notifications_app",
            "database_password": SecretStr("unused"),
            "kafka_bootstrap": "127.0.0.1:1",
            "kafka_user": "notifications",
            "kafka_password": SecretStr("unused"),
            "http_port": 1,
            "sealing_key": SEALING_KEY,
            "referrals_url": f"http://127.0.0.1:{referrals}",
            "grants_url": "http://127.0.0.1:1",
            "token_key": TOKEN_KEY,
            "smtp_host": "127.0.0.1",
            "smtp_port": mail,
            "smtp_tls": "none",
            "smtp_sender": "help@example.org",
            **changes,
        }
    )


def a_change(status: NeedStatus = "accepted", need: UUID | None = None, **changes: Any) -> NeedStatusChanged:
    return NeedStatusChanged(
        **{
            "referral_id": uuid4(),
            "need_id": need or uuid4(),
            "partner": "gp-armley",
            "kind": "device",
            "area": "E05011400",
            "status": status,
            "previous": "requested",
            "at": NOON,
            **changes,
        }
    )


@dataclass
class World:
    """One service and what stands around it."""

    stage: Stage
    referrals: StandInReferrals
    mail: StandInMailServer
    notify: StandInNotify
    grants: StandInGrants

    @property
    def clock(self) -> Clock:
        return self.stage.clock

    async def hear(self, *facts: Message) -> list[Said]:
        return await self.stage.hear(*facts)

    async def send(self, began: datetime | None = None) -> int:
        """One round of the senders of a process that began then, by default just now: how many errands were due."""
        service, clock = self.stage.service, self.stage.clock
        kinds = {model.__name__: (model, sender) for model, sender in service.senders.items()}
        return await Senders(self.stage.worker, kinds, clock, "0", began or clock()).once()

    async def due(self) -> int:
        """Does what fell due."""
        service = self.stage.service
        kinds = {model.__name__: (model, handler) for model, handler in service.due.items()}
        return await DueWork(self.stage.worker, kinds, self.clock).once()

    async def facts(self) -> list[tuple[str, dict[str, Any]]]:
        return facts_in(await self.stage.rows("select headers, value from outbox order by position"))

    async def said(self) -> list[str]:
        return [name for name, _ in await self.facts()]

    async def messages(self) -> list[dict[str, Any]]:
        return await self.stage.rows("select * from message order by id")

    async def rungs(self) -> list[tuple[int, str, str, str | None]]:
        rows = await self.stage.rows("select nth, channel, state, evidence from rung order by message_id, nth")
        return [(row["nth"], row["channel"], row["state"], row["evidence"]) for row in rows]

    async def tasks(self) -> list[dict[str, Any]]:
        return await self.stage.rows("select * from call_task order by id")

    async def waiting(self) -> int:
        (row,) = await self.stage.rows("select count(*)::int as n from errand")
        return int(row["n"])


@pytest_asyncio.fixture
async def referrals() -> AsyncIterator[StandInReferrals]:
    async with StandInReferrals().serving() as standin:
        yield standin


@pytest_asyncio.fixture
async def grants() -> AsyncIterator[StandInGrants]:
    async with StandInGrants().serving() as standin:
        yield standin


@pytest_asyncio.fixture
async def mail() -> AsyncIterator[StandInMailServer]:
    async with StandInMailServer().serving() as standin:
        yield standin


@pytest_asyncio.fixture
async def notify() -> AsyncIterator[StandInNotify]:
    async with StandInNotify().serving() as standin:
        yield standin


def by_notify(standin: StandInNotify, *channels: str) -> dict[str, Any]:
    """Settings with which GOV.UK Notify carries these channels."""
    return {
        "notify_api_key": SecretStr(API_KEY),
        "notify_url": standin.url,
        "notify_callback_token": SecretStr(CALLBACK_TOKEN),
        "notify_email_template": "e" if "email" in channels else None,
        "notify_sms_template": "s" if "sms" in channels else None,
        "notify_letters": "letter" in channels,
    }


@pytest_asyncio.fixture
async def new_world(
    stage: Callable[[Service], Awaitable[Stage]],
    referrals: StandInReferrals,
    mail: StandInMailServer,
    notify: StandInNotify,
    grants: StandInGrants,
) -> Callable[..., Awaitable[World]]:
    async def make(**settings: Any) -> World:
        clock = referrals.clock = grants.clock = Clock()
        given = {"grants_url": f"http://127.0.0.1:{grants.port}", **settings}
        put = await stage(build(settings_for(referrals.port, mail.port, **given), clock))
        put.clock = clock
        return World(put, referrals, mail, notify, grants)

    return make


@pytest_asyncio.fixture
async def world(new_world: Callable[..., Awaitable[World]]) -> World:
    return await new_world()


@pytest_asyncio.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """The HTTP doors, where two of the staff and a partner have keys."""
    stage = world.stage
    access = Access(settings_for(1, 1).kafka, "notifications", world.clock)
    for principal in (AMINA, BORIS, PARTNER):
        sha = hashlib.sha256(principal.encode()).hexdigest()
        role: Any = "partner" if principal == PARTNER else "staff"
        access.keys[sha] = KeyAdded(
            key_id=uuid4(), sha256=sha, role=role, principal=principal, expires_at=NOON + timedelta(days=9)
        )
    access.read_to_the_end, access.heard_at = True, float("inf")
    running = Running("notifications", stage.database, stage.worker, Door(stage.worker, world.clock), world.clock)
    app = build_app("notifications", access, Health("notifications", stage.database), stage.service.routers(running))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://notifications") as client:
        yield client


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}
