"""Acts after the database was put back from a backup: contact is released, and what was lost is let go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from chassis.envelope import Event
from chassis.facts import Fact, Said
from contracts.access import KeyRevoked
from contracts.referrals import ReferralWithdrawn
from services.referrals.store import Store


class ReleaseContact(BaseModel):
    """Staff looked at what people said since: they may be contacted again."""

    by: Annotated[str, Field(min_length=1, max_length=300)]
    reason: Annotated[str, Field(min_length=1, max_length=300)]


class LetGoReferral(BaseModel):
    """Everybody knows of a referral but we do not any more: places held for it come free."""

    referral_id: UUID
    need_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class LetGoKey(BaseModel):
    """A key opens doors and we do not know of it any more."""

    key_id: UUID


async def on_release_contact(events: Sequence[Event[ReleaseContact]], store: Store, at: datetime) -> list[Said]:
    for event in events:
        await store.referrals.release_contact(event.data.by, event.data.reason, at)
    return []


async def on_let_go_referral(events: Sequence[Event[LetGoReferral]], store: Store, at: datetime) -> list[Said]:
    return [
        Fact(
            ReferralWithdrawn(
                referral_id=event.data.referral_id, need_ids=event.data.need_ids, reason="entered-in-error"
            ),
            event,
        )
        for event in events
    ]


async def on_let_go_key(events: Sequence[Event[LetGoKey]], store: Store, at: datetime) -> list[Said]:
    return [Fact(KeyRevoked(key_id=event.data.key_id), event) for event in events]
