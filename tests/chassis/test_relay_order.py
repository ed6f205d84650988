"""Positions are given out before transactions commit: what a relay has passed may still come."""

from collections.abc import Sequence

import pytest

from chassis.facts import Fact
from chassis.outbox import append
from chassis.postgres import Conn
from contracts.matching import GapClosed
from tests.chassis.conftest import Toy
from tests.support import NOON, eventually, fact_event, read_topic


async def say(conn: Conn, referral: str, kinds: Sequence[str]) -> None:
    for kind in kinds:
        told = GapClosed.model_validate({**GapClosed.example, "referral_id": referral, "kind": kind})
        await append(conn, [Fact(told, fact_event(told))], "/furthest/toy", NOON)


async def said_of(toy: Toy, referral: str) -> list[str]:
    """Its kinds, in the order of the log."""
    records = await read_topic(toy.servers.kafka, "matching", 6)
    mine = [GapClosed.model_validate_json(r.value).kind for r in records if r.key.decode() == referral]
    return list(dict.fromkeys(mine))


@pytest.mark.invariant(1)
async def test_what_commits_late_below_others_that_were_sent_is_sent_in_order(toy: Toy) -> None:
    slow, quick = (f"019aa0c4-0000-7000-8000-{toy.topic[-8:]}{n:04d}" for n in range(2))
    async with toy.running(), toy.database.acquire() as one, toy.database.acquire() as other:
        async with one.transaction():
            await say(one, slow, ["device", "skills"])
            async with other.transaction():
                await say(other, quick, ["device"])
            await eventually(lambda: said_of(toy, quick), bool)
            await say(one, slow, ["champion", "connectivity"])
        seen = await eventually(lambda: said_of(toy, slow), lambda kinds: len(kinds) == 4)
    assert seen == ["device", "skills", "champion", "connectivity"]
