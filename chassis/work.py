"""One batch is one transaction: move the offsets, claim, run the handlers in waves, keep what they say.

What arrives is a batch of events, from Kafka, from a request, or from the table of due work. What leaves is
committed rows: the state that handlers saved, the facts in the outbox, and a dead letter for each event
that failed unexpectedly, with its key parked behind it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from chassis import dead_letters, delivery, outbox, submissions
from chassis.dead_letters import DeadLetter
from chassis.delivery import Advance, Partition
from chassis.envelope import Event
from chassis.errors import Braked, Fenced, Stopped, is_unavailable
from chassis.facts import Errand, Fact, Forget, Handler, Later, Said
from chassis.failpoints import failpoint
from chassis.forget import forget, forgets, pass_over
from chassis.logs import logger, rule_of, where
from chassis.metrics import EVENTS
from chassis.postgres import Conn, Database
from chassis.sealing import Sealer

log = logger("work")

BRAKE_AFTER: Final = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought. `refused` are answers to messages that could not be read or prepared.

    Events that stand for rows of our own (`rows_of`) are claimed by deleting those.
    """

    consumer: str
    events: Sequence[Event[Any]]
    refused: Sequence[Fact] = ()
    unreadable: Sequence[DeadLetter] = ()
    advances: Mapping[Partition, Advance] = field(default_factory=dict)
    rows_of: delivery.Rows | None = None


@dataclass(slots=True)
class Outcome:
    """What running events came to: what was said, which failed with what error, and which wait behind those."""

    said: list[Said] = field(default_factory=list)
    failed: list[tuple[Event[Any], BaseException]] = field(default_factory=list)
    behind: list[Event[Any]] = field(default_factory=list)


def waves(events: Sequence[Event[Any]]) -> list[dict[str, list[Event[Any]]]]:
    """Cuts events into waves of {type: events}: within a lane, a change of type starts the next wave.

    So every lane keeps its order across types, and a handler gets as many events of a type as that allows.
    """
    cut: list[dict[str, list[Event[Any]]]] = []
    last: dict[str, tuple[int, str]] = {}
    for event in events:
        depth, kind = last.get(event.lane, (0, event.type))
        if kind != event.type:
            depth += 1
        last[event.lane] = depth, event.type
        if depth == len(cut):
            cut.append({})
        cut[depth].setdefault(event.type, []).append(event)
    return cut


def rounds(events: Sequence[Event[Any]]) -> list[list[Event[Any]]]:
    """Cuts events where a partner's submission id comes again: what it gets to hear depends on the first."""
    cut: list[list[Event[Any]]] = [[]]
    seen: set[tuple[str, str]] = set()
    for event in events:
        if event.partner and (event.partner, event.id) in seen:
            cut.append([])
            seen.clear()
        if event.partner:
            seen.add((event.partner, event.id))
        cut[-1].append(event)
    return cut


@dataclass(slots=True)
class Worker:
    """Runs batches of one service against its database."""

    service: str
    database: Database
    handlers: Mapping[str, Handler]
    store: Callable[[Conn], Any]
    sealer: Sealer
    clock: Callable[[], datetime]
    wake: Callable[[], None] = lambda: None
    failing: dict[str, int] = field(default_factory=dict)
    """How many keys in a row failed unexpectedly, by consumer, with nothing done in between."""

    async def run(self, batch: Batch) -> Outcome:
        """Takes a batch to its commit: as a whole, once more, then split until what fails stands alone.

        Raises Fenced, Stopped, Braked, and whatever `is_unavailable`; nothing was changed then.
        """
        try:
            outcome = await self._commit(batch, self._all)
        except (Fenced, Stopped):
            raise
        except Exception as error:
            if is_unavailable(error):
                raise
            log.warning("batch_retried", consumer=batch.consumer, error=type(error).__name__, at=where(error))
            outcome = await self._commit(batch, self._split)
        self.wake()
        return outcome

    async def request(self, event: Event[Any]) -> Outcome:
        """Takes one event that somebody waits for to its commit. Raises whatever goes wrong; nothing was changed."""
        outcome = await self._commit(Batch(event.source, [event]), self._all)
        self.wake()
        return outcome

    async def again(self, conn: Conn, events: Sequence[Event[Any]], at: datetime) -> Outcome:
        """Runs events that were claimed before, in the transaction of whoever settles them."""
        outcome = await self._split(conn, await pass_over(conn, events), at)
        await self._keep(conn, outcome.said, at)
        return outcome

    async def _commit(
        self, batch: Batch, run: Callable[[Conn, Sequence[Event[Any]], datetime], Awaitable[Outcome]]
    ) -> Outcome:
        at = self.clock()
        async with self.database.acquire() as conn, conn.transaction():
            await delivery.advance(conn, batch.consumer, batch.advances, at)
            fresh = await self._claim(conn, batch, at)
            parked = await dead_letters.parked_keys(conn, batch.consumer, fresh) if batch.advances else set()
            fresh = await pass_over(conn, fresh)
            ready = [event for event in fresh if not _waits(event, parked)] if parked else fresh
            outcome = await run(conn, ready, at) if ready else Outcome()
            failing = self._failing(batch.consumer, ready, outcome)
            outcome.behind += [event for event in fresh if _waits(event, parked)] if parked else []
            letters = self._letters(batch, outcome)
            await self._keep(conn, [*batch.refused, *outcome.said], at)
            await dead_letters.bury(conn, batch.consumer, letters, at)
        failpoint("after-database-commit")
        self.failing[batch.consumer] = failing
        self._count(batch, outcome)
        return outcome

    def _failing(self, consumer: str, ready: Sequence[Event[Any]], outcome: Outcome) -> int:
        """Raises Braked where so many keys in a row fail that it cannot be the keys."""
        if len(ready) > len(outcome.failed) + len(outcome.behind):
            return 0
        failing = self.failing.get(consumer, 0) + len({(event.topic, event.key) for event, _ in outcome.failed})
        if failing > BRAKE_AFTER:
            raise Braked(f"{consumer}: {failing} keys in a row failed") from outcome.failed[-1][1]
        return failing

    async def _claim(self, conn: Conn, batch: Batch, at: datetime) -> list[Event[Any]]:
        if batch.rows_of:
            taken = await delivery.take(conn, batch.rows_of, [event.id for event in batch.events])
            return [event for event in batch.events if event.id in taken]
        if batch.advances:
            return await delivery.claim(conn, batch.consumer, batch.events, at)
        return list(batch.events)

    async def _keep(self, conn: Conn, said: Sequence[Said], at: datetime) -> None:
        said = await forget(conn, said, at)
        facts = [s for s in said if isinstance(s, Fact) and not _told_in_person(s)]
        await outbox.append(conn, facts, f"/furthest/{self.service}", at)
        await outbox.schedule(conn, [s for s in said if isinstance(s, Later)])
        await outbox.enqueue(conn, [s for s in said if isinstance(s, Errand)])

    async def _all(self, conn: Conn, events: Sequence[Event[Any]], at: datetime) -> Outcome:
        said: list[Said] = []
        for each in rounds(events):
            said += await self._round(conn, each, at)
        return Outcome(said)

    async def _round(self, conn: Conn, events: Sequence[Event[Any]], at: datetime) -> list[Said]:
        submitted = [event for event in events if event.partner]
        again, new = await submissions.claimed(conn, self.sealer, submitted, at) if submitted else ([], set())
        said: list[Said] = []
        for wave in waves([event for event in events if not event.partner or id(event) in new]):
            for kind, those in wave.items():
                said += await self.handlers[kind](those, self.store(conn), at)
        await submissions.keep_answers(conn, said)
        return [*again, *said]

    async def _split(self, conn: Conn, events: Sequence[Event[Any]], at: datetime) -> Outcome:
        """Halves what fails, in savepoints, until one event stands alone; its key then fails with it."""
        try:
            async with conn.transaction():
                return await self._all(conn, events, at)
        except Exception as error:
            if is_unavailable(error):
                raise
            if len(events) == 1:
                return Outcome(failed=[(events[0], error)])
        half = len(events) // 2
        first = await self._split(conn, events[:half], at)
        dead = {(event.topic, event.key) for event, _ in first.failed}
        rest = [event for event in events[half:] if not _waits(event, dead)]
        behind = [event for event in events[half:] if _waits(event, dead)]
        second = await self._split(conn, rest, at) if rest else Outcome()
        return Outcome(
            [*first.said, *second.said],
            [*first.failed, *second.failed],
            [*first.behind, *behind, *second.behind],
        )

    def _letters(self, batch: Batch, outcome: Outcome) -> list[DeadLetter]:
        """What had no effect, but for what is forgotten anyway."""
        dead = [
            dead_letters.dead(self.sealer, event, "unexpected", rule_of(error), 2) for event, error in outcome.failed
        ]
        parked = [
            dead_letters.dead(self.sealer, event, "parked", "behind-a-dead-letter", 0) for event in outcome.behind
        ]
        gone = {s.key for s in outcome.said if isinstance(s, Forget)}
        return [letter for letter in (*batch.unreadable, *dead, *parked) if letter.key not in gone]

    def _count(self, batch: Batch, outcome: Outcome) -> None:
        for result, number in (
            ("done", len(batch.events) - len(outcome.failed) - len(outcome.behind)),
            ("refused", len(batch.refused)),
            ("unreadable", len(batch.unreadable)),
            ("unexpected", len(outcome.failed)),
            ("parked", len(outcome.behind)),
        ):
            if number:
                EVENTS.labels(consumer=batch.consumer, result=result).inc(number)
        for event, error in outcome.failed:
            log.error(
                "event_failed", consumer=batch.consumer, type=event.type, event_id=_safe_id(event), exc_info=error
            )


def _waits(event: Event[Any], parked: set[tuple[str, str]]) -> bool:
    """What ends a key does not wait for what is parked of it."""
    return (event.topic, event.key) in parked and not forgets(event)


def _told_in_person(fact: Fact) -> bool:
    """The answer to a request is its response; only a record is answered in the outbox."""
    return fact.is_answer and fact.cause.record is None


def _safe_id(event: Event[Any]) -> str:
    return event.correlation if event.partner else event.id
