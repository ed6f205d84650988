"""The SQL of offers."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.matching.domain.fit import PlaceKey
from services.matching.domain.offers import LIVE, NEED_AFTER, Made, Offer, OfferState
from services.matching.store.supply import columns_of, pairs


def offer_of(row: asyncpg.Record) -> Offer:
    return Offer(
        offer_id=row["offer_id"],
        need_id=row["need_id"],
        referral_id=row["referral_id"],
        kind=row["kind"],
        place=PlaceKey(row["partner"], row["place_id"]),
        state=row["state"],
        is_proposed=row["state"] != "awaiting",
        expires_at=row["expires_at"],
        until=row["until"],
    )


class Offers:
    """Places held for needs, and taken by them. Those of the `confirmed` kinds await staff first."""

    def __init__(self, conn: Conn, lasts: timedelta, confirmed: Collection[Kind]) -> None:
        self.conn = conn
        self.lasts = lasts
        self.confirmed = confirmed

    async def kinds_of(self, offers: Iterable[UUID]) -> set[Kind]:
        rows = await self.conn.fetch("select distinct kind from offer where offer_id = any($1::uuid[])", list(offers))
        return {row["kind"] for row in rows}

    async def by_id(self, offers: Iterable[UUID]) -> dict[UUID, Offer]:
        rows = await self.conn.fetch("select * from offer where offer_id = any($1::uuid[])", list(offers))
        return {row["offer_id"]: offer_of(row) for row in rows}

    async def live_of(self, needs: Iterable[UUID]) -> list[Offer]:
        rows = await self.conn.fetch(
            """select * from offer
               where need_id = any($1::uuid[]) and state in ('awaiting', 'open', 'accepted', 'in-progress')""",
            list(needs),
        )
        return [offer_of(row) for row in rows]

    async def at_places(self, places: Iterable[PlaceKey], states: Collection[OfferState]) -> list[Offer]:
        """The offers of these places that are in one of these states, in the order of their needs."""
        rows = await self.conn.fetch(
            """select offer.* from offer
               join unnest($1::text[], $2::text[]) as named (partner, place_id) using (partner, place_id)
               join need using (need_id)
               where offer.state = any($3::text[]) order by lane, rank_key, need_id""",
            *pairs(places),
            sorted(states),
        )
        return [offer_of(row) for row in rows]

    async def helping(self, referrals: Iterable[UUID]) -> dict[UUID, list[str]]:
        """The partners that give something to these referrals, or were asked to, once for each thing."""
        rows = await self.conn.fetch(
            """select need.referral_id, array_agg(offer.partner) as partners from need join offer using (need_id)
               where need.referral_id = any($1::uuid[])
                 and (need.state in ('offered', 'accepted', 'in-progress'))
                 and offer.state in ('awaiting', 'open', 'accepted', 'in-progress')
               group by 1""",
            list(referrals),
        )
        return {row["referral_id"]: row["partners"] for row in rows}

    async def latest(self, asked: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], Offer]:
        """The last offer that each partner had of a need, by (partner, need id)."""
        rows = await self.conn.fetch(
            """select distinct on (partner, need_id) offer.* from offer
               join unnest($1::text[], $2::uuid[]) as asked (partner, need_id) using (partner, need_id)
               order by partner, need_id, decision desc""",
            [partner for partner, _ in asked],
            [need_id for _, need_id in asked],
        )
        return {(row["partner"], row["need_id"]): offer_of(row) for row in rows}

    async def next_decisions(self, kinds: Mapping[Kind, int]) -> dict[Kind, int]:
        """Reserves so many decision numbers of each kind and returns the last one used before."""
        rows = await self.conn.fetch(
            """update kind_lock k set decision = decision + n
               from unnest($1::text[], $2::bigint[]) as needed (kind, n) where k.kind = needed.kind
               returning k.kind, old.decision""",
            list(kinds),
            list(kinds.values()),
        )
        return {row["kind"]: row["decision"] for row in rows}

    async def make(self, made: Sequence[Made], at: datetime) -> None:
        """Saves new offers, and holds a unit of a place for each."""
        await self.conn.execute(
            """insert into offer (offer_id, need_id, referral_id, kind, partner, place_id, state, decision,
                                  made_at, expires_at, moved_at, terms)
               select offer_id, need_id, referral_id, kind, partner, place_id, state, decision,
                      $8, expires_at, $8, terms
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                           $9::timestamptz[], $10::jsonb[], $11::text[])
               as new (offer_id, need_id, referral_id, kind, partner, place_id, decision, expires_at, terms, state)""",
            [m.offer.offer_id for m in made],
            [m.offer.need_id for m in made],
            [m.offer.referral_id for m in made],
            [m.offer.kind for m in made],
            [m.offer.place.partner for m in made],
            [m.offer.place.place_id for m in made],
            [m.decision for m in made],
            at,
            [m.expires_at for m in made],
            [m.terms and json.dumps(columns_of(m.terms)) for m in made],
            [m.offer.state for m in made],
        )
        await self._hold(Counter(m.offer.place for m in made))
        await self._move_needs([m.offer for m in made])

    async def _hold(self, units: Counter[PlaceKey]) -> None:
        places = sorted(units)
        await self.conn.execute(
            """update place set held = held + units
               from unnest($1::text[], $2::text[], $3::bigint[]) as new (partner, place_id, units)
               where place.partner = new.partner and place.place_id = new.place_id""",
            [place.partner for place in places],
            [place.place_id for place in places],
            [units[place] for place in places],
        )

    async def _move_needs(self, offers: Sequence[Offer]) -> None:
        await self.conn.execute(
            """update need set state = new.state, is_gap = false
               from unnest($1::uuid[], $2::text[]) as new (need_id, state) where need.need_id = new.need_id""",
            [offer.need_id for offer in offers],
            [NEED_AFTER[offer.state] for offer in offers],
        )

    async def move(self, moves: Sequence[tuple[Offer, str | None]], at: datetime) -> None:
        """Saves offers as they now are, each with its reason, and where they leave their needs."""
        await self.conn.execute(
            """update offer set state = new.state, reason = new.reason, moved_at = $4, until = new.until,
                   ended_after = coalesce(offer.ended_after, case when not new.is_live then k.decision end)
               from unnest($1::uuid[], $2::text[], $3::text[], $5::bool[], $6::date[])
                    as new (offer_id, state, reason, is_live, until), kind_lock k
               where offer.offer_id = new.offer_id and offer.kind = k.kind""",
            [offer.offer_id for offer, _ in moves],
            [offer.state for offer, _ in moves],
            [reason for _, reason in moves],
            at,
            [offer.state in LIVE for offer, _ in moves],
            [offer.until for offer, _ in moves],
        )
        await self._move_needs([offer for offer, _ in moves])
        await self._bar([offer for offer, _ in moves if offer.bars])

    async def _bar(self, offers: Sequence[Offer]) -> None:
        await self.conn.execute(
            """insert into declined (need_id, partner, place_id)
               select * from unnest($1::uuid[], $2::text[], $3::text[]) on conflict do nothing""",
            [offer.need_id for offer in offers],
            [offer.place.partner for offer in offers],
            [offer.place.place_id for offer in offers],
        )

    async def confirm(self, by: Mapping[UUID, str], expires_at: datetime) -> dict[UUID, int]:
        """Notes who confirmed or refused which offers, and until when those are open. Returns their numbers."""
        rows = await self.conn.fetch(
            """update offer set confirmed_by = new.by, expires_at = $3
               from unnest($1::uuid[], $2::text[]) as new (offer_id, by) where offer.offer_id = new.offer_id
               returning offer.offer_id, decision""",
            list(by),
            list(by.values()),
            expires_at,
        )
        return {row["offer_id"]: row["decision"] for row in rows}

    async def declines(self, needs: Iterable[UUID]) -> dict[UUID, int]:
        """How many providers declined each of these needs."""
        rows = await self.conn.fetch(
            """select need_id, count(*) as n from offer
               where need_id = any($1::uuid[]) and state = 'declined' and reason is distinct from 'not-confirmed'
               group by need_id""",
            list(needs),
        )
        return {row["need_id"]: row["n"] for row in rows}

    async def forget(self, needs: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
        """Why offers of these needs ended. Returns all of them, as (offer id, referral id)."""
        rows = await self.conn.fetch(
            "update offer set reason = null where need_id = any($1::uuid[]) returning offer_id, referral_id",
            list(needs),
        )
        return [(row["offer_id"], row["referral_id"]) for row in rows]
