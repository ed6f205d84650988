"""After Kafka was lost and is new and empty: its offsets are forgotten, and what was said lately is said again.

Under the same ids: readers remember those for 30 days, and drop what they had.
"""

from datetime import datetime, timedelta
from typing import Final

from chassis.postgres import Conn

REMEMBERED: Final = timedelta(days=29)
"""A day less than readers remember ids. What was said before that is not said again: they would take it for new."""


async def take_up(conn: Conn, at: datetime) -> int:
    """Begins anew with whatever Kafka is found next; returns how many facts wait to be said again. May be repeated."""
    async with conn.transaction():
        await conn.execute("delete from kafka_cluster")
        await conn.execute("delete from consumer_offset")
        done = await conn.execute(
            """with again as (delete from said where said_at > $1 returning *)
               insert into outbox (position, topic, key, headers, value, said_at) overriding system value
               select position, topic, key, headers, value, said_at from again""",
            at - REMEMBERED,
        )
    return int(done.rpartition(" ")[2])


async def topics(conn: Conn) -> set[str]:
    """Where what waits is to be said: they have to be there before it is."""
    return {row["topic"] for row in await conn.fetch("select distinct topic from outbox")}


async def is_running(conn: Conn, app: str) -> bool:
    """Whether a process of the service is connected to this database, as its application role."""
    counted = "select count(*) from pg_stat_activity where datname = current_database() and usename = $1"
    return bool(await conn.fetchval(counted, app))
