"""All SQL of the service."""

from dataclasses import dataclass

from chassis.postgres import Conn
from services.referrals.store.changes import Changes
from services.referrals.store.contacting import Contacting
from services.referrals.store.duplicates import Duplicates
from services.referrals.store.partners import Partners
from services.referrals.store.people import People
from services.referrals.store.persons import Persons
from services.referrals.store.policies import Policies
from services.referrals.store.referrals import Referrals
from services.referrals.store.reviews import Reviews
from services.referrals.store.sims import Sims


@dataclass(frozen=True, slots=True)
class Store:
    """What handlers work on: one open transaction."""

    conn: Conn

    @property
    def referrals(self) -> Referrals:
        return Referrals(self.conn)

    @property
    def changes(self) -> Changes:
        return Changes(self.conn)

    @property
    def duplicates(self) -> Duplicates:
        return Duplicates(self.conn)

    @property
    def partners(self) -> Partners:
        return Partners(self.conn)

    @property
    def policies(self) -> Policies:
        return Policies(self.conn)

    @property
    def reviews(self) -> Reviews:
        return Reviews(self.conn)

    @property
    def sims(self) -> Sims:
        return Sims(self.conn)

    @property
    def contacting(self) -> Contacting:
        return Contacting(self.conn)

    @property
    def people(self) -> People:
        return People(self.conn)

    @property
    def persons(self) -> Persons:
        return Persons(self.conn)
