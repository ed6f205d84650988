"""Offers that wait for an answer, and the days on which providers are told."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.notifications.store.connection import OnConnection


class Digests(OnConnection):
    __slots__ = ()

    async def open_offers(self, offers: Sequence[tuple[UUID, UUID, str, datetime]]) -> None:
        """Each as offer, referral, provider and end."""
        await self.conn.execute(
            """insert into open_offer (offer_id, referral_id, provider, expires_at)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) on conflict do nothing""",
            [offer for offer, _, _, _ in offers],
            [referral for _, referral, _, _ in offers],
            [provider for _, _, provider, _ in offers],
            [ends for _, _, _, ends in offers],
        )

    async def close_offers(self, offers: Sequence[UUID]) -> None:
        await self.conn.execute("delete from open_offer where offer_id = any($1::uuid[])", list(offers))

    async def plan_digests(self, digests: Sequence[tuple[str, date]]) -> set[tuple[str, date]]:
        """Those that nobody had planned."""
        rows = await self.conn.fetch(
            """insert into digest (provider, day) select * from unnest($1::text[], $2::date[]) as new (provider, day)
               order by provider, day on conflict do nothing returning provider, day""",
            [provider for provider, _ in digests],
            [day for _, day in digests],
        )
        return {(row["provider"], row["day"]) for row in rows}

    async def waiting_for(self, providers: Sequence[str], at: datetime) -> dict[str, asyncpg.Record]:
        """How many offers wait for each provider, and when the first expires."""
        rows = await self.conn.fetch(
            """select provider, count(*) as offers, min(expires_at) as first from open_offer
               where provider = any($1::text[]) and expires_at > $2 group by provider""",
            list(providers),
            at,
        )
        return {row["provider"]: row for row in rows}

    async def end_digests(self, digests: Sequence[tuple[str, date, str]]) -> None:
        await self.conn.execute(
            """update digest set state = new.state
               from unnest($1::text[], $2::date[], $3::text[]) as new (provider, day, state)
               where digest.provider = new.provider and digest.day = new.day""",
            [provider for provider, _, _ in digests],
            [day for _, day, _ in digests],
            [state for _, _, state in digests],
        )
