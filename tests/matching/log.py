"""What matching said, as whoever reads the log finds it."""

from collections.abc import Iterable, Sequence
from typing import Any

from chassis.envelope import headers_of
from services.matching.domain.replay import READS, Fact, Replay, replay
from tests.support import Stage

MODELS = {model.spec.type: model for model in READS}


def facts_in(rows: Iterable[Any]) -> list[Fact]:
    """The facts that a replay reads, among rows of `headers` and `value`."""
    told = [(dict(headers_of(row["headers"]))["ce_type"].decode(), row["value"]) for row in rows]
    return [MODELS[kind].model_validate_json(value) for kind, value in told if kind in MODELS]


async def facts_said(stage: Stage) -> list[Fact]:
    """In the order of their keys: Kafka keeps that of one key alone."""
    return facts_in(
        await stage.rows("select headers, value from outbox where topic = 'matching' order by key, position")
    )


async def must_replay(stage: Stage) -> dict[str, Replay]:
    """Every decision again, from the facts alone: the same matches, and the same queue as in the tables."""
    replays = replay(await facts_said(stage))
    rows = await stage.rows("select kind, decision, need_id, partner, place_id from offer order by kind, decision")
    for kind in ("device", "connectivity", "skills", "champion"):
        made = replays.get(kind, Replay())
        assert (made.unlike, made.holes, made.untold) == ([], [], 0)
        assert [(each.number, each.need_id, *each.place) for each in made.decisions] == [
            (row["decision"], row["need_id"], row["partner"], row["place_id"]) for row in rows if row["kind"] == kind
        ]
        assert made.queue == await _queue(stage, kind)
    return {str(kind): made for kind, made in replays.items()}


async def _queue(stage: Stage, kind: str) -> Sequence[object]:
    rows = await stage.rows(
        "select need_id from need where kind = $1 and state = 'waiting' order by lane, rank_key, need_id", kind
    )
    return [row["need_id"] for row in rows]
