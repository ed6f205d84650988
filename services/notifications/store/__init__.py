"""All SQL of the notifications service."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.notifications.store.digests import Digests
from services.notifications.store.messages import Messages
from services.notifications.store.tasks import Tasks

HELD: Final = {
    "message": "select * from message where referral_id = any($1::text[]::uuid[])",
    "rung": "select * from rung where referral_id = any($1::text[]::uuid[])",
    "call_task": "select * from call_task where referral_id = any($1::text[]::uuid[])",
    "open_offer": "select * from open_offer where referral_id = any($1::text[]::uuid[])",
    "referral": "select * from referral where referral_id = any($1::text[]::uuid[])",
}
"""What is kept of referrals ($1)."""


class Store(Messages, Tasks, Digests):
    """What handlers and routes use, on one connection."""

    __slots__ = ()

    async def forget(self, referrals: Sequence[UUID]) -> None:
        for sql in (
            "delete from call_task where referral_id = any($1::uuid[])",
            "delete from rung where referral_id = any($1::uuid[])",
            "delete from message where referral_id = any($1::uuid[])",
            "delete from open_offer where referral_id = any($1::uuid[])",
            "delete from referral where referral_id = any($1::uuid[])",
        ):
            await self.conn.execute(sql, list(referrals))
