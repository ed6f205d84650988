"""All SQL of grants, in parts: rounds, applications, assessment, money, letters, and needs. Amounts are pence."""

from chassis.postgres import Conn
from services.grants.store.applications import Applications
from services.grants.store.assessment import Assessment
from services.grants.store.letters import Letters
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
        self.letters = Letters(conn)
        self.needs = Needs(conn)
