"""The referrals service on its stage, with two wards, and its doors."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest_asyncio
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running, Service
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded
from contracts.vocabulary import Role
from services.referrals.domain.areas import Area
from services.referrals.handlers.partners import LoadAreas
from tests.referrals.acting import OTHER_WARD
from tests.referrals.builders import WARD, referrals
from tests.support import NOON, Stage

NOWHERE = KafkaSettings(bootstrap="localhost:1", user="nobody", password=SecretStr("none"))


@pytest_asyncio.fixture
async def on_stage(stage: Callable[[Service], Awaitable[Stage]]) -> Stage:
    put = await stage(referrals)
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Gipton", 1), Area(OTHER_WARD, "Adel", 10)]))
    return put


def a_key(name: str, role: Role = "partner") -> KeyAdded:
    digest, ends = hashlib.sha256(name.encode()).hexdigest(), NOON + timedelta(days=365)
    return KeyAdded(key_id=uuid4(), sha256=digest, role=role, principal=name, expires_at=ends)


@pytest_asyncio.fixture
async def doors(on_stage: Stage) -> AsyncIterator[httpx2.AsyncClient]:
    """The key of a partner, and of Ann who is staff, is their name."""
    put = on_stage
    access = Access(NOWHERE, "referrals", put.clock, read_to_the_end=True, heard_at=float("inf"))
    keys = [a_key("ann", "staff"), *(a_key(partner) for partner in ("library", "food-bank", "gp-armley"))]
    access.keys.update({key.sha256: key for key in keys})
    running = Running("referrals", put.database, put.worker, Door(put.worker, put.clock), put.clock)
    app = build_app("referrals", access, Health("referrals", put.database), put.service.routers(running))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://referrals") as http:
        yield http
