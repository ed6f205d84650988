"""The matching service on a real database."""

from collections.abc import Awaitable, Callable

import pytest_asyncio

from chassis.service import Service
from services.matching.service import build
from tests.matching.builders import SETTINGS, Matching, provider
from tests.support import Stage


@pytest_asyncio.fixture
async def matching(stage: Callable[[Service], Awaitable[Stage]]) -> Matching:
    put = await stage(build(SETTINGS))
    await put.receive("library", provider())
    return Matching(put)
