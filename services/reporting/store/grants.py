"""What the facts of grants come to. Money is whole pence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.postgres import Conn
from contracts.grants import (
    ApplicationAssessed,
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    FundOpened,
    GrantAwarded,
    PaymentMade,
    RoundOpened,
    UnderspendReturned,
)


@dataclass(frozen=True, slots=True)
class Grants:
    """Every method is given one row for each key, in the order of the keys."""

    conn: Conn

    async def save_funds(self, facts: Sequence[FundOpened]) -> None:
        await self.conn.execute(
            """insert into fund (fund_id, name) select * from unnest($1::text[], $2::text[])
               on conflict (fund_id) do update set name = excluded.name""",
            [fact.fund_id for fact in facts],
            [fact.name for fact in facts],
        )

    async def save_rounds(self, facts: Sequence[RoundOpened]) -> None:
        await self.conn.execute(
            """insert into grant_round (round_id, fund_id, budget_pence, opens_at, closes_at)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
               on conflict (round_id) do update set fund_id = excluded.fund_id, budget_pence = excluded.budget_pence,
                   opens_at = excluded.opens_at, closes_at = excluded.closes_at""",
            [fact.round_id for fact in facts],
            [fact.fund_id for fact in facts],
            [fact.budget_pence for fact in facts],
            [fact.opens_at for fact in facts],
            [fact.closes_at for fact in facts],
        )

    async def save_applications(self, facts: Sequence[ApplicationSubmitted]) -> None:
        """An application that is decided already stays so."""
        await self.conn.execute(
            """insert into application (application_id, round_id, organisation_id, asked_pence, wards, state)
               select application_id, round_id, organisation_id, asked_pence,
                      array(select jsonb_array_elements_text(wards)), 'submitted'
               from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::jsonb[])
                   as new (application_id, round_id, organisation_id, asked_pence, wards)
               on conflict (application_id) do update set organisation_id = excluded.organisation_id,
                   asked_pence = excluded.asked_pence, wards = excluded.wards""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.organisation_id for fact in facts],
            [fact.amount_pence for fact in facts],
            [json.dumps(fact.wards) for fact in facts],
        )

    async def assess(self, facts: Sequence[ApplicationAssessed]) -> None:
        await self.conn.execute(
            """insert into application (application_id, round_id, points, state)
               select *, 'submitted' from unnest($1::uuid[], $2::text[], $3::int[])
               on conflict (application_id) do update set points = excluded.points""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.points for fact in facts],
        )

    async def pay(self, facts: Sequence[PaymentMade]) -> None:
        await self.conn.execute(
            """insert into application (application_id, round_id, paid_pence, state)
               select *, 'awarded' from unnest($1::uuid[], $2::text[], $3::bigint[])
               on conflict (application_id) do update set paid_pence = excluded.paid_pence""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.paid_pence for fact in facts],
        )

    async def give_back(self, facts: Sequence[UnderspendReturned]) -> None:
        """The award is as much less as came back."""
        await self.conn.execute(
            """insert into application (application_id, round_id, awarded_pence, state)
               select *, 'awarded' from unnest($1::uuid[], $2::text[], $3::bigint[])
               on conflict (application_id) do update set awarded_pence = excluded.awarded_pence""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.awarded_pence for fact in facts],
        )

    async def withdraw(self, facts: Sequence[ApplicationWithdrawn]) -> None:
        """With the application goes what it was awarded."""
        await self.conn.execute(
            """insert into application (application_id, round_id, reason, state)
               select *, 'withdrawn' from unnest($1::uuid[], $2::text[], $3::text[])
               on conflict (application_id) do update set reason = excluded.reason, state = excluded.state,
                   awarded_pence = null""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.reason for fact in facts],
        )

    async def award(self, facts: Sequence[GrantAwarded]) -> None:
        await self.conn.execute(
            """insert into application (application_id, round_id, organisation_id, awarded_pence, state)
               select *, 'awarded' from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
               on conflict (application_id) do update set organisation_id = excluded.organisation_id,
                   awarded_pence = excluded.awarded_pence, state = excluded.state""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.organisation_id for fact in facts],
            [fact.amount_pence for fact in facts],
        )

    async def decline(self, facts: Sequence[ApplicationDeclined]) -> None:
        await self.conn.execute(
            """insert into application (application_id, round_id, reason, state)
               select *, 'declined' from unnest($1::uuid[], $2::text[], $3::text[])
               on conflict (application_id) do update set reason = excluded.reason, state = excluded.state""",
            [fact.application_id for fact in facts],
            [fact.round_id for fact in facts],
            [fact.reason for fact in facts],
        )
