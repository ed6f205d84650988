"""A database that was put back: compared with what the log says that it said, before its service may start."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from chassis import delivery, resay, restored
from chassis.envelope import header_text
from chassis.errors import Stopped
from chassis.postgres import Database, connect_pool
from chassis.restored import Heard
from chassis.settings import DatabaseSettings
from tests.support import NOON


@pytest_asyncio.fixture
async def database(new_database: Callable[[str], Awaitable[DatabaseSettings]]) -> AsyncIterator[Database]:
    app = await new_database("toy")
    async with await connect_pool(app.model_copy(update={"user": "toy_owner"})) as pool:
        yield pool


def heard(id_: str | None = None, sequence: int = 1, cause: str = "c", key: str = "k") -> Heard:
    return Heard(id_ or str(uuid4()), "toys", key, "furthest.toys.Made.v1", sequence, cause, NOON, b"{}")


async def say(database: Database, id_: str, at: datetime = NOON, table: str = "said", position: int = 1) -> None:
    headers = header_text(id_, "/furthest/toy", "furthest.toys.Made.v1", at.isoformat(), 1, "c", "c")
    await database.execute(
        f"insert into {table} (position, topic, key, headers, value, said_at) overriding system value "  # noqa: S608 - a table of ours
        "values ($1, 'toys', 'k', $2, '', $3)",
        position,
        headers,
        at,
    )


async def test_a_service_does_not_start_on_a_restored_database_before_it_was_compared(database: Database) -> None:
    await restored.check(database, "toy")
    await database.execute("insert into restored (at) values ($1)", NOON)
    with pytest.raises(Stopped, match="furthest restored toy"):
        await restored.check(database, "toy")
    async with database.acquire() as conn:
        await restored.compare(conn, [], NOON)
    await restored.check(database, "toy")


async def test_what_the_log_has_and_the_database_neither_knew_nor_said_again_is_missing(database: Database) -> None:
    known, again, lost = (str(uuid4()) for _ in range(3))
    await say(database, known)
    async with database.acquire() as conn:
        await restored.compare(conn, [heard(known), heard(again), heard(lost), heard(lost)], NOON)
        assert {row["id"] for row in await restored.missing(conn)} == {again, lost}
        await say(database, again, table="outbox", position=2)
        assert [row["id"] for row in await restored.missing(conn)] == [lost]
        await restored.settled(conn, [lost])
        assert not await restored.missing(conn)


async def test_versions_go_on_where_the_log_is(database: Database) -> None:
    await database.execute("insert into key_version values ('toys', 'ahead', 9), ('toys', 'behind', 2)")
    async with database.acquire() as conn:
        records = [heard(sequence=5, key=key) for key in ("ahead", "behind", "new")]
        await restored.compare(conn, records, NOON)
        rows = await conn.fetch("select key, version from key_version order by key")
    assert {row["key"]: row["version"] for row in rows} == {"ahead": 9, "behind": 5, "new": 5}


async def test_a_call_that_the_log_knows_of_is_not_made_again_but_counts_as_lost(database: Database) -> None:
    made, new = uuid4(), uuid4()
    for errand in (made, new):
        await database.execute(
            "insert into errand (id, type, key, value, correlation, not_before) values ($1, 'T', 'k', '', 'c', $2)",
            errand,
            NOON,
        )
    async with database.acquire() as conn:
        await restored.compare(conn, [heard(cause=str(made))], NOON)
        begun = await delivery.begin_errands(conn, NOON, "0", 10)
        lost = await delivery.lost_errands(conn, NOON - timedelta(hours=1), "0", NOON - timedelta(hours=1), 10)
    assert [row["id"] for row in begun] == [str(new)]
    assert [(row["id"], row["at"]) for row in lost] == [(str(made), NOON)]


async def test_a_new_kafka_is_told_again_what_readers_remember_in_the_old_order(database: Database) -> None:
    old, first, unsent = (str(uuid4()) for _ in range(3))
    await say(database, old, NOON - timedelta(days=30), position=1)
    await say(database, first, NOON - timedelta(days=28), position=2)
    await say(database, unsent, table="outbox", position=3)
    await database.execute("insert into consumer_offset values ('toy', 'toys', 0, 7)")
    await database.execute("insert into kafka_cluster values ('the-old', $1)", NOON)
    async with database.acquire() as conn:
        assert await resay.take_up(conn, NOON) == 1
        rows = await conn.fetch("select split_part(headers, E'\\n', 2) as id from outbox order by position")
        assert [row["id"] for row in rows] == [first, unsent]
        assert await resay.topics(conn) == {"toys"}
        left = await conn.fetchval(
            "select (select count(*) from consumer_offset) + (select count(*) from kafka_cluster)"
        )
    assert left == 0
