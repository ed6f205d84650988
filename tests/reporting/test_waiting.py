"""Who waits, who of them has nobody to help them, and who was passed over."""

from datetime import timedelta
from uuid import UUID

from contracts.matching import GapRecorded, NeedWaiting, OfferMade
from tests.reporting.builders import GIPTON, a, ids, moved, publish, received, values
from tests.support import NOON, Stage

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def test_somebody_waits_until_they_are_taken_on(on: Stage) -> None:
    await on.hear(*(received(number) for number in range(20)))
    await on.hear(*(moved(number, "accepted", at=NOON - MINUTE) for number in range(10)))
    made = await publish(on)
    assert values(made["waiting/now/kind"]) == {"device": 10}
    assert values(made["stages/now/kind-by-stage"]) == {"device,waiting": 10, "device,taken-on": 10}
    assert values(made["served/month-so-far/kind"]) == {"device": 10}


async def test_who_waits_and_has_a_gap_is_told(on: Stage) -> None:
    await on.hear(*(received(number, received_at=NOON - DAY) for number in range(20)))
    await on.hear(*(a(GapRecorded, **ids(number), area=GIPTON) for number in range(10)))
    on.clock.forward(MINUTE)
    assert values((await publish(on))["gaps/now/kind"]) == {"device": 10}


async def test_passed_over_is_who_waited_when_somebody_less_far_was_offered_the_same(on: Stage) -> None:
    """Not who waits for another kind, is as far or less far, or began to wait just then or later."""
    rank = NOON - 10 * DAY
    await on.hear(*(received(number, received_at=NOON - DAY) for number in range(50)))
    await on.hear(*(received(number, ("skills",), received_at=NOON - DAY) for number in range(50, 60)))
    further, less_far, as_far, just_then, later, another = (range(first, first + 10) for first in range(0, 60, 10))
    for those, rank_key in ((further, rank - DAY), (less_far, rank + DAY), (as_far, rank), (another, rank - DAY)):
        await on.hear(*(a(NeedWaiting, **ids(number), rank_key=rank_key) for number in those))
    on.clock.forward(MINUTE)
    await on.hear(a(OfferMade, **ids(70), offer_id=UUID(int=7), kind="device", rank_key=rank))
    await on.hear(*(a(NeedWaiting, **ids(number), rank_key=rank - DAY) for number in just_then))
    on.clock.forward(MINUTE)
    await on.hear(*(a(NeedWaiting, **ids(number), rank_key=rank - DAY) for number in later))
    await on.hear(a(OfferMade, **ids(71), offer_id=UUID(int=8), kind="device", rank_key=rank - 2 * DAY))
    on.clock.forward(MINUTE)
    assert values((await publish(on))["passed-over/now/kind"]) == {"device": len(further)}
