"""The service of numbers, put on a stage."""

from collections.abc import Awaitable, Callable

import pytest_asyncio

from chassis.service import Service
from tests.reporting.builders import areas, reporting
from tests.support import Stage


@pytest_asyncio.fixture
async def on(stage: Callable[[Service], Awaitable[Stage]]) -> Stage:
    return await stage(reporting())


@pytest_asyncio.fixture
async def two_wards(on: Stage) -> None:
    await on.hear(areas(E05011400="Gipton & Harehills", E05011387="Armley"))
