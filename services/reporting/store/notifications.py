"""What the facts of notifications come to: a row for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.postgres import Conn
from contracts.contacting import FeedbackGiven
from contracts.notifications import (
    CallCompleted,
    CallRequested,
    NotificationDelivered,
    NotificationFailed,
    NotificationSent,
    NotificationWithheld,
)

Told = (
    NotificationSent | NotificationDelivered | NotificationFailed | NotificationWithheld | CallRequested | CallCompleted
)


@dataclass(frozen=True, slots=True)
class Notifications:
    conn: Conn

    async def save(self, facts: Sequence[tuple[UUID, Told, str]]) -> None:
        """Takes the id of each event, its fact, and what came of it."""
        await self.conn.execute(
            """insert into notification (event_id, referral_id, need_id, audience, status, result, channel, reason, at,
                                         rung)
               select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                                    $8::text[], $9::timestamptz[], $10::int[])
               on conflict do nothing""",
            [event_id for event_id, _, _ in facts],
            [fact.referral_id for _, fact, _ in facts],
            [fact.need_id for _, fact, _ in facts],
            [fact.audience for _, fact, _ in facts],
            [fact.status for _, fact, _ in facts],
            [result for _, _, result in facts],
            [getattr(fact, "channel", None) for _, fact, _ in facts],
            [getattr(fact, "outcome", getattr(fact, "reason", None)) for _, fact, _ in facts],
            [fact.at for _, fact, _ in facts],
            [fact.rung for _, fact, _ in facts],
        )

    async def save_feedback(self, facts: Sequence[FeedbackGiven]) -> None:
        await self.conn.execute(
            """insert into feedback (referral_id, asked, need_id, goal_met, online, at)
               select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
               on conflict (referral_id, asked) do nothing""",
            [fact.referral_id for fact in facts],
            [fact.asked for fact in facts],
            [fact.need_id for fact in facts],
            [fact.goal_met for fact in facts],
            [fact.online for fact in facts],
            [fact.at for fact in facts],
        )
