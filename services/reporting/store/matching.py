"""What the facts of matching come to: supply, the queue, offers, support and gaps."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.envelope import Event
from chassis.postgres import Conn
from contracts.matching import (
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
from services.reporting.domain.folding import GapKnown


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
            """insert into place (provider, place_id, provider_id, kind, capacity, held, taken, funded_by, state,
                                  wards)
               select provider, place_id, provider_id, kind, capacity, held, taken, funded_by, state,
                      array(select jsonb_array_elements_text(wards))
               from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::text[],
                           $9::text[], $10::jsonb[])
                   as new (provider, place_id, provider_id, kind, capacity, held, taken, funded_by, state, wards)
               on conflict (provider, place_id) do update set provider_id = excluded.provider_id, kind = excluded.kind,
                   capacity = excluded.capacity, held = excluded.held, taken = excluded.taken,
                   funded_by = excluded.funded_by, state = excluded.state, wards = excluded.wards""",
            [fact.provider for fact in facts],
            [fact.place_id for fact in facts],
            [fact.provider_id for fact in facts],
            [fact.kind for fact in facts],
            [fact.capacity for fact in facts],
            [fact.held for fact in facts],
            [fact.taken for fact in facts],
            [fact.funded_by for fact in facts],
            [fact.state for fact in facts],
            [json.dumps(fact.wards) for fact in facts],
        )

    async def queue_needs(self, events: Sequence[Event[NeedWaiting]]) -> None:
        """A need stands in the queue from the first time on."""
        await self.conn.execute(
            """insert into need (need_id, referral_id, rank_key, queued_at)
               select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
               on conflict (need_id) do update set rank_key = excluded.rank_key,
                   queued_at = coalesce(need.queued_at, excluded.queued_at)""",
            [event.data.need_id for event in events],
            [event.data.referral_id for event in events],
            [event.data.rank_key for event in events],
            [event.time for event in events],
        )

    async def save_offers(self, events: Sequence[Event[OfferMade]]) -> None:
        await self.conn.execute(
            """insert into offer (offer_id, referral_id, need_id, provider, place_id, kind, expires_at, rank_key,
                                  made_at, state)
               select *, 'made' from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                                            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
               on conflict (offer_id) do update set kind = excluded.kind, expires_at = excluded.expires_at,
                   rank_key = excluded.rank_key, made_at = excluded.made_at""",
            [event.data.offer_id for event in events],
            [event.data.referral_id for event in events],
            [event.data.need_id for event in events],
            [event.data.provider for event in events],
            [event.data.place_id for event in events],
            [event.data.kind for event in events],
            [event.data.expires_at for event in events],
            [event.data.rank_key for event in events],
            [event.time for event in events],
        )

    async def end_offers(
        self, ends: Sequence[tuple[Event[OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn], OfferEnd]]
    ) -> None:
        """An offer that was accepted may still be withdrawn."""
        await self.conn.execute(
            """insert into offer (offer_id, referral_id, need_id, provider, place_id, state, reason, ended_at,
                                  accepted_at)
               select *, case when state = 'accepted' then ended_at end
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                           $8::timestamptz[])
                   as new (offer_id, referral_id, need_id, provider, place_id, state, reason, ended_at)
               on conflict (offer_id) do update set state = excluded.state, reason = excluded.reason,
                   ended_at = excluded.ended_at, accepted_at = coalesce(offer.accepted_at, excluded.accepted_at)""",
            [event.data.offer_id for event, _ in ends],
            [event.data.referral_id for event, _ in ends],
            [event.data.need_id for event, _ in ends],
            [event.data.provider for event, _ in ends],
            [event.data.place_id for event, _ in ends],
            [end for _, end in ends],
            [event.data.reason for event, _ in ends],
            [event.time for event, _ in ends],
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

    async def save_gaps(self, gaps: Sequence[GapKnown]) -> None:
        """One that is open already stays so from when it was opened."""
        await self.conn.execute(
            """insert into gap (need_id, referral_id, kind, area, is_open, opened_at, closed_at)
               select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[],
                                    $7::timestamptz[])
               on conflict (need_id) do update set kind = excluded.kind, area = excluded.area,
                   is_open = excluded.is_open, closed_at = excluded.closed_at,
                   opened_at = coalesce(case when gap.is_open then gap.opened_at end, excluded.opened_at,
                                        gap.opened_at)""",
            [gap.fact.need_id for gap in gaps],
            [gap.fact.referral_id for gap in gaps],
            [gap.fact.kind for gap in gaps],
            [gap.fact.area for gap in gaps],
            [gap.closed_at is None for gap in gaps],
            [gap.opened_at for gap in gaps],
            [gap.closed_at for gap in gaps],
        )
