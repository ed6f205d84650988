"""What matching has, for those who recompute it from the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.postgres import Conn
from contracts.vocabulary import Kind
from services.matching.domain.fit import PlaceKey
from services.matching.store import views


@dataclass(frozen=True, slots=True)
class Kept:
    """Of a kind: who waits, in order, and who was given which place, by the number of the decision."""

    queue: list[UUID] = field(default_factory=list)
    matches: dict[int, tuple[UUID, PlaceKey]] = field(default_factory=dict)


async def kept(conn: Conn, kinds: Sequence[Kind]) -> dict[Kind, Kept] | None:
    """As of one moment; none while facts wait to be sent, for then the log lacks them."""
    found = {kind: Kept() for kind in kinds}
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        if await views.unsent(conn):
            return None
        for row in await views.waiting(conn, kinds):
            found[row["kind"]].queue.append(row["need_id"])
        for row in await views.decisions(conn, kinds):
            match = row["need_id"], PlaceKey(row["partner"], row["place_id"])
            found[row["kind"]].matches[row["decision"]] = match
    return found
