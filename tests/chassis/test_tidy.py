"""What has outlived its time goes, and nothing else."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from chassis.postgres import connect_pool
from chassis.settings import DatabaseSettings
from chassis.tidy import Tidy
from tests.support import NOON


async def test_claims_sayings_and_dead_letters_go_when_their_time_is_over(
    new_database: Callable[[str], Awaitable[DatabaseSettings]],
) -> None:
    async with await connect_pool(await new_database("toy")) as database:
        for days in (1, 29, 31, 34, 36):
            at = NOON - timedelta(days=days)
            await database.execute("insert into inbox values (gen_random_uuid(), 'toy', $1)", at)
            await database.execute("insert into said values ($1, 't', 'k', '', '', $2)", days, at)
            await database.execute(
                """insert into dead_letter (consumer, topic, partition, record_offset, key, kind, rule, body, attempts,
                                            dead_at) values ('toy', 't', 0, $1, 'k', 'unreadable', 'r', '', 1, $2)""",
                days,
                at,
            )
        assert await Tidy(database, lambda: NOON).once() == 3 + 1 + 3
        left = {
            "inbox": [NOON - row["at"] for row in await database.fetch("select taken_at as at from inbox")],
            "said": [NOON - row["at"] for row in await database.fetch("select said_at as at from said")],
            "dead_letter": [NOON - row["at"] for row in await database.fetch("select dead_at as at from dead_letter")],
        }
        assert {table: max(ages).days for table, ages in left.items()} == {"inbox": 29, "said": 34, "dead_letter": 29}
        assert await Tidy(database, lambda: NOON).once() == 0
