"""The SQL of what partners and staff look at, and people who ask what is known of them."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.matching.store.queue import COULD_MEET

HELD: Final = {
    "need": "select * from need where referral_id = any($1::text[]::uuid[])",
    "withdrawal": "select * from withdrawal where referral_id = any($1::text[]::uuid[])",
    "offer": "select * from offer where referral_id = any($1::text[]::uuid[])",
    "unit": """select unit.* from unit join offer using (offer_id)
               where referral_id = any($1::text[]::uuid[])""",
    "declined": """select * from declined
                   where need_id in (select need_id from need where referral_id = any($1::text[]::uuid[]))""",
    "told": """select topic, said_at, convert_from(value, 'UTF8')::jsonb as data from said
               where key in (select offer_id::text::bytea from offer where referral_id = any($1::text[]::uuid[]))""",
    "falls_due": """select type, due_at, convert_from(value, 'UTF8')::jsonb as data from due
                    where key in (select offer_id::text from offer where referral_id = any($1::text[]::uuid[])
                                  union select need_id::text from need where referral_id = any($1::text[]::uuid[]))""",
}
"""What is kept of referrals ($1)."""


async def open_offers(conn: Conn, partner: str, limit: int, offset: int) -> list[asyncpg.Record]:
    """A partner's offers that wait for its answer, the next to expire first."""
    return await conn.fetch(
        """select offer_id, need_id, offer.place_id, offer.kind, ward, languages, requirements, days, expires_at
           from offer join need using (need_id)
           where offer.partner = $1 and offer.state = 'open'
           order by expires_at, offer_id limit $2 offset $3""",
        partner,
        limit,
        offset,
    )


async def loans(conn: Conn, partner: str, today: date, limit: int, offset: int) -> list[asyncpg.Record]:
    """What a partner lent and is not back, or not wiped."""
    return await conn.fetch(
        """select need_id, offer.place_id, kind, until, state = 'lent' and until < $2 as overdue,
                  state = 'unwiped' as unwiped, serial
           from offer left join unit using (offer_id)
           where offer.partner = $1 and state in ('lent', 'unwiped') order by until, offer_id limit $3 offset $4""",
        partner,
        today,
        limit,
        offset,
    )


def _declines(need: str) -> str:
    return f"""(select count(*) from offer o where o.need_id = {need}.need_id and o.state = 'declined'
                and o.reason is distinct from 'not-confirmed')"""  # noqa: S608 - a constant


async def queue(
    conn: Conn, kind: Kind | None, ward: str | None, declines: int, limit: int, offset: int
) -> list[asyncpg.Record]:
    """Who waits and was declined so often, in order of rank. The position is that among all who wait for the kind.

    `places` are those that suit it: full, or not open yet. One of these must come free for it to move. The page is
    ordered as the index is, so that what comes behind it is not read.
    """
    return await conn.fetch(
        f"""with page as (
               select need_id, position
               from (select need_id, kind, lane, rank_key, ward,
                            row_number() over (partition by kind order by lane, rank_key, need_id) as position
                     from need where state = 'waiting') waiting
               where ($1::text is null or kind = $1) and ($2::text is null or ward = $2)
                 and ($5 = 0 or {_declines("waiting")} >= $5)
               order by kind, lane, rank_key, need_id limit $3 offset $4
           )
           select position, n.*, {_declines("n")} as declines,
                  case when n.is_gap then 0 else (select count(*) from place p where {COULD_MEET}) end as places
           from page join need n using (need_id) order by n.kind, position""",  # noqa: S608 - constants
        kind,
        ward,
        limit,
        offset,
        declines,
    )


async def gaps(conn: Conn, kind: Kind | None, area: str | None, limit: int, offset: int) -> list[asyncpg.Record]:
    """The needs that no place can meet, those alike together, most first."""
    return await conn.fetch(
        """select kind, area, gap_reasons as reasons, gap_lacks as lacks, count(*) as needs, min(gap_since) as since
           from need
           where is_gap and state = 'waiting' and ($1::text is null or kind = $1) and ($2::text is null or area = $2)
           group by 1, 2, 3, 4 order by needs desc, since, kind, area, reasons, lacks limit $3 offset $4""",
        kind,
        area,
        limit,
        offset,
    )


async def awaiting(conn: Conn, limit: int, offset: int) -> list[asyncpg.Record]:
    """The offers that staff are to confirm, in the order in which they were decided."""
    return await conn.fetch(
        """select offer_id, need_id, offer.partner as provider, offer.place_id, offer.kind, ward, languages,
                  requirements, days, made_at, expires_at,
                  (select count(*) from offer before where before.need_id = offer.need_id
                   and before.reason = 'not-confirmed-in-time') as lapses
           from offer join need using (need_id) where offer.state = 'awaiting'
           order by offer.kind, decision limit $1 offset $2""",
        limit,
        offset,
    )


async def decision(conn: Conn, offer_id: UUID) -> asyncpg.Record | None:
    """A match, with what its need asks and its rank, and the terms of its place as they were."""
    return await conn.fetchrow(
        """select o.offer_id, o.need_id, o.kind, o.partner, o.place_id, o.decision, o.made_at, o.state, p.provider_id,
                  n.lane, n.rank_key, n.score, n.groups, n.area_step, n.policy,
                  coalesce(o.terms, to_jsonb(p)) as terms
           from offer o join need n using (need_id)
           join place p on (p.partner, p.place_id) = (o.partner, o.place_id)
           where o.offer_id = $1""",
        offer_id,
    )


_WAITED: Final = """
    select n.*, o.partner as of_partner, o.place_id as of_place, o.decision as number,
           (n.lane, n.rank_key, n.need_id) < (s.lane, s.rank_key, s.need_id) as came_before
    from offer o join need s using (need_id)
    join need n on n.kind = o.kind and n.need_id <> o.need_id and n.joined_after < o.decision
               and coalesce(n.left_after >= o.decision, true) and n.state <> 'paused'
    where o.offer_id = $1 and not exists (
        select from offer other where other.need_id = n.need_id and other.decision < o.decision
        and (other.ended_after is null or other.ended_after >= o.decision
             or other.state not in ('declined', 'expired', 'handed-back', 'refused'))
    )
"""
"""Who waited when an offer ($1) was made, but for those who were given another place in the same moment."""


async def waited_with(conn: Conn, offer_id: UUID, limit: int) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    """Those next to a need in the queue when it was offered a place: `limit` before it and as many after, in order.

    `had` is how another offer of the same place to them ended before, and `in_all` how many there were on this side.
    """
    sides = []
    for came_before in (True, False):
        way = "desc" if came_before else "asc"
        sides.append(
            await conn.fetch(
                f"""select waited.*, count(*) over () as in_all,
                           (select max(state) from offer had
                            where had.need_id = waited.need_id and had.partner = of_partner
                              and had.place_id = of_place and had.decision < number
                              and had.state in ('declined', 'expired', 'handed-back', 'refused')) as had
                    from ({_WAITED}) waited where came_before = $2
                    order by lane {way}, rank_key {way}, need_id {way} limit $3""",  # noqa: S608 - constants
                offer_id,
                came_before,
                limit,
            )
        )
    return sides[0][::-1], sides[1]


async def waiting(conn: Conn, kinds: Sequence[Kind]) -> list[asyncpg.Record]:
    return await conn.fetch(
        """select kind, need_id from need where kind = any($1::text[]) and state = 'waiting'
           order by kind, lane, rank_key, need_id""",
        list(kinds),
    )


async def decisions(conn: Conn, kinds: Sequence[Kind]) -> list[asyncpg.Record]:
    return await conn.fetch(
        "select kind, decision, need_id, partner, place_id from offer where kind = any($1::text[])", list(kinds)
    )


async def unsent(conn: Conn) -> bool:
    return bool(await conn.fetchval("select exists (select from outbox)"))
