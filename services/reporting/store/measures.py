# ruff: noqa: S608 - statements are made of our own words; what is a value is a parameter
"""The statements behind the measures: exact counts. They leave the service only through `events_out`, or to staff.

Each statement lists what is counted with its codes, its person and, where it happened at a time, `at`; `$1` and `$2`
are where the period begins and ends. Of what stands, `$2` is the moment at which it is looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from chassis.postgres import Conn
from contracts.calendar import day_of
from services.reporting.domain.families import NEEDS, Sort, family_of
from services.reporting.domain.measure import BANDS, UNKNOWN, Codes, Measure
from services.reporting.domain.measures import BY_NAME
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Geography

COUNTED_WITHIN: Final = 900.0
"""Seconds for a statement that looks at all that is stored: nobody waits for it."""
_BAND: Final = "".join(f" when score >= {least} then '{band}'" for band, least in reversed(BANDS.items()))
BAND: Final = f"case when score is null then '{UNKNOWN}'{_BAND} end"
PEOPLE: Final = f"""
    select referral_id, received_at, partner, coalesce(area, '{UNKNOWN}') as ward, {BAND} as band
    from referral where received_at is not null"""
OF_NEED: Final = f"""
    select need_id, kind, status, outcome, accepted_at, waiting_until, ended_at, queued_at, rank_key, people.*
    from need join ({PEOPLE}) as people using (referral_id)
    where status is not null and status <> 'entered-in-error'"""


def _days(at: str) -> str:
    """From the day of referral to that of a time, in London."""
    return f"({at} at time zone 'Europe/London')::date - (received_at at time zone 'Europe/London')::date"


TAKEN_ON: Final = f"""
    select referral_id, kind, ward, band, min(accepted_at) as at,
           {_days("min(accepted_at)")} as days
    from ({OF_NEED}) as of_need where accepted_at is not null group by 1, 2, 3, 4, received_at"""

SOURCES: Final[Mapping[str, str]] = {
    "referrals": f"""
        select people.*, received_at as at, kinds
        from ({PEOPLE}) as people
        cross join lateral (select array_agg(distinct kind) as kinds from need
                            where need.referral_id = people.referral_id and status <> 'entered-in-error') as needs
        where kinds is not null""",
    "served": TAKEN_ON,
    "outcomes": f"""
        select distinct on (referral_id, kind) referral_id, kind, coalesce(outcome, status) as outcome, ended_at as at
        from ({OF_NEED}) as of_need where ended_at is not null order by referral_id, kind, ended_at desc, need_id""",
    "waiting": f"""
        select referral_id, kind, ward, band, bool_or(is_gap) as gaps,
               bool_or(offered_since > rank_key) as "passed-over"
        from (select *, max(offered) over (partition by kind order by at desc, waits desc rows unbounded preceding)
                        as offered_since
              from (select true as waits, waiting.referral_id, waiting.kind, ward, band, rank_key, queued_at as at,
                           opened_at < $2 and (closed_at is null or closed_at >= $2) as is_gap, null as offered
                    from ({OF_NEED}) as waiting left join gap using (need_id)
                    where received_at < $2 and (waiting_until is null or waiting_until >= $2)
                    union all
                    select false, null, kind, null, null, null, made_at, null, rank_key
                    from offer where made_at < $2) as by_kind) as in_time
        where waits group by 1, 2, 3, 4""",
    "stages": f"""
        select referral_id, kind,
               case when status in ('requested', 'on-hold') then 'waiting' when status = 'offered' then 'on-offer'
                    when status = 'accepted' then 'taken-on' when status = 'in-progress' then 'being-helped'
                    when outcome in ('helped', 'partly-helped') then 'helped' else 'ended-without-help' end as stage
        from ({OF_NEED}) as of_need
        where received_at < $2
          and received_at >= (date_trunc('year', ($2::timestamptz at time zone 'Europe/London')
                                                 - interval '15 months 1 microsecond')
                              + interval '3 months') at time zone 'Europe/London'""",
    "wait-half": TAKEN_ON,
    "first-contact": f"""
        select '' as kind, people.*, told.at, {_days("told.at")} as days
        from (select referral_id, min(at) as at from notification
              where audience = 'person' and (result = 'sent' or (result, reason) = ('call-completed', 'reached'))
              group by referral_id) as told
        join ({PEOPLE}) as people using (referral_id)""",
    "offers": """
        select referral_id, coalesce(accepted_at, ended_at) as at,
               case when accepted_at is not null then 'accepted'
                    when state = 'declined' and reason is not null then 'declined-' || reason else state end as end
        from offer where state <> 'made'""",
    "notifications": f"""
        select referral_id, at, coalesce(channel, 'none') as channel, coalesce(rung::text, '{UNKNOWN}') as rung,
               result as told
        from notification where audience = 'person'""",
    "handed-over": """
        select referral_id, kind, min(at) as at
        from support join (select need_id, kind from need) as need using (need_id)
        where kind in ('device', 'connectivity') and (state = 'started' or outcome in ('helped', 'partly-helped'))
        group by 1, 2""",
    "loans": "select referral_id, kind, at, state as became from loan",
    "direct-help": f"""
        select event_id::text || n as referral_id, kind, coalesce(ward, '{UNKNOWN}') as ward,
               given_on::timestamp at time zone 'Europe/London' as at
        from direct_help cross join generate_series(1, number) as n""",
    "escalated": "select referral_id, kind, at from escalation",
    "champions": """
        select provider || ' ' || place_id as referral_id,
               case when capacity = 0 or state = 'closed' then 'away'
                    when exists (select from offer join need using (need_id)
                                 where (offer.provider, offer.place_id) = (place.provider, place.place_id)
                                   and offer.state = 'accepted' and need.status in ('accepted', 'in-progress'))
                    then 'helping' else 'free' end as active
        from place where kind = 'champion' and coalesce(state, 'open') <> 'planned'""",
    "feedback": "select referral_id, asked, goal_met as goal, online, at from feedback",
    "stalled": """
        select referral_id, owner, due_on::timestamp at time zone 'Europe/London' as at from stall""",
}
"""People, by the measure that counts them all."""

THINGS: Final[Mapping[str, str]] = {
    "capacity": """
        select array[kind, ward] as codes, sum(capacity) as n
        from place cross join unnest(case when cardinality(wards) = 0 then '{city-wide}' else wards end) as ward
        where coalesce(state, 'open') = 'open' group by kind, ward""",
    "applications": """
        select array[round_id, state] as codes, count(*) as n from application group by round_id, state""",
    "scores": f"""
        select array[round_id, case when points is null then '{UNKNOWN}' when points < 2500 then '0-24'
                                    when points < 5000 then '25-49' when points < 7500 then '50-74' else '75-100' end,
                     state] as codes, count(*) as n
        from application group by codes""",
    "grants-by-ward": """
        select array[ward] as codes, sum(awarded_pence / wide + (nth <= awarded_pence % wide)::int) as n
        from (select awarded_pence, greatest(cardinality(wards), 1) as wide,
                     case when cardinality(wards) = 0 then '{city-wide}' else wards end as wards
              from application where awarded_pence is not null) as award
        cross join unnest(wards) with ordinality as part (ward, nth) group by ward""",
    "grants": """
        select array[round_id, money] as codes, sum(n) as n
        from (select round_id, 'budget' as money, budget_pence as n from grant_round
              union all select round_id, 'asked', asked_pence from application
              union all select round_id, 'awarded', awarded_pence from application
              union all select round_id, 'paid', paid_pence from application) as pence
        where n is not null group by round_id, money""",
}
"""What is not of people: counted as it is, at any time."""


@dataclass(frozen=True, slots=True)
class Measures:
    conn: Conn

    async def people(self, base: Measure, period: Period, at: datetime) -> dict[Sort, int]:
        """How many there are of each sort, for a measure and those within it."""
        words = ", ".join(_at_its_place(word) for word in family_of(base))
        rows = await self.conn.fetch(
            f"""select array[{words}]::text[] as sort, count(distinct referral_id) as n
                from ({SOURCES[base.name]}) as counted where {_in_time(base)} group by sort order by sort""",
            *_times(period, at),
            timeout=COUNTED_WITHIN,
        )
        return {tuple(row["sort"]): row["n"] for row in rows}

    async def things(self, measure: Measure) -> dict[Codes, int]:
        """What is not of people, by the grain of the measure."""
        return {tuple(row["codes"]): int(row["n"]) for row in await self.conn.fetch(THINGS[measure.name])}

    async def days(self, measure: Measure, period: Period, at: datetime) -> dict[Codes, int]:
        """How many waited so many whole days, by `WAITED`."""
        rows = await self.conn.fetch(
            f"""select array[{_at_its_place("month")}, kind, band, ward, days::text] as codes, count(*) as n
                from ({SOURCES[measure.name]}) as counted where {_in_time(measure)} group by codes""",
            *_times(period, at),
            timeout=COUNTED_WITHIN,
        )
        return {tuple(row["codes"]): row["n"] for row in rows}

    async def geography(self) -> Geography:
        """The areas that were loaded last, and what older ones were."""
        rows = await self.conn.fetch(
            """select code, decile::text as decile, committee, loaded_at = (select max(loaded_at) from area) as newest
               from area order by code"""
        )
        return Geography(
            [row["code"] for row in rows if row["newest"]],
            {row["code"]: row["decile"] for row in rows},
            {row["code"]: row["committee"] for row in rows if row["committee"]},
        )

    async def names(self) -> dict[str, str]:
        """What areas, partners and rounds are called, by their codes."""
        rows = await self.conn.fetch(
            """select code, name from area union all select partner, name from partner
               union all select round_id, name || ': ' || round_id from grant_round join fund using (fund_id)
               union all select 'decile of ' || code, decile::text from area
               union all select 'part of ' || code, committee from area where committee is not null"""
        )
        return {row["code"]: row["name"] for row in rows}

    async def first_day(self) -> date | None:
        first = await self.conn.fetchval("select min(received_at) from referral")
        return day_of(first) if first else None


def _at_its_place(word: str) -> str:
    if word == "month":
        return "to_char(at at time zone 'Europe/London', 'YYYY-MM')"
    if word.startswith(NEEDS):
        return _yes(f"'{word.removeprefix(NEEDS)}' = any(kinds)")
    return _yes(f'"{word}"') if word in BY_NAME else f'"{word}"'


def _yes(condition: str) -> str:
    return f"case when {condition} then 'yes' else '' end"


def _in_time(measure: Measure) -> str:
    """Both times are used in each, so that Postgres knows what they are."""
    return "$1::timestamptz < $2::timestamptz" if measure.stands else "at >= $1::timestamptz and at < $2::timestamptz"


def _times(period: Period, at: datetime) -> Sequence[datetime]:
    """What is not over is counted up to now."""
    return period.begins, period.ends if period.is_final else at
