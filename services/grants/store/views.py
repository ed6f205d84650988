"""What the API shows of grants: rows as they are read, for nobody to change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.disclosure import published
from chassis.postgres import Conn

MOST_APPLICATIONS: Final = 5000

_APPLICATION: Final = """
    select application_id, round_id, organisation_id, organisation_original, organisation_name,
           register as on_register, title, amount_pence, kinds, wards, status, points, gap_points, gap_weight,
           needs_moderation, awarded_pence, reserved_pence, paid_pence, decline_reason, decided_under, advice,
           changes_until, submitted_at, decided_at, body
    from application """

_SHOWN: Final = "select cells from gap_of_day where day = $1"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RoundRows:
    """A round, and its applications in the order in which they came."""

    round: Row
    applications: Sequence[Row]


async def application(conn: Conn, application_id: UUID) -> Row | None:
    row = await conn.fetchrow(f"{_APPLICATION} where application_id = $1", application_id)
    return _opened(row) if row else None


async def attached(conn: Conn, application_id: UUID) -> list[Row]:
    """What is attached, without its content."""
    return await _all(
        conn,
        """select name, media_type, octet_length(content) as bytes, at from attachment
           where application_id = $1 order by name""",
        application_id,
    )


async def attachment(conn: Conn, application_id: UUID, name: str) -> Row | None:
    row = await conn.fetchrow(
        "select media_type, content from attachment where application_id = $1 and name = $2", application_id, name
    )
    return dict(row) if row else None


async def assigned_to(conn: Conn, assessor: str, application_id: UUID | None = None) -> list[Row]:
    """What an assessor has to judge, with whether they did."""
    return await _all(
        conn,
        """select a.application_id, p.round_id, p.title, p.organisation_name, p.amount_pence,
                  exists (select from score s where (s.application_id, s.assessor) = (a.application_id, a.assessor))
                      as is_scored
           from assignment a join application p using (application_id)
           where a.assessor = $1 and ($2::uuid is null or a.application_id = $2) order by a.at, a.application_id""",
        assessor,
        application_id,
    )


async def scores(conn: Conn, *, round_id: str | None = None, application_id: UUID | None = None) -> list[Row]:
    """Every assignment with its score, where there is one, side by side."""
    rows = await conn.fetch(
        """select g.application_id, a.organisation_name, g.assessor, s.scores, s.points, s.comment, s.at
           from assignment g join application a using (application_id)
           left join score s using (application_id, assessor)
           where ($1::text is null or a.round_id = $1) and ($2::uuid is null or a.application_id = $2)
           order by g.application_id, g.assessor""",
        round_id,
        application_id,
    )
    return [{**row, "scores": json.loads(row["scores"]) if row["scores"] else None} for row in rows]


async def history(conn: Conn, *, round_id: str | None = None, application_id: UUID | None = None) -> list[Row]:
    """Every decision, the oldest first."""
    rows = await conn.fetch(
        """select at, by, what, round_id, application_id, why, details from history
           where ($1::text is null or round_id = $1) and ($2::uuid is null or application_id = $2)
           order by id limit 20000""",
        round_id,
        application_id,
    )
    return [{**row, "details": json.loads(row["details"])} for row in rows]


async def money(conn: Conn, application_id: UUID) -> dict[str, list[Row]]:
    """The schedule of an award, what was paid, and which reports are due."""
    return {
        "schedule": await _all(
            conn,
            "select nth, due_on, pence, evidence, paid_pence from instalment where application_id = $1 order by nth",
            application_id,
        ),
        "payments": await _all(
            conn,
            "select nth, pence, evidence, by, at from payment where application_id = $1 order by id",
            application_id,
        ),
        "reports": await _all(
            conn,
            """select due_on, reported_at, spent_pence, people_helped, account from report
               where application_id = $1 order by due_on""",
            application_id,
        ),
    }


async def rounds(conn: Conn) -> list[Row]:
    return [
        _opened(row)
        for row in await conn.fetch(
            """select r.*, f.name as fund_name,
                   (select count(*) from application a where a.round_id = r.round_id) as applications
               from round r join fund f using (fund_id) order by r.closes_at desc, r.round_id limit 1000"""
        )
    ]


async def round_rows(conn: Conn, round_id: str) -> RoundRows | None:
    """All as of one moment, so that the amounts add up."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await conn.fetchrow("select * from round where round_id = $1", round_id)
        if found is None:
            return None
        applications = await conn.fetch(
            f"{_APPLICATION} where round_id = $1 order by submitted_at, application_id limit $2",
            round_id,
            MOST_APPLICATIONS,
        )
        return RoundRows(_opened(found), [_opened(row) for row in applications])


async def gaps(conn: Conn, day: date) -> list[Row]:
    """How many needs of a kind and area no place can meet, as it is published on this day, the same until its end."""
    if not (shown := await conn.fetchval(_SHOWN, day)):
        counted = await conn.fetch(
            "select kind, area, count(*)::int as people from open_gap where is_open group by 1, 2 order by 1, 2"
        )
        cells = [{**row, "people": published(row["people"])} for row in counted]
        await conn.execute("delete from gap_of_day where day < $1", day)
        await conn.execute("insert into gap_of_day values ($1, $2) on conflict do nothing", day, json.dumps(cells))
        shown = await conn.fetchval(_SHOWN, day)
    found: list[Row] = json.loads(shown)
    return found


async def ledger(conn: Conn, round_id: str) -> list[Row]:
    """Which grant opened which places, and how many gaps closed by that, by kind and area."""
    return await _all(
        conn,
        """select o.application_id, a.organisation_name, a.awarded_pence, o.partner, o.place_id, o.kind,
                  max(o.capacity) as capacity, min(o.at) as opened_at, g.area, count(g.need_id)::int as people
           from funded_opening o join application a using (application_id)
           left join open_gap g on g.closed_by = o.correlation and g.kind = o.kind and not g.is_open
           where a.round_id = $1
           group by o.application_id, a.organisation_name, a.awarded_pence, o.partner, o.place_id, o.kind, g.area
           order by o.application_id, o.place_id, g.area""",
        round_id,
    )


async def awards(conn: Conn, round_id: str | None) -> list[Row]:
    """What is published of awards."""
    return await _all(
        conn,
        """select a.application_id, a.title, a.amount_pence, a.awarded_pence, a.paid_pence, a.decided_at, a.kinds,
                  a.organisation_id, a.organisation_name, a.register, a.round_id, f.name as fund_name, f.funder_id,
                  f.funder_name,
                  array(select w || '|' || coalesce(r.name, w) from unnest(a.wards) w left join area r on r.code = w)
                      as wards
           from application a join round using (round_id) join fund f using (fund_id)
           where a.status = 'awarded' and ($1::text is null or a.round_id = $1)
           order by a.decided_at, a.application_id""",
        round_id,
    )


async def past_awards(conn: Conn, organisation_id: str) -> list[Row]:
    return await _all(
        conn,
        """select title, amount_pence, award_date, data -> 'funder' ->> 'name' as funder from past_award
           where organisation_id = $1 order by award_date desc limit 100""",
        organisation_id,
    )


async def draft(conn: Conn, application_id: UUID) -> Row | None:
    row = await conn.fetchrow("select * from draft where application_id = $1", application_id)
    return _opened(row) if row else None


async def applications(conn: Conn, organisation_id: str | None, ends_with: str) -> list[Row]:
    """Those whose id ends so, the newest first: an organisation's own, drafts too, or everybody's."""
    return await _all(
        conn,
        """select application_id, round_id, title, status, submitted_at from application
           where ($1::text is null or organisation_id = $1) and right(application_id::text, length($2)) = $2
           union all
           select application_id, round_id, body ->> 'title', 'draft', null from draft
           where organisation_id = $1 and right(application_id::text, length($2)) = $2 and application_id not in (
               select application_id from application where organisation_id = $1)
           order by submitted_at desc nulls first limit 500""",
        organisation_id,
        ends_with,
    )


async def _all(conn: Conn, sql: str, *args: object) -> list[Row]:
    return [dict(row) for row in await conn.fetch(sql, *args)]


def _opened(row: asyncpg.Record) -> Row:
    """JSON columns as what they hold."""
    opened = dict(row)
    for name in ("rules", "gap_weight", "body"):
        if isinstance(opened.get(name), str):
            opened[name] = json.loads(opened[name])
    return opened
