"""The SQL of where applicants are written to, and of what their letters say."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Conn
from contracts.grants import RoundRules
from services.grants.domain.scoring import Scores
from services.grants.domain.states import Status


@dataclass(frozen=True, slots=True)
class Addressed:
    """An application as its letters tell of it. `scores` are those of each assessor, `owed` reports that did not come.

    `row` has what is shown as it stands: names, amounts, and words of approvers and staff.
    """

    status: Status
    email: str | None
    rules: RoundRules
    scores: list[Scores]
    schedule: list[dict[str, Any]]
    reports_due: list[date]
    owed: list[date]
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letters:
    conn: Conn

    async def keep_mail(self, organisation_id: str, email: str | None, at: datetime) -> None:
        """Where the organisation wants to be written to; none for not at all."""
        if email is None:
            await self.conn.execute("delete from contact where organisation_id = $1", organisation_id)
            return
        await self.conn.execute(
            """insert into contact (organisation_id, email, at) values ($1, $2, $3)
               on conflict (organisation_id) do update set email = excluded.email, at = excluded.at""",
            organisation_id,
            email,
            at,
        )

    async def mail(self, organisation_id: str) -> str | None:
        email: str | None = await self.conn.fetchval(
            "select email from contact where organisation_id = $1", organisation_id
        )
        return email

    async def advise(self, application_id: UUID, advice: str | None) -> None:
        await self.conn.execute("update application set advice = $2 where application_id = $1", application_id, advice)

    async def addressed(self, application_ids: Collection[UUID]) -> dict[UUID, Addressed]:
        rows = await self.conn.fetch(
            """select a.application_id, a.status, c.email, r.rules,
                      a.organisation_name as organisation, a.title, f.name as fund, a.amount_pence as asked_pence,
                      a.awarded_pence, a.reserved_pence, a.paid_pence, a.decided_under, a.decline_reason, a.advice,
                      a.changes_until as until,
                      (select why from history h where h.application_id = a.application_id
                           and h.what = 'changes-requested' order by id desc limit 1) as changes,
                      (select coalesce(jsonb_agg(s.scores), '[]')
                           from score s join assignment using (application_id, assessor)
                           where s.application_id = a.application_id) as scores,
                      (select coalesce(jsonb_agg(jsonb_build_object(
                               'due_on', i.due_on, 'pence', i.pence, 'evidence', i.evidence) order by i.nth), '[]')
                           from instalment i where i.application_id = a.application_id) as schedule,
                      array(select due_on from report p where p.application_id = a.application_id order by 1) as due,
                      array(select due_on from report p where p.application_id = a.application_id
                                and p.reported_at is null) as owed
               from application a join round r using (round_id) join fund f using (fund_id)
               left join contact c using (organisation_id) where a.application_id = any($1)""",
            list(application_ids),
        )
        return {row["application_id"]: _addressed(dict(row)) for row in rows}


def _addressed(row: dict[str, Any]) -> Addressed:
    return Addressed(
        row.pop("status"),
        row.pop("email"),
        RoundRules.model_validate_json(row.pop("rules")),
        json.loads(row.pop("scores")),
        json.loads(row.pop("schedule")),
        row.pop("due"),
        row.pop("owed"),
        row,
    )
