"""Exact counts. They leave the service only through `events_out`, or to staff."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chassis.postgres import Conn

Step = Literal["day", "week"]


@dataclass(frozen=True, slots=True)
class Counts:
    conn: Conn

    async def looked_at(self, at: datetime, who: str, what: str) -> None:
        """Writes down who of the staff looks."""
        await self.conn.execute("insert into staff_view (at, who, what) values ($1, $2, $3)", at, who, what)

    async def exact(self) -> dict[str, dict[str, int]]:
        """How many rows there are of each thing and state, and how many records of each topic were read."""
        rows = await self.conn.fetch(
            """select 'referrals' as what, case when closed_at is null then 'open' else 'closed' end as state,
                      count(*) as n from referral where received_at is not null group by 2
               union all select 'needs', status, count(*) from need where status is not null group by 2
               union all select 'offers', state, count(*) from offer group by 2
               union all select 'support', state, count(*) from support group by 2
               union all select 'gaps', case when is_open then 'open' else 'closed' end, count(*) from gap group by 2
               union all select 'notifications', result, count(*) from notification group by 2
               union all select 'applications', state, count(*) from application group by 2
               union all select 'records_read', topic, sum(next_offset)::bigint from consumer_offset group by 2
               order by 1, 2"""
        )
        counts: dict[str, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["what"], {})[row["state"]] = row["n"]
        return counts

    async def over_time(self, step: Step, first: date, last: date) -> dict[str, dict[str, int]]:
        """How many people were referred, and needs taken on and ended, by the days of London, or by the Mondays on
        which weeks began."""
        rows = await self.conn.fetch(
            """select what, date_trunc($1, at at time zone 'Europe/London')::date::text as since, count(*) as n
               from (select 'referred' as what, received_at as at from referral
                     union all select 'taken-on', accepted_at from need
                     union all select 'ended', ended_at from need) as happened
               where (at at time zone 'Europe/London')::date between $2 and $3 group by 1, 2 order by 1, 2""",
            step,
            first,
            last,
        )
        counts: dict[str, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["what"], {})[row["since"]] = row["n"]
        return counts
