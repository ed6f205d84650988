"""Persons' keys are wrapped anew when there is a newer programme key, so that the one before may go."""

from uuid import UUID

from chassis.postgres import Database
from chassis.sealing import Vault
from services.referrals.store import Store

AT_ONCE = 1000


async def rewrap(database: Database, vault: Vault) -> tuple[int, int]:
    """How many persons there are, and how many keys were wrapped anew. What is done stays done: it may be repeated."""
    after, seen, anew = UUID(int=0), 0, 0
    while True:
        async with database.acquire() as conn, conn.transaction():
            store = Store(conn).referrals
            rows = await store.wrapped_keys(after, AT_ONCE)
            keys = {row["person_ref"]: again for row in rows if (again := vault.rewrap(row["wrapped_key"]))}
            await store.save_wrapped_keys(keys)
        if not rows:
            return seen, anew
        after, seen, anew = rows[-1]["person_ref"], seen + len(rows), anew + len(keys)
