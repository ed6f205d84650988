"""The SQL of past awards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from chassis.postgres import Conn
from services.grants.store.rows import many

AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class PastAward:
    """A grant that somebody made and published."""

    grant_id: str
    organisation_id: str
    organisation_original: str
    organisation_name: str
    register: str | None
    title: str
    amount_pence: int
    award_date: date
    geo_codes: Sequence[str]
    data: Mapping[str, Any]


async def add(conn: Conn, awards: Sequence[PastAward]) -> int:
    """Adds those whose id is new and returns their number."""
    return sum([await _add(conn, awards[n : n + AT_ONCE]) for n in range(0, len(awards), AT_ONCE)])


async def _add(conn: Conn, awards: Sequence[PastAward]) -> int:
    added = await conn.fetch(
        """insert into past_award (grant_id, organisation_id, organisation_original, organisation_name, register,
                                   title, amount_pence, award_date, geo_codes, data)
           select * from jsonb_to_recordset($1::jsonb) as new (
               grant_id text, organisation_id text, organisation_original text, organisation_name text, register text,
               title text, amount_pence bigint, award_date date, geo_codes text[], data jsonb)
           order by grant_id
           on conflict do nothing returning 1""",
        many(awards),
    )
    return len(added)
