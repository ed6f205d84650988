"""The SQL of what partners and staff look at, and people who ask what is known of them."""

from typing import Final

import asyncpg

from chassis.postgres import Conn
from contracts.vocabulary import Kind

HELD: Final = {
    "need": "select * from need where referral_id = any($1::text[]::uuid[])",
    "withdrawal": "select * from withdrawal where referral_id = any($1::text[]::uuid[])",
    "offer": "select * from offer where referral_id = any($1::text[]::uuid[])",
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
        """select offer_id, need_id, offer.place_id, offer.kind, ward, languages, requirements, expires_at
           from offer join need using (need_id)
           where offer.partner = $1 and offer.state = 'open'
           order by expires_at, offer_id limit $2 offset $3""",
        partner,
        limit,
        offset,
    )


async def queue(conn: Conn, kind: Kind | None, ward: str | None, limit: int, offset: int) -> list[asyncpg.Record]:
    """Who waits, in order of rank. The position is that among all who wait for the kind."""
    return await conn.fetch(
        """select position, need_id, kind, ward, lane, rank_key, score, groups, area_step
           from (select *, row_number() over (partition by kind order by lane, rank_key, need_id) as position
                 from need where state = 'waiting' and ($1::text is null or kind = $1)) waiting
           where $2::text is null or ward = $2
           order by kind, position limit $3 offset $4""",
        kind,
        ward,
        limit,
        offset,
    )
