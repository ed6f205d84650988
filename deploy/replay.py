"""Matching's decisions made again from its facts in the log, and compared with what matching has."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final, NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from deploy.errors import DeployError
from deploy.kafka.log import Log
from deploy.site import Site
from services.matching.domain.fit import PlaceKey
from services.matching.domain.replay import READS, Decision, Fact, Replay, replay
from services.matching.handlers.comparison import Kept, kept

TRIES: Final = 10
LOOK_EVERY: Final = 1.0
TOPIC: Final = READS[0].spec.topic
MODELS: Final = {model.spec.type.encode(): model for model in READS}

Tell = Callable[[str], None]


class Told(NamedTuple):
    """A decision as the log tells it, and as the tables have it, where they do."""

    decision: Decision
    in_tables: tuple[UUID, PlaceKey] | None

    @property
    def is_same(self) -> bool:
        return self.decision.place == self.decision.again and self.in_tables == self.decision.match


class Apart(NamedTuple):
    """The first place in the queue where the log and the tables have somebody else, or one of them nobody."""

    position: int
    in_log: UUID | None
    in_tables: UUID | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind. `otherwise` are decisions whose match is another in the log, by the rules, or in the tables.

    `not_in_log` are decisions that no fact tells.

    `queue_is_same` is none where the time asked for is past: the tables only know who waits now.
    """

    kind: Kind
    made: Replay
    otherwise: Sequence[Told]
    not_in_log: Sequence[int]
    queue_is_same: bool | None
    queue_apart: Apart | None

    @property
    def is_same(self) -> bool:
        return not (self.otherwise or self.not_in_log or self.queue_is_same is False)

    def document(self) -> dict[str, Any]:
        return {
            "decisions": [_match(decision) for decision in self.made.decisions],
            "otherwise": [each.decision.number for each in self.otherwise],
            "not_in_the_log": self.not_in_log,
            "said_without_their_reasons": self.made.untold,
            "queue": self.made.queue,
            "queue_is_same": self.queue_is_same,
            "queue_apart": self.queue_apart and self.queue_apart._asdict(),
        }


def _match(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.number,
        "need_id": decision.need_id,
        "provider": decision.place.partner,
        "place_id": decision.place.place_id,
        "waited": decision.waited,
        "before": decision.before,
    }


async def compare(site: Site, kinds: Sequence[Kind], at: datetime | None, tell: Tell) -> list[Compared]:
    """At a time, or now. Raises DeployError where matching never stands still while the log is read."""
    for _ in range(TRIES):
        if (before := await _kept(site, kinds)) is not None:
            made = replay(await asyncio.to_thread(lambda: list(_facts(site, at, tell))))
            if at or before == await _kept(site, kinds):
                return [_compared(kind, made.get(kind, Replay()), before[kind], at) for kind in kinds]
        tell("matching is at work: once more")
        await asyncio.sleep(LOOK_EVERY)
    raise DeployError("Matching does not stand still. Ask for a time that is past, with --at.")


async def _kept(site: Site, kinds: Sequence[Kind]) -> dict[Kind, Kept] | None:
    async with site.connected("matching") as conn:
        return await kept(conn, kinds)


def _compared(kind: Kind, made: Replay, has: Kept, at: datetime | None) -> Compared:
    pairs = [Told(decision, has.matches.get(decision.number)) for decision in made.decisions]
    unlike = [each for each in pairs if not each.is_same]
    told = {decision.number for decision in made.decisions}
    untold = [] if at or made.untold else sorted(set(has.matches) - told - set(made.holes))
    apart = None if at else _apart(made.queue, has.queue)
    return Compared(kind, made, unlike, [*made.holes, *untold], None if at else apart is None, apart)


def _apart(in_log: Sequence[UUID], in_tables: Sequence[UUID]) -> Apart | None:
    both = zip_longest(in_log, in_tables)
    return next((Apart(nth, *pair) for nth, pair in enumerate(both, 1) if pair[0] != pair[1]), None)


def _facts(site: Site, at: datetime | None, tell: Tell) -> Iterator[Fact]:
    """Each once: a relay may say twice, with one id."""
    seen: set[UUID] = set()
    for number, record in enumerate(Log(site.kafka).read(TOPIC), 1):
        headers: Mapping[str, bytes] = dict(record.headers() or ())
        model = MODELS.get(headers.get("ce_type", b""))
        if number % 100_000 == 0:
            tell(f"{number:,} records of the log")
        if model is None or (identity := UUID(headers["ce_id"].decode())) in seen:
            continue
        seen.add(identity)
        if at is None or datetime.fromisoformat(headers["ce_time"].decode()) <= at:
            yield model.model_validate_json(record.value(), extra="ignore")
