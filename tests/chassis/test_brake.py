"""When everything fails, it is our own code: nothing is buried, and all of it takes effect when it is mended."""

from uuid import uuid4

import pytest

from chassis.errors import Braked
from chassis.metrics import REGISTRY
from chassis.sealing import Sealer
from chassis.work import BRAKE_AFTER, Batch, Worker
from contracts.referrals import ReferralClosed
from tests.chassis.conftest import Toy
from tests.support import NOON, SEALING_KEY, Clock, eventually, fact_event


def closed() -> ReferralClosed:
    return ReferralClosed(referral_id=uuid4(), at=NOON)


async def braked() -> bool:
    return REGISTRY.get_sample_value("furthest_degraded", {"part": "toy-brake"}) == 1


@pytest.mark.invariant(1)
async def test_a_bug_that_fails_on_everything_brakes_and_buries_nothing(toy: Toy) -> None:
    facts = [closed() for _ in range(BRAKE_AFTER * 5)]  # so many that a poll of either partition brakes
    toy.handlers.fails_on = {fact.key() for fact in facts}
    await toy.write(*facts)
    async with toy.consuming():
        await eventually(braked, bool)
        assert await toy.letters() == []
        toy.handlers.fails_on = set()
        await eventually(toy.effects, lambda seen: len(seen) == len(facts), within=60)
        await eventually(braked, lambda it_is: not it_is)
    assert await toy.letters() == []


async def worker(toy: Toy) -> Worker:
    service = toy.service
    return service.worker(toy.database, Sealer(SEALING_KEY), Clock())


async def test_single_failures_in_a_row_brake_too_and_one_success_lets_go(toy: Toy) -> None:
    ours = await worker(toy)
    good, bad = closed(), [closed() for _ in range(BRAKE_AFTER + 1)]
    toy.handlers.fails_on = {fact.key() for fact in bad}
    for fact in bad[:-1]:
        await ours.run(Batch("toy", [fact_event(fact)]))
    with pytest.raises(Braked):
        await ours.run(Batch("toy", [fact_event(bad[-1])]))
    outcome = await ours.run(Batch("toy", [fact_event(bad[-1]), fact_event(good)]))
    assert [event.key for event, _ in outcome.failed] == [bad[-1].key()]
    assert [key for key, _ in await toy.effects()] == [good.key()]
    assert len(await toy.letters()) == BRAKE_AFTER + 1


async def test_what_is_parked_behind_one_bad_key_does_not_brake(toy: Toy) -> None:
    bad = closed()
    toy.handlers.fails_on = {bad.key()}
    outcome = await (await worker(toy)).run(Batch("toy", [fact_event(bad) for _ in range(BRAKE_AFTER * 2)]))
    assert (len(outcome.failed), len(outcome.behind)) == (1, BRAKE_AFTER * 2 - 1)
