"""The SQL of providers and places."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from chassis.envelope import Event
from chassis.ids import uuid7
from chassis.postgres import Conn
from contracts.stock import DirectHelpReported
from contracts.vocabulary import Kind
from services.matching.domain.champions import MARK
from services.matching.domain.fit import Lending, Place, PlaceKey, Terms
from services.matching.domain.offers import Units

ProviderKey = tuple[str, str]


def pairs(keys: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Keys as two arrays, sorted, as `unnest` takes them."""
    known = sorted(set(keys))
    return [partner for partner, _ in known], [name for _, name in known]


def terms_of(row: Mapping[str, Any] | asyncpg.Record) -> Terms:
    return Terms(
        kind=row["kind"],
        wards=frozenset(row["wards"]),
        languages=frozenset(row["languages"]),
        formats=frozenset(row["formats"]),
        requirements=frozenset(row["requirements"]),
        open_to=frozenset(row["open_to"]),
        scheme=row["scheme"],
        days=frozenset(row.get("days") or ()),
    )


def place_of(row: asyncpg.Record) -> Place:
    return Place(
        key=PlaceKey(row["partner"], row["place_id"]),
        provider_id=row["provider_id"],
        terms=terms_of(row),
        wanted=row["wanted"],
        capacity=row["capacity"],
        held=row["held"],
        taken=row["taken"],
        state=row["state"],
        opens_on=row["opens_on"],
        closes_on=row["closes_on"],
        funded_by=row["funded_by"],
        lending=Lending(row["loan_days"], row["lasts_months"], row["reopen_days"]),
    )


def columns_of(terms: Terms) -> dict[str, Any]:
    return {
        "kind": terms.kind,
        "wards": sorted(terms.wards),
        "languages": sorted(terms.languages),
        "formats": sorted(terms.formats),
        "requirements": sorted(terms.requirements),
        "open_to": sorted(terms.open_to),
        "scheme": terms.scheme,
        "days": sorted(terms.days),
    }


def _row_of(place: Place) -> dict[str, Any]:
    return {
        **columns_of(place.terms),
        "partner": place.key.partner,
        "place_id": place.key.place_id,
        "provider_id": place.provider_id,
        "wanted": place.wanted,
        "capacity": place.capacity,
        "state": place.state,
        "opens_on": place.opens_on,
        "closes_on": place.closes_on,
        "funded_by": place.funded_by,
        **place.lending._asdict(),
    }


class Counted(NamedTuple):
    """A place after its units were counted: whether its capacity fell, and how many units had been free."""

    place: Place
    fell: bool
    was_free: int


class DirectHelp(NamedTuple):
    """Units of a place that were given to people who were not referred."""

    direct_help_id: UUID
    partner: str
    place_id: str
    kind: Kind
    units: int
    ward: str | None
    given_on: date

    @classmethod
    def of(cls, event: Event[DirectHelpReported]) -> "DirectHelp":
        told, identity = event.data, uuid7(event.time, event.source, event.id, "direct-help")
        partner = event.partner or ""
        return cls(identity, partner, told.place_id, told.kind, told.count, told.ward, told.given_on)


class Supply:
    """Who helps, and with what."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    async def save_providers(self, providers: Mapping[ProviderKey, tuple[str, Sequence[str]]]) -> None:
        """Saves providers as {key: (name, languages)}."""
        rows = [
            {"partner": partner, "provider_id": provider_id, "name": name, "languages": list(languages)}
            for (partner, provider_id), (name, languages) in sorted(providers.items())
        ]
        await self.conn.execute(
            """insert into provider (partner, provider_id, name, languages)
               select partner, provider_id, name, languages
               from json_to_recordset($1::json) as new (partner text, provider_id text, name text, languages text[])
               on conflict (partner, provider_id) do update set name = excluded.name, languages = excluded.languages""",
            json.dumps(rows),
        )

    async def known_providers(self, keys: Iterable[ProviderKey]) -> set[ProviderKey]:
        rows = await self.conn.fetch(
            """select partner, provider_id from provider
               join unnest($1::text[], $2::text[]) as wanted (partner, provider_id) using (partner, provider_id)""",
            *pairs(keys),
        )
        return {(row["partner"], row["provider_id"]) for row in rows}

    async def places(self, keys: Iterable[PlaceKey]) -> dict[PlaceKey, Place]:
        rows = await self.conn.fetch(
            """select place.* from place
               join unnest($1::text[], $2::text[]) as wanted (partner, place_id) using (partner, place_id)""",
            *pairs(keys),
        )
        return {place.key: place for place in map(place_of, rows)}

    async def champions(self, providers: Iterable[ProviderKey]) -> dict[PlaceKey, Place]:
        """The champions of these providers, also those who left."""
        rows = await self.conn.fetch(
            """select place.* from place
               join unnest($1::text[], $2::text[]) as named (partner, provider_id) using (partner, provider_id)
               where kind = 'champion' and position($3 in place_id) > 0""",
            *pairs(providers),
            MARK,
        )
        return {place.key: place for place in map(place_of, rows)}

    async def kinds_of(self, keys: Iterable[PlaceKey]) -> set[Kind]:
        return {place.terms.kind for place in (await self.places(keys)).values()}

    async def free_places(self, kinds: Collection[Kind]) -> list[Place]:
        rows = await self.conn.fetch(
            "select * from place where kind = any($1::text[]) and state = 'open' and capacity > held + taken",
            sorted(kinds),
        )
        return [place_of(row) for row in rows]

    async def terms(self, kinds: Collection[Kind]) -> list[Terms]:
        """The different terms on which places give help, now or later, full or not."""
        rows = await self.conn.fetch(
            """select distinct kind, wards, languages, formats, requirements, open_to, scheme, days
               from place where kind = any($1::text[]) and state <> 'closed' and wanted > 0""",
            sorted(kinds),
        )
        return [terms_of(row) for row in rows]

    async def save_places(self, places: Iterable[Place]) -> None:
        """Saves what providers say of places. What is held and taken is counted by `count` and by new offers."""
        rows = [_row_of(place) for place in sorted(places, key=lambda place: place.key)]
        await self.conn.execute(
            """insert into place (partner, place_id, provider_id, kind, wanted, capacity, state, wards, languages,
                                  formats, requirements, open_to, scheme, opens_on, closes_on, funded_by,
                                  loan_days, lasts_months, reopen_days, days)
               select partner, place_id, provider_id, kind, wanted, capacity, state, wards, languages,
                      formats, requirements, open_to, scheme, opens_on, closes_on, funded_by,
                      loan_days, lasts_months, reopen_days, days
               from json_populate_recordset(null::place, $1::json)
               on conflict (partner, place_id) do update
               set provider_id = excluded.provider_id, wanted = excluded.wanted, capacity = excluded.capacity,
                   state = excluded.state, wards = excluded.wards, languages = excluded.languages,
                   formats = excluded.formats, requirements = excluded.requirements, open_to = excluded.open_to,
                   scheme = excluded.scheme, opens_on = excluded.opens_on, closes_on = excluded.closes_on,
                   funded_by = excluded.funded_by, loan_days = excluded.loan_days,
                   lasts_months = excluded.lasts_months, reopen_days = excluded.reopen_days,
                   days = excluded.days""",
            json.dumps(rows, default=str),
        )

    async def drop_planned(self, grants: Sequence[str]) -> None:
        """Places that these grants pay for and that no provider has described."""
        await self.conn.execute(
            "delete from place where funded_by = any($1::text[]) and state = 'planned' and opens_on is null", grants
        )

    async def shrink(self, faulty: Mapping[PlaceKey, int]) -> None:
        """Units that came back and cannot be given again: so many less are wanted. To be counted after that."""
        keys = sorted(faulty)
        await self.conn.execute(
            """update place set wanted = greatest(0, wanted - units)
               from unnest($1::text[], $2::text[], $3::bigint[]) as by (partner, place_id, units)
               where place.partner = by.partner and place.place_id = by.place_id""",
            [key.partner for key in keys],
            [key.place_id for key in keys],
            [faulty[key] for key in keys],
        )

    async def count(self, changes: Mapping[PlaceKey, Units]) -> list[Counted]:
        """Counts units held and taken. The capacity falls with them, nearer to what is wanted."""
        keys = sorted(changes)
        rows = await self.conn.fetch(
            """update place set held = place.held + by.held, taken = place.taken + by.taken,
                   capacity = greatest(place.wanted, place.held + by.held + place.taken + by.taken)
               from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as by (partner, place_id, held, taken)
               where place.partner = by.partner and place.place_id = by.place_id
               returning place.*, old.capacity > new.capacity as fell,
                   old.capacity - old.held - old.taken as was_free""",
            [key.partner for key in keys],
            [key.place_id for key in keys],
            [changes[key].held for key in keys],
            [changes[key].taken for key in keys],
        )
        return [Counted(place_of(row), fell=row["fell"], was_free=row["was_free"]) for row in rows]

    async def save_direct_help(self, given: Sequence[DirectHelp], at: datetime) -> None:
        if given:
            await self.conn.execute(
                """insert into direct_help (direct_help_id, partner, place_id, kind, count, ward, given_on, recorded_at)
                   select *, $8 from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                                            $7::date[])""",
                *map(list, zip(*given, strict=True)),
                at,
            )
