"""Facts of one key that stand in one batch come to one row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.matching import GapClosed, GapRecorded
from contracts.referrals import NeedStatusChanged
from contracts.vocabulary import TERMINAL, NeedStatus

T = TypeVar("T")

WAITING: Final[frozenset[NeedStatus]] = frozenset({"requested", "on-hold", "offered"})


def latest(facts: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The last fact of each key, in the order of the keys, so that every writer locks rows in the same order."""
    last = {_order(key(fact)): fact for fact in facts}
    return [last[each] for each in sorted(last)]


def _order(key: Any) -> Any:
    """The same order as the key's own, and for UUIDs in a tenth of the time."""
    return key.int if isinstance(key, UUID) else key


@dataclass(frozen=True, slots=True)
class Moves:
    """What the moves of a need come to. `waiting_until` and `ended_at` are when it left the queue, and ended, for good
    as far as these moves go; `has_waited` and `was_open` tell that they are all there is to know of that."""

    last: NeedStatusChanged
    accepted_at: datetime | None
    waiting_until: datetime | None
    ended_at: datetime | None
    has_waited: bool
    was_open: bool


def moves(facts: Iterable[NeedStatusChanged]) -> list[Moves]:
    """One for each need, in the order of the needs."""
    of_need: dict[UUID, list[NeedStatusChanged]] = {}
    for fact in facts:
        of_need.setdefault(fact.need_id, []).append(fact)
    return [_moves(of_need[need]) for need in sorted(of_need, key=_order)]


def _moves(facts: Sequence[NeedStatusChanged]) -> Moves:
    return Moves(
        facts[-1],
        next((fact.at for fact in facts if fact.status == "accepted"), None),
        _since(facts, WAITING),
        _since(facts, frozenset(fact.status for fact in facts) - TERMINAL),
        any(fact.status in WAITING for fact in facts),
        any(fact.status not in TERMINAL for fact in facts),
    )


def _since(facts: Sequence[NeedStatusChanged], states: frozenset[NeedStatus]) -> datetime | None:
    """When the last time began in which the status was none of these."""
    since = None
    for fact in facts:
        if fact.status in states:
            since = None
        elif since is None:
            since = fact.at
    return since


@dataclass(frozen=True, slots=True)
class GapKnown:
    """What is known of a gap after several facts: one that is not closed is open."""

    fact: GapRecorded | GapClosed
    opened_at: datetime | None
    closed_at: datetime | None


def gaps(facts: Iterable[tuple[GapRecorded | GapClosed, datetime]]) -> list[GapKnown]:
    """One for each need, from facts and their times, in the order of the needs."""
    known: dict[UUID, GapKnown] = {}
    for fact, at in facts:
        before = known.get(fact.need_id)
        if isinstance(fact, GapClosed):
            known[fact.need_id] = GapKnown(fact, before.opened_at if before else None, at)
        else:
            still_open = before is not None and before.closed_at is None
            known[fact.need_id] = GapKnown(fact, before.opened_at if before and still_open else at, None)
    return [known[need] for need in sorted(known, key=_order)]
