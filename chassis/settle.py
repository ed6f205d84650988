"""Settles dead letters: runs them again, in place and in order, or lets them go. One key is one transaction.

What runs is the service's own code: its decoders, handlers and store. What is said leaves through its outbox.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import asyncpg
from cryptography.exceptions import InvalidTag
from pydantic import BaseModel, SecretStr, ValidationError

from chassis import delivery, letter_rows, outbox
from chassis.dead_letters import DeadLetter, KeptRecord, parked_keys
from chassis.decode import Decoder
from chassis.envelope import Event
from chassis.errors import is_unavailable
from chassis.facts import Errand, Fact, Forget, Later
from chassis.letter_rows import Done, Place, Warrant
from chassis.logs import rule_of
from chassis.postgres import Conn, Database
from chassis.sealing import Sealer
from chassis.service import Service, decoders, now
from chassis.work import Worker

Act = Literal["replay", "discard"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. A rehearsal does everything, tells how it went, and takes it back."""

    act: Act
    warrant: Warrant
    with_parked: bool = False
    rehearse: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one key, as ids of letters. Where one `failed`, by which rule, nothing of the key was changed.

    `waiting` are those that are still parked; `said` counts what was said, by type.
    """

    consumer: str
    topic: str
    key: str
    discarded: Sequence[int] = ()
    replayed: Sequence[int] = ()
    waiting: Sequence[int] = ()
    failed: int | None = None
    rule: str | None = None
    said: Mapping[str, int] = field(default_factory=dict)


class StillDead(Exception):
    """A letter that cannot be used this time either."""

    def __init__(self, letter: int, rule: str, field: str | None = None) -> None:
        super().__init__(letter, rule, field)
        self.letter = letter
        self.rule = rule
        self.field = field


def plan(rows: Sequence[tuple[int, str]], chosen: set[int], order: Order) -> tuple[list[int], list[int]]:
    """Which unsettled letters of a key, as (id, kind), are discarded, and which are then replayed, in order.

    A key is replayed as a whole, for what is parked waits for all before it. What is parked behind letters that
    are discarded is replayed, unless another dead one still stands before or among it.
    """
    parking = [letter for letter, kind in rows if kind != "unreadable"]
    picked = [letter for letter, _ in rows if letter in chosen]
    if order.act == "replay":
        waits_for = parking if picked and parking and max(picked) >= parking[0] else []
        return [], sorted({*picked, *waits_for})
    first = next((letter for letter in parking if letter in chosen), None)
    if first is None:
        return picked, []
    discarded = {*picked, *(letter for letter in parking if order.with_parked and letter > first)}
    left = [letter for letter in parking if letter not in discarded]
    is_free = all(kind == "parked" for letter, kind in rows if letter in left)
    return sorted(discarded), left if is_free else []


@dataclass(slots=True)
class Settler:
    """Settles the dead letters of one service.

    `decoders` read records, by consumer; `work` are the models of due work and results, by the name of their class.
    """

    worker: Worker
    decoders: Mapping[str, Decoder]
    work: Mapping[str, type[BaseModel]]

    async def run(self, order: Order, ids: Sequence[int]) -> list[Settled]:
        """Settles these letters, key by key; what was settled before is passed over."""
        async with self.worker.database.acquire() as conn:
            rows = await letter_rows.named(conn, ids)
        units = [await self._unit(order, place, chosen) for place, chosen in _units(rows)]
        return [unit for unit in units if unit]

    async def _unit(self, order: Order, place: Place, chosen: set[int]) -> Settled | None:
        at = self.worker.clock()
        try:
            async with self._transaction(order) as conn:
                return await self._settle(conn, order, place, chosen, at)
        except StillDead as why:
            if not order.rehearse:
                await self._fails_again(order, place, why, at)
            return Settled(*place, failed=why.letter, rule=why.rule)

    @asynccontextmanager
    async def _transaction(self, order: Order) -> AsyncIterator[Conn]:
        """Commits, but for a rehearsal."""
        async with self.worker.database.acquire() as conn:
            transaction = conn.transaction()
            await transaction.start()
            try:
                yield conn
            except BaseException:
                await transaction.rollback()
                raise
            await (transaction.rollback() if order.rehearse else transaction.commit())

    async def _settle(self, conn: Conn, order: Order, place: Place, chosen: set[int], at: datetime) -> Settled | None:
        rows = await letter_rows.held(conn, place, sorted(chosen))
        discarded, replayed = plan([(row["id"], row["kind"]) for row in rows], chosen, order)
        if not discarded and not replayed:
            return None
        act: tuple[tuple[Done, list[int]], ...] = (("discarded", discarded), ("replayed", replayed))
        for done, letters in act:
            if letters:
                await letter_rows.settle(conn, letters, done, at)
                await letter_rows.record(conn, order.warrant, done, place, letters, at)
        said = await self._again(conn, [row for row in rows if row["id"] in replayed], at)
        waiting = [row["id"] for row in rows if row["id"] not in {*discarded, *replayed}]
        return Settled(*place, discarded, replayed, waiting, said=dict(Counter(type(s.data).__name__ for s in said)))

    async def _again(self, conn: Conn, rows: Sequence[asyncpg.Record], at: datetime) -> list[Fact | Later | Errand]:
        """Raises StillDead where one of them fails."""
        letters: dict[int, int] = {}
        events: list[Event[Any]] = []
        answers: list[Fact] = []
        for row in rows:
            match self._read(row):
                case Fact() as answer:
                    answers.append(answer)
                case Event() as event if await self._is_ours(conn, row, event, at):
                    events.append(event)
                    letters[id(event)] = row["id"]
        try:
            outcome = await self.worker.again(conn, events, at) if events else None
            await outbox.append(conn, answers, f"/furthest/{self.worker.service}", at)
        except Exception as error:
            if is_unavailable(error):
                raise
            raise StillDead(rows[0]["id"], rule_of(error)) from error
        for event, cause in outcome.failed if outcome else ():
            raise StillDead(letters[id(event)], rule_of(cause)) from cause
        said = outcome.said if outcome else ()
        return [*answers, *(s for s in said if not isinstance(s, Forget))]

    async def _is_ours(self, conn: Conn, row: asyncpg.Record, event: Event[Any], at: datetime) -> bool:
        """False where its effect came by another copy: what could not be read was never claimed.

        Raises StillDead where it would overtake what is parked on its key.
        """
        if row["kind"] != "unreadable":
            return True
        if await parked_keys(conn, row["consumer"], [event]):
            raise StillDead(row["id"], "its-key-is-parked")
        return bool(await delivery.claim(conn, row["consumer"], [event], at))

    def _read(self, row: asyncpg.Record) -> Event[Any] | Fact:
        """The event of a letter, or the answer to a partner whose message is wrong after all."""
        if row["envelope"] is None:
            raise StillDead(row["id"], "kept-without-envelope")
        try:
            body, envelope = (self.worker.sealer.open(row[name]) for name in ("body", "envelope"))
        except InvalidTag:
            raise StillDead(row["id"], "sealed-with-another-key") from None
        outside = json.loads(envelope)
        result = self._record(row, outside, body) if "headers" in outside else self._work(row, outside, body)
        if isinstance(result, DeadLetter):
            raise StillDead(row["id"], result.rule, result.field)
        if result is None:
            raise StillDead(row["id"], "no-longer-read")
        return result

    def _record(self, row: asyncpg.Record, outside: Any, body: bytes) -> Event[Any] | Fact | DeadLetter | None:
        decoder = self.decoders.get(row["consumer"])
        if decoder is None:
            return None
        headers = tuple((name, None if value is None else bytes.fromhex(value)) for name, value in outside["headers"])
        key = None if outside["key"] is None else bytes.fromhex(outside["key"])
        place = row["topic"], row["partition"], row["record_offset"]
        return decoder.decode(KeptRecord(*place, outside["timestamp"], key, body, headers))

    def _work(self, row: asyncpg.Record, outside: Any, body: bytes) -> Event[Any] | None:
        model = self.work.get(row["type"])
        if model is None:
            return None
        try:
            data = model.model_validate_json(body)
        except ValidationError:
            raise StillDead(row["id"], "of-another-release") from None
        time, key = datetime.fromisoformat(outside["time"]), row["key"]
        return Event(row["event_id"], row["topic"], row["type"], time, key, key, data, outside["correlation"])

    async def _fails_again(self, order: Order, place: Place, why: StillDead, at: datetime) -> None:
        async with self.worker.database.acquire() as conn, conn.transaction():
            await letter_rows.fails_again(conn, why.letter, why.rule, why.field)
            await letter_rows.record(conn, order.warrant, "failed", place, [why.letter], at)


def settler(
    service: Service, database: Database, sealing_key: SecretStr, clock: Callable[[], datetime] = now
) -> Settler:
    sealer = Sealer(sealing_key)
    work = {model.__name__: model for model in (*service.due, *service.results)}
    return Settler(service.worker(database, sealer, clock), decoders(service, sealer), work)


def _units(rows: Sequence[asyncpg.Record]) -> list[tuple[Place, set[int]]]:
    """The letters of a key belong together where one of them parks it; else each stands for itself."""
    place = itemgetter("consumer", "topic", "key")
    units: list[tuple[Place, set[int]]] = []
    for where, group in groupby(sorted(rows, key=lambda row: (place(row), row["id"])), place):
        those = list(group)
        ids = [row["id"] for row in those]
        if any(row["kind"] != "unreadable" for row in those):
            units.append((where, set(ids)))
        else:
            units += [(where, {letter}) for letter in ids]
    return sorted(units, key=lambda unit: min(unit[1]))
