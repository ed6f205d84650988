"""Providers that want mail hear once a day, in the morning, that offers wait for them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.matching import OfferDeclined, OfferMade
from contracts.referrals import PartnerRegistered, PersonErased
from services.notifications.domain.digest import next_morning
from tests.notifications.conftest import World
from tests.support import NOON

LIBRARY = "library-service"
TOMORROW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def an_offer(provider: str = LIBRARY, **changes: Any) -> OfferMade:
    ids = {"referral_id": uuid4(), "need_id": uuid4(), "offer_id": uuid4(), "provider": provider}
    return OfferMade.model_validate({**OfferMade.example, **ids, **changes})


def declined(offer: OfferMade) -> OfferDeclined:
    ids = {name: getattr(offer, name) for name in ("referral_id", "need_id", "offer_id", "provider")}
    return OfferDeclined.model_validate({**OfferDeclined.example, **ids})


async def wants_mail(world: World) -> None:
    world.referrals.mails[LIBRARY] = "desk@example.org"
    await world.hear(PartnerRegistered(partner=LIBRARY, name="Libraries", mail=True))


async def the_next_morning(world: World, days: int = 0) -> None:
    world.clock.at = TOMORROW + timedelta(days=days)
    await world.due()
    await world.send()


async def test_a_provider_is_told_in_one_mail_of_all_that_waits(world: World) -> None:
    await wants_mail(world)
    await world.hear(an_offer(), an_offer(expires_at="2026-11-25T10:00:00Z"))
    await world.hear(an_offer())
    assert (await world.due(), world.mail.got) == (0, [])
    await the_next_morning(world)
    (mail,) = world.mail.got
    assert (mail["To"], mail["Subject"]) == ("desk@example.org", "3 people wait for your answer")
    assert "25 November" in mail.get_content()


async def test_it_is_told_again_each_day_while_something_waits_and_never_twice_a_day(world: World) -> None:
    await wants_mail(world)
    offer = an_offer()
    await world.hear(offer)
    for day in range(3):
        await the_next_morning(world, day)
        await world.due()
        await world.send()
    assert len(world.mail.got) == 3
    await world.hear(declined(offer))
    for day in range(3, 6):
        await the_next_morning(world, day)
    assert len(world.mail.got) == 3


@pytest.mark.parametrize("kind", ["of another", "answered", "erased", "expired"])
async def test_what_does_not_wait_is_not_told(world: World, kind: str) -> None:
    await wants_mail(world)
    offer = an_offer("somebody-else" if kind == "of another" else LIBRARY, expires_at=NOON + timedelta(hours=1))
    await world.hear(offer)
    if kind == "answered":
        await world.hear(declined(offer))
    if kind == "erased":
        await world.hear(PersonErased(referral_id=offer.referral_id))
    await the_next_morning(world)
    assert world.mail.got == []
    assert await world.waiting() == 0


async def test_who_says_later_that_it_wants_mail_hears_of_what_waits_already(world: World) -> None:
    await world.hear(an_offer())
    await wants_mail(world)
    await the_next_morning(world)
    assert [mail["Subject"] for mail in world.mail.got] == ["1 person waits for your answer"]


async def test_who_wants_no_mail_gets_none(world: World) -> None:
    await world.hear(an_offer())
    await the_next_morning(world)
    assert world.mail.got == []


async def test_a_digest_that_may_have_left_is_not_sent_again(world: World) -> None:
    await wants_mail(world)
    world.mail.hangs_up_after_data.add("desk@example.org")
    await world.hear(an_offer())
    for _ in range(3):
        await the_next_morning(world)
    assert len(world.mail.got) == 1
    assert [row["state"] for row in await world.stage.rows("select state from digest order by day")] == [
        "failed",
        "planned",
    ]


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (datetime(2026, 7, 1, 7, tzinfo=UTC), datetime(2026, 7, 2, 7, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 28, 7, tzinfo=UTC)),
    ],
)
def test_morning_is_that_of_the_clock_on_the_wall(at: datetime, morning: datetime) -> None:
    assert next_morning(at) == morning
