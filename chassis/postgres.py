"""One pool per process; every statement of the service runs with the rights of its application role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from chassis.settings import DatabaseSettings

Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


def _options(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "database": settings.name,
        "user": settings.user,
        "password": settings.password.get_secret_value(),
        "command_timeout": 30,
        "server_settings": {
            "application_name": settings.user,
            "search_path": settings.search_path,
            "plan_cache_mode": "force_custom_plan",  # one kept from when a table was empty reads it from end to end
        },
    }


async def connect_pool(settings: DatabaseSettings) -> Database:
    return await asyncpg.create_pool(**_options(settings), min_size=2, max_size=settings.pool_size, reset=_as_it_is)


async def _as_it_is(_conn: object) -> None:
    """A connection is given back without a round trip: nobody sets anything but for its own transaction."""


async def connect(settings: DatabaseSettings) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(**_options(settings))


@asynccontextmanager
async def connected(settings: DatabaseSettings) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """One connection for the time of a block."""
    conn = await connect(settings)
    try:
        yield conn
    finally:
        await conn.close()
