"""What the facts of matching beside offers come to: a row for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.envelope import Event
from chassis.postgres import Conn
from contracts.matching import NeedEscalated
from contracts.stock import DirectHelpGiven, LoanChanged


@dataclass(frozen=True, slots=True)
class Stock:
    conn: Conn

    async def give(self, facts: Sequence[tuple[UUID, DirectHelpGiven]]) -> None:
        """Takes the id of each event, and its fact."""
        await self.conn.execute(
            """insert into direct_help (event_id, kind, ward, number, given_on)
               select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::date[])
               on conflict do nothing""",
            [event_id for event_id, _ in facts],
            [fact.kind for _, fact in facts],
            [fact.ward for _, fact in facts],
            [fact.count for _, fact in facts],
            [fact.given_on for _, fact in facts],
        )

    async def save_loans(self, facts: Sequence[tuple[UUID, LoanChanged]]) -> None:
        """The same."""
        await self.conn.execute(
            """insert into loan (event_id, referral_id, need_id, kind, state, at)
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
               on conflict do nothing""",
            [event_id for event_id, _ in facts],
            [fact.referral_id for _, fact in facts],
            [fact.need_id for _, fact in facts],
            [fact.kind for _, fact in facts],
            [fact.state for _, fact in facts],
            [fact.at for _, fact in facts],
        )

    async def escalate(self, events: Sequence[Event[NeedEscalated]]) -> None:
        await self.conn.execute(
            """insert into escalation (event_id, referral_id, need_id, kind, at)
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
               on conflict do nothing""",
            [UUID(event.id) for event in events],
            [event.data.referral_id for event in events],
            [event.data.need_id for event in events],
            [event.data.kind for event in events],
            [event.time for event in events],
        )
