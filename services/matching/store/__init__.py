"""All SQL of matching, in four parts: supply, units with a serial, the queue, and offers."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.matching.store.offers import Offers
from services.matching.store.queue import Queue
from services.matching.store.supply import Supply
from services.matching.store.units import Units


class Store:
    """What handlers load and save, in the open transaction.

    `decided` is how many decisions of each kind had been made when it was locked.
    """

    def __init__(self, conn: Conn, offer_lasts: timedelta, confirmed: Collection[Kind] = ()) -> None:
        self.conn = conn
        self.supply = Supply(conn)
        self.units = Units(conn)
        self.queue = Queue(conn)
        self.offers = Offers(conn, offer_lasts, confirmed)
        self.decided: dict[Kind, int] = {}

    async def lock(self, kinds: Iterable[Kind]) -> None:
        """Locks these kinds until the commit, and all before the last of them.

        A transaction runs several handlers: so a later one never has to go back for a lock, and two
        transactions never wait for each other.
        """
        last = max(kinds, default=None)
        if last:
            rows = await self.conn.fetch(
                'select kind, decision from kind_lock where kind collate "C" <= $1 order by kind for no key update',
                last,
            )
            self.decided = {row["kind"]: row["decision"] for row in rows}
