"""The referrals service on its stage, with two wards."""

from collections.abc import Awaitable, Callable

import pytest_asyncio

from chassis.service import Service
from services.referrals.domain.areas import Area
from services.referrals.handlers.partners import LoadAreas
from tests.referrals.acting import OTHER_WARD
from tests.referrals.builders import WARD, referrals
from tests.support import Stage


@pytest_asyncio.fixture
async def on_stage(stage: Callable[[Service], Awaitable[Stage]]) -> Stage:
    put = await stage(referrals)
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Gipton", 1), Area(OTHER_WARD, "Adel", 10)]))
    return put
