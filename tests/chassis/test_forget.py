"""What ends a key ends it: nothing of it is left, and nothing that comes of it later brings it back."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chassis.envelope import Event
from chassis.facts import Errand, Fact, Forget, Later, Said
from chassis.forget import forget
from chassis.work import Batch
from contracts.matching import GapClosed
from contracts.message import Message
from contracts.referrals import PersonErased
from tests.chassis.letters import ERASED, Ending, Line, Reminder, closed
from tests.support import NOON, eventually, fact_event

KEPT = ("due", "errand", "outbox", "said", "dead_letter")


def erased(key: UUID) -> PersonErased:
    return PersonErased(referral_id=key)


async def rows(line: Line) -> list[str]:
    """The tables that have rows, a name for each row."""
    return [table for table in KEPT for _ in await line.database.fetch(f"select from {table}")]


async def test_what_is_heard_later_has_no_effect_and_others_go_on(line: Line) -> None:
    key, other = uuid4(), uuid4()
    await line.poll(closed(key, 1))
    await line.poll(erased(key))
    await line.poll(closed(key, 2), closed(other, 1))
    assert await line.effects() == [(str(other), 1)]
    assert await rows(line) == ["outbox"]


async def test_in_one_poll_what_stands_before_is_done_and_forgotten_and_what_stands_behind_is_not_done(
    line: Line,
) -> None:
    key, other = uuid4(), uuid4()
    await line.poll(closed(key, 1), closed(other, 1), erased(key), closed(key, 2), closed(other, 2))
    assert await line.effects() == [(str(other), 1), (str(other), 2)]
    said = [row["key"].decode() for row in await line.database.fetch("select key from outbox")]
    assert said == [str(other), str(other)]


async def test_what_ends_a_key_is_heard_each_time(line: Line) -> None:
    key = uuid4()
    await line.poll(erased(key))
    await line.database.execute("insert into effect (key, number) values ($1, 1)", str(key))
    await line.poll(erased(key))
    assert await line.effects() == []


async def test_it_does_not_wait_behind_a_dead_letter_and_takes_it_away(line: Line) -> None:
    key, other = uuid4(), uuid4()
    line.toy.poison = {(str(key), 1), (str(other), 1)}
    await line.poll(closed(key, 1), closed(key, 2), closed(other, 1))
    await line.poll(closed(key, 3), erased(key))
    assert [letter["key"] for letter in await line.letters()] == [str(other)]


async def test_in_one_poll_it_does_not_wait_behind_what_fails(line: Line) -> None:
    key, other = uuid4(), uuid4()
    line.toy.poison = {(str(key), 1)}
    await line.poll(closed(other, 1), closed(key, 1), closed(key, 2), erased(key))
    assert await line.letters() == []
    assert await line.effects() == [(str(other), 1)]


async def test_where_it_fails_itself_it_is_a_dead_letter_that_forgets_when_it_is_replayed(line: Line) -> None:
    key = uuid4()
    await line.poll(closed(key, 1))
    line.toy.poison = {(str(key), ERASED)}
    await line.poll(erased(key), closed(key, 2))
    ids = await line.ids()
    line.toy.poison = set()
    await line.settle("replay", *ids)
    await line.poll(closed(key, 3))
    assert await line.effects() == []
    assert await rows(line) == []


async def test_of_the_key_and_others_that_go_with_it_all_rows_go_and_of_others_none(line: Line) -> None:
    key, also, other = (str(uuid4()) for _ in range(3))
    line.toy.poison = {(each, 1) for each in (key, also, other)}
    for each in (key, also, other):
        cause = fact_event(closed(UUID(each), 1))
        fact = Fact(GapClosed(referral_id=UUID(each), need_id=UUID(each), kind="device", area="x"), cause)
        said: list[Said] = [
            fact,
            fact,
            Later(NOON, Reminder(number=1), each, cause),
            Errand(NOON, Reminder(number=1), each, cause),
        ]
        async with line.database.acquire() as conn, conn.transaction():
            await line.worker._keep(conn, said, NOON)
        await line.poll(closed(UUID(each), 1))
    await line.database.execute(
        """with gone as (delete from outbox where position in (select min(position) from outbox group by key)
                         returning *) insert into said select * from gone"""
    )
    assert await rows(line) == [table for table in KEPT for _ in range(3)]
    async with line.database.acquire() as conn, conn.transaction():
        assert await forget(conn, [Forget(key, [also])], NOON) == []
    assert await rows(line) == list(KEPT)


async def test_what_a_submission_said_and_was_told_goes_and_its_id_stays_used(line: Line) -> None:
    await line.database.execute(
        "insert into door values ('gp', 'a1', 'x', 'T', 'told', now()), ('bank', 'a1', 'x', 'T', 'told', now())"
    )
    async with line.database.acquire() as conn, conn.transaction():
        await forget(conn, [Forget("key", submissions=[("gp", "a1")])], NOON)
    kept = await line.database.fetch("select partner, fingerprint, answer from door order by partner")
    assert [tuple(row) for row in kept] == [("bank", b"x", b"told"), ("gp", b"", None)]


def batch(data: Message | Ending) -> Batch:
    if isinstance(data, Message):
        return Batch("toy", [fact_event(data, NOON + timedelta(seconds=1), event_id=uuid4())])
    name = str(uuid4())
    return Batch("acts", [Event(name, "/acts", type(data).__name__, NOON, name, name, data, name)])


@pytest.mark.parametrize("ends", [erased, lambda key: Ending(key=str(key))], ids=["a fact", "an act"])
@pytest.mark.parametrize("is_first", [False, True])
async def test_another_replica_does_not_bring_back_what_this_one_forgets(
    line: Line, ends: Callable[[UUID], Message | Ending], is_first: bool
) -> None:
    key = uuid4()
    order = [ends(key), closed(key, 1)] if is_first else [closed(key, 1), ends(key)]
    line.toy.waits_at = ERASED if is_first else 1
    one = asyncio.create_task(line.worker.run(batch(order[0])))
    await line.toy.waits.wait()
    two = asyncio.create_task(line.worker.run(batch(order[1])))
    await eventually(line.waiting_for_a_lock, lambda waiting: waiting == 1)
    line.toy.may_go.set()
    await asyncio.gather(one, two)
    assert await line.effects() == []
    assert await rows(line) == []
