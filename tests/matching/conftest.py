"""The matching service on a real database."""

from collections.abc import Awaitable, Callable

import pytest_asyncio

from chassis.service import Service
from services.matching.service import build
from services.matching.settings import MatchingSettings
from tests.matching.builders import SETTINGS, Matching, provider
from tests.support import Stage


@pytest_asyncio.fixture
async def matching(stage: Callable[[Service], Awaitable[Stage]]) -> Matching:
    return await _on(stage, SETTINGS)


@pytest_asyncio.fixture
async def confirming(stage: Callable[[Service], Awaitable[Stage]]) -> Matching:
    """Where staff confirm who gets a champion."""
    return await _on(stage, SETTINGS.model_copy(update={"confirm_kinds": ["champion"]}))


async def _on(stage: Callable[[Service], Awaitable[Stage]], settings: MatchingSettings) -> Matching:
    put = await stage(build(settings))
    await put.receive("library", provider())
    return Matching(put)
