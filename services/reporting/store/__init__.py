"""Everything that reporting keeps, in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chassis.postgres import Conn
from services.reporting.store.counts import Counts
from services.reporting.store.editions import Editions
from services.reporting.store.grants import Grants
from services.reporting.store.matching import Matching
from services.reporting.store.measures import Measures
from services.reporting.store.notifications import Notifications
from services.reporting.store.referrals import Referrals
from services.reporting.store.stock import Stock

HELD: Final = {
    table: f"select * from {table} where referral_id = any($1::text[]::uuid[])"  # noqa: S608 - our own tables
    for table in (
        "referral",
        "need",
        "offer",
        "support",
        "gap",
        "stall",
        "notification",
        "feedback",
        "loan",
        "escalation",
    )
}
"""What is kept of referrals ($1)."""


@dataclass(frozen=True, slots=True)
class Store:
    """The tables, by the service whose facts fill them, and what is counted and published of them."""

    conn: Conn
    publish_every: timedelta

    @property
    def referrals(self) -> Referrals:
        return Referrals(self.conn)

    @property
    def matching(self) -> Matching:
        return Matching(self.conn)

    @property
    def stock(self) -> Stock:
        return Stock(self.conn)

    @property
    def notifications(self) -> Notifications:
        return Notifications(self.conn)

    @property
    def grants(self) -> Grants:
        return Grants(self.conn)

    @property
    def measures(self) -> Measures:
        return Measures(self.conn)

    @property
    def editions(self) -> Editions:
        return Editions(self.conn)

    @property
    def counts(self) -> Counts:
        return Counts(self.conn)
