"""The SQL of assessors, their assignments and their scores."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Conn
from services.grants.domain.conflicts import Assessor
from services.grants.store.rows import many


@dataclass(frozen=True, slots=True)
class Score:
    """`points` are hundredths of a hundred."""

    application_id: UUID
    assessor: str
    scores: Mapping[str, int]
    points: int
    comment: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the scores of an application came to."""

    application_id: UUID
    points: int


@dataclass(frozen=True, slots=True)
class Weight:
    """The gap points of an application, and why, as they are frozen."""

    application_id: UUID
    gap_points: int
    gap_weight: Any


@dataclass(frozen=True, slots=True)
class Assessment:
    conn: Conn

    async def save_assessor(self, assessor: Assessor, *, is_active: bool) -> None:
        await self.conn.execute(
            """insert into assessor (assessor, organisations, interests, wards, is_active)
               values ($1, $2, $3, $4, $5)
               on conflict (assessor) do update set organisations = excluded.organisations,
                   interests = excluded.interests, wards = excluded.wards, is_active = excluded.is_active""",
            assessor.assessor,
            sorted(assessor.organisations),
            sorted(assessor.interests),
            sorted(assessor.wards),
            is_active,
        )

    async def assessors(self, *, also_stopped: bool = False) -> dict[str, Assessor]:
        """Those who judge now, with all that they must not judge."""
        rows = await self.conn.fetch(
            """select assessor, organisations, interests, wards,
                   array(select application_id from declared_conflict d where d.assessor = a.assessor) as declared
               from assessor a where is_active or $1 order by assessor""",
            also_stopped,
        )
        return {
            row["assessor"]: Assessor(
                row["assessor"],
                frozenset(row["organisations"]),
                frozenset(row["interests"]),
                frozenset(row["wards"]),
                frozenset(row["declared"]),
            )
            for row in rows
        }

    async def declare(self, application_id: UUID, assessor: str, reason: str, at: datetime) -> None:
        """Keeps that the assessor never gets the application again."""
        await self.conn.execute(
            """insert into declared_conflict (application_id, assessor, reason, at) values ($1, $2, $3, $4)
               on conflict do nothing""",
            application_id,
            assessor,
            reason,
            at,
        )

    async def judged_by(self, assessor: str) -> list[UUID]:
        """The applications that the assessor has, of rounds that are being assessed."""
        rows = await self.conn.fetch(
            """select application_id
               from assignment join application a using (application_id) join round using (round_id)
               where assessor = $1 and stage = 'assessing' and a.status in ('submitted', 'assessed')""",
            assessor,
        )
        return [row["application_id"] for row in rows]

    async def take_from(self, application_id: UUID, assessor: str) -> None:
        """Whoever does not have an application any more has no say in it: what came of their score is open again."""
        await self.conn.execute(
            """with gone as (delete from assignment where application_id = $1 and assessor = $2)
               update application set status = 'submitted', points = null, needs_moderation = false
               where application_id = $1 and exists (select from score where application_id = $1 and assessor = $2)""",
            application_id,
            assessor,
        )

    async def assigned(self, application_ids: Collection[UUID]) -> dict[UUID, list[str]]:
        rows = await self.conn.fetch(
            """select application_id, array_agg(assessor order by assessor) as those from assignment
               where application_id = any($1) group by 1""",
            sorted(application_ids),
        )
        return {row["application_id"]: list(row["those"]) for row in rows}

    async def load(self) -> dict[str, int]:
        """How many applications each assessor has and did not score yet."""
        rows = await self.conn.fetch(
            """select assessor, count(*) as n from assignment
               where not exists (select from score where score.application_id = assignment.application_id
                                 and score.assessor = assignment.assessor) group by 1"""
        )
        return {row["assessor"]: row["n"] for row in rows}

    async def assign(self, pairs: Sequence[tuple[UUID, str]], at: datetime) -> None:
        await self.conn.execute(
            """insert into assignment (application_id, assessor, at)
               select *, $3 from unnest($1::uuid[], $2::text[]) on conflict do nothing""",
            [application_id for application_id, _ in pairs],
            [assessor for _, assessor in pairs],
            at,
        )

    async def scores(self, application_ids: Collection[UUID]) -> dict[UUID, list[Score]]:
        """Those that count: of assessors who have the application still."""
        rows = await self.conn.fetch(
            """select application_id, assessor, scores, points, comment
               from score join assignment using (application_id, assessor)
               where application_id = any($1) order by application_id, score.at, assessor""",
            sorted(application_ids),
        )
        found: dict[UUID, list[Score]] = {application_id: [] for application_id in application_ids}
        for row in rows:
            found[row["application_id"]].append(Score(**{**row, "scores": json.loads(row["scores"])}))
        return found

    async def add_score(self, score: Score, at: datetime) -> None:
        await self.conn.execute(
            """insert into score (application_id, assessor, scores, points, comment, at)
               values ($1, $2, $3, $4, $5, $6)""",
            score.application_id,
            score.assessor,
            json.dumps(dict(score.scores)),
            score.points,
            score.comment,
            at,
        )

    async def settle(self, results: Sequence[Result]) -> None:
        await self.conn.execute(
            """update application a set status = 'assessed', points = new.points, needs_moderation = false
               from unnest($1::uuid[], $2::bigint[]) as new (application_id, points)
               where a.application_id = new.application_id""",
            [result.application_id for result in results],
            [result.points for result in results],
        )

    async def ask_for_moderation(self, application_id: UUID) -> None:
        await self.conn.execute(
            "update application set needs_moderation = true where application_id = $1", application_id
        )

    async def freeze_weights(self, weights: Sequence[Weight]) -> None:
        await self.conn.execute(
            """update application a set gap_points = new.gap_points, gap_weight = new.gap_weight
               from jsonb_to_recordset($1::jsonb) as new (application_id uuid, gap_points bigint, gap_weight jsonb)
               where a.application_id = new.application_id""",
            many(weights),
        )
