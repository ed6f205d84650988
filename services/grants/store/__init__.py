"""All SQL of grants, in parts: rounds, applications, assessment, money, and needs. Amounts are pence."""

from chassis.postgres import Conn
from services.grants.store.applications import Applications
from services.grants.store.assessment import Assessment
from services.grants.store.money import Money
from services.grants.store.needs import Needs
from services.grants.store.rounds import Rounds


class Store:
    """What handlers load and save, in their transaction."""

    def __init__(self, conn: Conn) -> None:
        self.rounds = Rounds(conn)
        self.applications = Applications(conn)
        self.assessment = Assessment(conn)
        self.money = Money(conn)
        self.needs = Needs(conn)
