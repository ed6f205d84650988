"""What the facts of matching come to: supply, the queue, offers, support and gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.postgres import Conn
from contracts.matching import (
    GapClosed,
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
    SupportEnded,
    SupportStarted,
)
from contracts.vocabulary import OfferEnd


@dataclass(frozen=True, slots=True)
class Matching:
    """Every method is given one row for each key, in the order of the keys."""

    conn: Conn

    async def save_providers(self, facts: Sequence[ProviderRegistered]) -> None:
        await self.conn.execute(
            """insert into provider (provider, provider_id, name)
               select * from unnest($1::text[], $2::text[], $3::text[])
               on conflict (provider, provider_id) do update set name = excluded.name""",
            [fact.provider for fact in facts],
            [fact.provider_id for fact in facts],
            [fact.name for fact in facts],
        )

    async def save_places(self, facts: Sequence[PlaceOpened | PlaceChanged]) -> None:
        """`held` and `taken` are as of the fact; what offers made of them since stands in `offer`."""
        await self.conn.execute(
            """insert into place (provider, place_id, provider_id, kind, capacity, held, taken, funded_by)
               select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[],
                                    $8::text[])
               on conflict (provider, place_id) do update set provider_id = excluded.provider_id, kind = excluded.kind,
                   capacity = excluded.capacity, held = excluded.held, taken = excluded.taken,
                   funded_by = excluded.funded_by""",
            [fact.provider for fact in facts],
            [fact.place_id for fact in facts],
            [fact.provider_id for fact in facts],
            [fact.kind for fact in facts],
            [fact.capacity for fact in facts],
            [fact.held for fact in facts],
            [fact.taken for fact in facts],
            [fact.funded_by for fact in facts],
        )

    async def queue_needs(self, facts: Sequence[NeedWaiting]) -> None:
        await self.conn.execute(
            """insert into need (need_id, referral_id, rank_key)
               select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
               on conflict (need_id) do update set rank_key = excluded.rank_key""",
            [fact.need_id for fact in facts],
            [fact.referral_id for fact in facts],
            [fact.rank_key for fact in facts],
        )

    async def save_offers(self, facts: Sequence[OfferMade]) -> None:
        await self.conn.execute(
            """insert into offer (offer_id, referral_id, need_id, provider, place_id, kind, expires_at, state)
               select *, 'made' from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                                            $7::timestamptz[])
               on conflict (offer_id) do update set kind = excluded.kind, expires_at = excluded.expires_at""",
            [fact.offer_id for fact in facts],
            [fact.referral_id for fact in facts],
            [fact.need_id for fact in facts],
            [fact.provider for fact in facts],
            [fact.place_id for fact in facts],
            [fact.kind for fact in facts],
            [fact.expires_at for fact in facts],
        )

    async def end_offers(
        self, ends: Sequence[tuple[OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn, OfferEnd]]
    ) -> None:
        """An offer that was accepted may still be withdrawn: the last end counts."""
        await self.conn.execute(
            """insert into offer (offer_id, referral_id, need_id, provider, place_id, state, reason)
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
               on conflict (offer_id) do update set state = excluded.state, reason = excluded.reason""",
            [fact.offer_id for fact, _ in ends],
            [fact.referral_id for fact, _ in ends],
            [fact.need_id for fact, _ in ends],
            [fact.provider for fact, _ in ends],
            [fact.place_id for fact, _ in ends],
            [end for _, end in ends],
            [fact.reason for fact, _ in ends],
        )

    async def start_support(self, facts: Sequence[tuple[UUID, SupportStarted]]) -> None:
        await self.conn.execute(
            """insert into support (event_id, referral_id, need_id, provider, state, at)
               select event_id, referral_id, need_id, provider, 'started', at
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
                   as new (event_id, referral_id, need_id, provider, at)
               on conflict do nothing""",
            [event_id for event_id, _ in facts],
            [fact.referral_id for _, fact in facts],
            [fact.need_id for _, fact in facts],
            [fact.provider for _, fact in facts],
            [fact.at for _, fact in facts],
        )

    async def end_support(self, facts: Sequence[tuple[UUID, SupportEnded]]) -> None:
        await self.conn.execute(
            """insert into support (event_id, referral_id, need_id, provider, state, outcome, reason, at)
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                                    $8::timestamptz[])
               on conflict do nothing""",
            [event_id for event_id, _ in facts],
            [fact.referral_id for _, fact in facts],
            [fact.need_id for _, fact in facts],
            [fact.provider for _, fact in facts],
            ["handed-back" if fact.handed_back else "ended" for _, fact in facts],
            [fact.outcome for _, fact in facts],
            [fact.reason for _, fact in facts],
            [fact.at for _, fact in facts],
        )

    async def save_gaps(self, facts: Sequence[GapRecorded | GapClosed]) -> None:
        await self.conn.execute(
            """insert into gap (need_id, referral_id, kind, area, is_open)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[])
               on conflict (need_id) do update set kind = excluded.kind, area = excluded.area,
                   is_open = excluded.is_open""",
            [fact.need_id for fact in facts],
            [fact.referral_id for fact in facts],
            [fact.kind for fact in facts],
            [fact.area for fact in facts],
            [isinstance(fact, GapRecorded) for fact in facts],
        )
