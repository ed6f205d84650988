"""Needs as a batch moves them, with what follows: history, closing, word to the referrer and to matching."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Later, Said
from contracts.calendar import start_of
from contracts.vocabulary import TERMINAL
from services.referrals import events_out
from services.referrals.domain.lifecycle import TABLE, Asked, Need, apply, keeps_back
from services.referrals.store import Store
from services.referrals.store.referrals import Parent, Trace


class CheckDay(BaseModel):
    """Due work: what ends on this day, and what should have been done before it."""

    day: date


@dataclass(slots=True)
class Moves:
    """Needs as they are while a batch is applied, and what is to be saved and said."""

    parents: dict[UUID, Parent]
    needs: dict[UUID, Need]
    changed: dict[UUID, Need] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)
    closed: dict[UUID, datetime | None] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    amended: dict[UUID, Event[Any]] = field(default_factory=dict)
    """Referrals of which matching is to be told anew, and the last event that is why."""
    days: dict[date, Event[Any]] = field(default_factory=dict)
    """Days on which somebody must look, and because of what."""

    def of(self, referral_id: UUID) -> list[Need]:
        return [need for need in self.needs.values() if need.referral_id == referral_id]

    def add(self, event: Event[Any], needs: Iterable[Need]) -> None:
        """Needs that are saved already."""
        for need in needs:
            self.needs[need.id] = need
            self.days |= dict.fromkeys(days_of(need), event)

    def ask(self, event: Event[Any], need: Need, asked: Asked, at: datetime) -> bool:
        """Whether the need moved. What is too late, or illegal, stands in its history as superseded."""
        moved = apply(need, asked, at)
        fact = type(event.data).__name__
        self.traces.append(Trace(need.id, fact, TABLE[asked.request].after, asked.reason, moved is None))
        if moved is None:
            return False
        self._put(event, moved)
        self.said += events_out.progressed(event, self.parents[need.referral_id], moved, need.status, at)
        if moved.status not in TERMINAL and (moved.hold or need.hold):
            self.amended[need.referral_id] = event
        self._close_or_reopen(event, need, moved, at)
        return True

    def _put(self, event: Event[Any], need: Need) -> None:
        self.needs[need.id] = self.changed[need.id] = need
        self.days |= dict.fromkeys(days_of(need), event)

    def _close_or_reopen(self, event: Event[Any], before: Need, after: Need, at: datetime) -> None:
        if after.status not in TERMINAL and before.status in TERMINAL:
            self.closed[after.referral_id] = None
        elif after.status in TERMINAL and before.status not in TERMINAL and self._has_ended(after.referral_id):
            self.closed[after.referral_id] = at
            self.said.append(events_out.closed(event, after.referral_id, at))

    def _has_ended(self, referral_id: UUID) -> bool:
        return all(need.status in TERMINAL for need in self.of(referral_id))

    def stall(self, event: Event[Any], late: Need, taken_on: Need, at: datetime) -> None:
        self._put(event, taken_on)
        self.said += events_out.stalled(event, self.parents[late.referral_id], late, taken_on, at)

    def remind(self, event: Event[Any], need: Need, at: datetime) -> None:
        """Only the next action of a need has changed."""
        self._put(event, need)
        self.said.append(events_out.reminded(event, self.parents[need.referral_id], need, at))

    async def save(self, store: Store, at: datetime) -> list[Said]:
        await store.referrals.save(list(self.changed.values()), self.traces, self.closed, at)
        return [*self.said, *await tell_matching(self.amended, store), *await check_on(self.days, store)]


def days_of(need: Need) -> set[date]:
    """The days on which this need must be looked at again."""
    after = {need.next.on + timedelta(days=1)} if need.next else set()
    return after | ({need.hold_until} if need.hold_until else set())


async def load(referral_ids: Iterable[UUID], store: Store) -> Moves:
    return Moves(*await store.referrals.lock(list(referral_ids)))


async def what_keeps_back(needs: Sequence[Need], store: Store, today: date) -> dict[UUID, Asked]:
    """By need, what is to be asked of it when nobody holds it back otherwise."""
    limits = await store.changes.limits_of([need.referral_id for need in needs])
    unchecked = await store.changes.unchecked_visits([need.id for need in needs])
    return {
        need.id: keeps_back(
            limits[need.referral_id]["agreement_until"],
            limits[need.referral_id]["not_before"],
            today,
            unchecked_visit=need.id in unchecked,
        )
        for need in needs
    }


async def tell_matching(causes: dict[UUID, Event[Any]], store: Store) -> list[Said]:
    found = await store.changes.of_matching(list(causes)) if causes else {}
    return [events_out.amended(causes[each], rows) for each, rows in found.items() if rows]


async def check_on(days: Mapping[date, Event[Any]], store: Store) -> list[Said]:
    """Plans a look at each day, unless one is planned."""
    new = await store.changes.new_days(days) if days else []
    return [Later(start_of(day), CheckDay(day=day), str(day), days[day]) for day in sorted(new)]
