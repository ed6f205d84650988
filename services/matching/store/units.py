"""The SQL of units that places name by a serial."""

from collections.abc import Collection, Iterable
from uuid import UUID

from chassis.postgres import Conn
from services.matching.domain.fit import PlaceKey
from services.matching.domain.units import Serial, Stock, Unit
from services.matching.store.supply import pairs


class Units:
    """What is in stock by its serial, and what is out."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    async def load(
        self, places: Collection[PlaceKey], serials: Iterable[Serial] = (), offers: Collection[UUID] = ()
    ) -> Stock:
        """What is in stock at these places, wherever these serials are, and what is out by these offers."""
        partners, names = pairs(places)
        naming = await self.conn.fetch(
            """select partner, place_id from unnest($1::text[], $2::text[]) as named (partner, place_id)
               where exists (select from unit where (unit.partner, unit.place_id) = (named.partner, named.place_id))""",
            partners,
            names,
        )
        rows = await self.conn.fetch(
            """select unit.* from unit join unnest($1::text[], $2::text[]) as named (partner, place_id)
                   using (partner, place_id) where not is_out
               union select unit.* from unit join unnest($3::text[], $4::text[]) as named (partner, serial)
                   using (partner, serial)
               union select * from unit where offer_id = any($5::uuid[])""",
            partners,
            names,
            *pairs(serials),
            list(offers),
        )
        units = {
            (row["partner"], row["serial"]): Unit(
                PlaceKey(row["partner"], row["place_id"]), is_out=row["is_out"], offer_id=row["offer_id"]
            )
            for row in rows
        }
        return Stock(units, {PlaceKey(*row) for row in naming})

    async def save(self, stock: Stock) -> None:
        """Saves what changed. A place is saved before its units."""
        if removed := stock.removed:
            await self.conn.execute(
                """delete from unit using unnest($1::text[], $2::text[]) as gone (partner, serial)
                   where (unit.partner, unit.serial) = (gone.partner, gone.serial)""",
                *pairs(removed),
            )
        if changed := sorted(stock.changed.items(), key=lambda item: item[0]):
            await self.conn.execute(
                """insert into unit (partner, serial, place_id, is_out, offer_id)
                   select * from unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::uuid[])
                   on conflict (partner, serial) do update
                   set place_id = excluded.place_id, is_out = excluded.is_out, offer_id = excluded.offer_id""",
                [partner for (partner, _), _ in changed],
                [serial for (_, serial), _ in changed],
                [unit.place.place_id for _, unit in changed],
                [unit.is_out for _, unit in changed],
                [unit.offer_id for _, unit in changed],
            )

    async def forget(self, needs: Collection[UUID]) -> None:
        """Who has which unit, but for what was lent and is to come back."""
        await self.conn.execute(
            """update unit set offer_id = null from offer
               where unit.offer_id = offer.offer_id and offer.need_id = any($1::uuid[])
                 and offer.state not in ('lent', 'unwiped')""",
            list(needs),
        )
