"""Rows in and out of the database, as handlers and rules know them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from contracts.grants import RoundRules
from services.grants.domain.awards import Application
from services.grants.domain.conflicts import Stakes
from services.grants.domain.rounds import Round

ROUND: Final = ", ".join(f"r.{column.name}" for column in fields(Round))
APPLICATION: Final = """a.application_id, a.round_id, a.organisation_id, a.amount_pence, a.status, a.awarded_pence,
    a.paid_pence, a.reserved_pence, coalesce(a.points, 0) as points, a.gap_points,
    array(select assessor from score s where s.application_id = a.application_id order by 1) as scored_by"""


@dataclass(frozen=True, slots=True)
class Submission:
    """An application as it came in. `stakes` are the organisations behind it, `body` is all that was sent."""

    application_id: UUID
    round_id: str
    organisation_id: str
    organisation_original: str
    organisation_name: str
    register: str | None
    title: str
    amount_pence: int
    kinds: Sequence[str]
    wards: Sequence[str]
    stakes: Sequence[str]
    body: Any
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """An application as those see it who judge it."""

    application: Application
    stakes: Stakes
    body: Any
    changes_until: datetime | None


def many(those: Sequence[Any]) -> str:
    """Rows for `jsonb_to_recordset`, which unlike unnest takes a list within a row."""
    return json.dumps([asdict(each) for each in those], default=str)


def round_of(row: asyncpg.Record) -> Round:
    named = {column.name: row[column.name] for column in fields(Round)}
    return Round(**{**named, "rules": RoundRules.model_validate_json(row["rules"])})


def application_of(row: asyncpg.Record) -> Application:
    named = {column.name: row[column.name] for column in fields(Application)}
    return Application(**{**named, "scored_by": tuple(row["scored_by"])})


def asked_of(row: asyncpg.Record) -> Asked:
    stakes = Stakes(row["application_id"], frozenset(row["stakes"]), frozenset(row["wards"]))
    return Asked(application_of(row), stakes, json.loads(row["body"]), row["changes_until"])
