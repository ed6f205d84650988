"""Persons' keys are wrapped anew when there is a newer programme key, so that the one before may go."""

from typing import Any
from uuid import UUID

from chassis.postgres import Database
from chassis.sealing import Vault
from services.referrals.domain.duplicates import pairs
from services.referrals.handlers.asking import person_of
from services.referrals.store import Store

AT_ONCE = 1000


def _tokens(vault: Vault, row: Any) -> list[bytes]:
    return [vault.tokens(*pair)[0] for pair in pairs(person_of(vault, row))]


async def rewrap(database: Database, vault: Vault) -> tuple[int, int]:
    """How many persons there are, and how many keys were wrapped anew. What is done stays done: it may be repeated."""
    after, seen, anew = UUID(int=0), 0, 0
    while True:
        async with database.acquire() as conn, conn.transaction():
            store = Store(conn)
            rows = await store.referrals.wrapped_keys(after, AT_ONCE)
            keys = {row["person_ref"]: again for row in rows if (again := vault.rewrap(row["wrapped_key"]))}
            await store.referrals.save_wrapped_keys(keys)
            await store.duplicates.replace_tokens(
                {row["person_ref"]: _tokens(vault, row) for row in rows if row["person_ref"] in keys}
            )
        if not rows:
            return seen, anew
        after, seen, anew = rows[-1]["person_ref"], seen + len(rows), anew + len(keys)
