"""All SQL of the notifications service."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.notifications.store.messages import Messages
from services.notifications.store.tasks import Tasks

HELD: Final = {
    "message": "select * from message where referral_id = any($1::text[]::uuid[])",
    "call_task": "select * from call_task where referral_id = any($1::text[]::uuid[])",
}
"""What is kept of referrals ($1)."""


class Store(Messages, Tasks):
    """What handlers and routes use, on one connection."""

    __slots__ = ()

    async def forget(self, referrals: Sequence[UUID]) -> None:
        ids = list(referrals)
        await self.conn.execute("delete from call_task where referral_id = any($1::uuid[])", ids)
        await self.conn.execute("delete from message where referral_id = any($1::uuid[])", ids)
