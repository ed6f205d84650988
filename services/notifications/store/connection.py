"""What the two halves of the store share."""

from dataclasses import dataclass

from chassis.postgres import Conn


@dataclass(frozen=True, slots=True)
class OnConnection:
    conn: Conn
