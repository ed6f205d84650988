"""Who may be the same person as whom, and what staff found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from chassis.postgres import Conn

MANY = 5
"""Whoever shares a token with more than these is not told from a whole household."""


class Pair(NamedTuple):
    """Two referrals that may be of one person, the newer first, and what they have in common."""

    referral_id: UUID
    other_id: UUID
    in_common: list[str]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """SQL of duplicates, in the transaction of a batch."""

    conn: Conn

    async def replace_tokens(self, tokens: Mapping[UUID, Collection[bytes]]) -> None:
        await self.conn.execute("delete from person_token where person_ref = any($1::uuid[])", list(tokens))
        await self.add_tokens(tokens)

    async def add_tokens(self, tokens: Mapping[UUID, Collection[bytes]]) -> None:
        rows = [(token, ref) for ref, those in tokens.items() for token in sorted(set(those))]
        await self.conn.execute(
            """insert into person_token (token, person_ref) select * from unnest($1::bytea[], $2::uuid[])
               on conflict do nothing""",
            [token for token, _ in rows],
            [ref for _, ref in rows],
        )

    async def alike(self, tokens: Collection[bytes]) -> dict[bytes, list[UUID]]:
        """The persons that have each token, at most MANY."""
        rows = await self.conn.fetch(
            """select wanted.token, found.person_ref from unnest($1::bytea[]) as wanted (token) cross join lateral (
                   select person_ref from person_token t where t.token = wanted.token limit $2
               ) found""",
            list(set(tokens)),
            MANY,
        )
        found: dict[bytes, list[UUID]] = {}
        for row in rows:
            found.setdefault(row["token"], []).append(row["person_ref"])
        return found

    async def persons(self, refs: Collection[UUID]) -> list[asyncpg.Record]:
        """Sealed, each with a referral and the kinds of its open needs."""
        return await self.conn.fetch(
            """select p.person_ref, p.wrapped_key, p.sealed, r.id as referral_id,
                      array(select kind from need n where n.referral_id = r.id and n.status in
                            ('requested', 'on-hold', 'offered', 'accepted', 'in-progress')) as open_kinds
               from person p join referral r using (person_ref) where p.person_ref = any($1::uuid[])""",
            list(refs),
        )

    async def note(self, found: Sequence[Pair], at: datetime) -> None:
        """Once, whichever of the two is named first."""
        await self.conn.executemany(
            """insert into possible_duplicate (referral_id, other_id, in_common, found_at)
               select $1, $2, $3, $4
               where not exists (select from possible_duplicate where (referral_id, other_id) = ($2, $1))
               on conflict do nothing""",
            [(pair.referral_id, pair.other_id, pair.in_common, at) for pair in found],
        )

    async def unsettled(self) -> list[asyncpg.Record]:
        """For staff, the oldest first: ids, partners and what is in common, and nothing of the persons."""
        return await self.conn.fetch(
            """select d.referral_id, d.other_id, r.partner, o.partner as other_partner, d.in_common, d.found_at
               from possible_duplicate d join referral r on r.id = d.referral_id join referral o on o.id = d.other_id
               where d.settled_at is null order by d.found_at, d.referral_id limit 500"""
        )

    async def settle(self, referral_id: UUID, other_id: UUID, found: str, by: str, at: datetime) -> bool:
        """False where there is no such pair that waits."""
        done = await self.conn.execute(
            """update possible_duplicate set settled = $3, settled_by = $4, settled_at = $5
               where referral_id = $1 and other_id = $2 and settled_at is null""",
            referral_id,
            other_id,
            found,
            by,
            at,
        )
        return str(done) == "UPDATE 1"

    async def still_checked(self, referral_id: UUID) -> bool:
        """Whether this referral may be of somebody else's person, as far as staff have not settled it."""
        return bool(
            await self.conn.fetchval(
                """select exists (select from possible_duplicate where settled_at is null and referral_id = $1)""",
                referral_id,
            )
        )

    async def not_settled_with(self, referral_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
        """By referral, those of which nobody has settled yet whether they are of the same person."""
        rows = await self.conn.fetch(
            """select referral_id, other_id from possible_duplicate
               where settled_at is null and (referral_id = any($1::uuid[]) or other_id = any($1::uuid[]))""",
            list(referral_ids),
        )
        found: dict[UUID, list[UUID]] = {}
        for row in rows:
            found.setdefault(row["referral_id"], []).append(row["other_id"])
            found.setdefault(row["other_id"], []).append(row["referral_id"])
        return found

    async def forget(self, referral_ids: Collection[UUID]) -> None:
        await self.conn.execute(
            "delete from possible_duplicate where referral_id = any($1::uuid[]) or other_id = any($1::uuid[])",
            list(referral_ids),
        )
