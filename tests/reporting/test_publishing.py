"""Tables are said seldom enough, and say what facts came to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from chassis.service import Service
from contracts.contacting import FeedbackGiven
from contracts.grants import ApplicationSubmitted, FundOpened, GrantAwarded, RoundOpened
from contracts.matching import (
    NeedEscalated,
    OfferDeclined,
    OfferMade,
    PlaceOpened,
    SupportStarted,
)
from contracts.notifications import NotificationSent
from contracts.referrals import ReferralStalled
from contracts.reporting import MetricPublished
from contracts.stock import DirectHelpGiven, LoanChanged
from services.reporting.domain import periods
from services.reporting.domain.measures import BY_NAME
from services.reporting.handlers.publishing import MakeTables, PublishMetrics
from services.reporting.store import Store
from tests.reporting.builders import (
    ARMLEY,
    GIPTON,
    MONTH,
    YEAR,
    a,
    close_the_month,
    ids,
    moved,
    publish,
    published,
    received,
    referral_id,
    reporting,
    scheduled,
    values,
)
from tests.support import NOON, Stage, said

Put = Callable[[Service], Awaitable[Stage]]
pytestmark = pytest.mark.usefixtures("two_wards")


async def test_many_facts_schedule_one_publication(stage: Put) -> None:
    on = await stage(reporting())
    (first,) = scheduled(await on.hear(*(received(number) for number in range(20)), moved(3, "on-hold")))
    assert (first.at, first.data) == (NOON + timedelta(seconds=2), PublishMetrics())
    assert scheduled(await on.hear(received(21))) == []


async def test_the_next_close_is_scheduled_once_and_what_changes_after_is_scheduled_again(on: Stage) -> None:
    (close,) = scheduled(await published(on))
    assert close.at == periods.closes_at(periods.month_of(NOON.date()))
    assert scheduled(await published(on)) == []
    assert len(scheduled(await on.hear(received(2)))) == 1


async def test_a_table_that_did_not_change_is_not_said_again(on: Stage) -> None:
    await on.hear(*(received(number) for number in range(10)))
    assert "waiting/now/kind" in await publish(on)
    on.clock.forward(timedelta(seconds=2))
    await on.hear(received(10))  # 11 is 10 to the nearest 5
    assert await publish(on) == {}


async def test_what_stands_is_hidden_rounded_or_nought(on: Stage) -> None:
    await on.hear(*(received(number) for number in range(13)), received(13, area=ARMLEY), received(14, ("skills",)))
    await on.hear(moved(14, "entered-in-error", kind="skills"))
    made = await publish(on)
    by_ward = {tuple(cell.codes): cell.value for cell in made["waiting/now/kind-by-ward"].cells}
    assert by_ward["device", GIPTON] == 15
    assert by_ward["device", ARMLEY] is None
    assert by_ward["skills", GIPTON] == 0
    assert values(made["referrals/month-so-far/all"]) == {"": 15}


async def test_offers_notifications_places_and_grants_are_counted(on: Stage) -> None:
    await on.hear(*(received(n) for n in range(10)))
    for n in range(10):
        offer = {**ids(n), "offer_id": UUID(int=n)}
        await on.hear(a(OfferMade, **offer), a(OfferDeclined, **offer, reason="too-far"), a(NotificationSent, **ids(n)))
    await on.hear(a(PlaceOpened), a(FundOpened), a(RoundOpened), a(GrantAwarded))
    made = await close_the_month(on)
    assert values(made[f"offers/{MONTH}/end"]) == {"declined-too-far": 10}
    assert values(made[f"notifications/{MONTH}/channel-by-rung-by-told"]) == {"email,1,sent": 10}
    assert values(made["capacity/now/kind-by-ward"]) == {f"device,{GIPTON}": 12}
    assert values(made["grants/now/round-by-money"]) == {
        "winter-2026,budget": 10_000_000,
        "winter-2026,awarded": 500_000,
    }
    assert values(made["applications/now/round-by-state"]) == {"winter-2026,awarded": 1}


async def test_what_people_say_and_days_that_went_by_are_counted(on: Stage) -> None:
    await on.hear(*(received(n) for n in range(10)))
    await on.hear(*(a(FeedbackGiven, **ids(n), asked="closing", goal_met="yes", online="yes") for n in range(10)))
    await on.hear(*(a(ReferralStalled, **ids(n), due_on=NOON.date()) for n in range(10)))
    made = await close_the_month(on)
    assert values(made[f"feedback/{MONTH}/asked-by-goal"]) == {"closing,yes": 10}
    assert values(made[f"feedback/{MONTH}/asked-by-online"]) == {"closing,yes": 10}
    assert values(made[f"stalled/{MONTH}/owner"]) == {"provider": 10}


async def test_the_month_so_far_begins_anew_with_each_month(on: Stage) -> None:
    """Also where there are as many as in the last one."""
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    await publish(on)
    on.clock.at = december = NOON + timedelta(days=12)
    await on.hear(*(received(n, received_at=december - timedelta(days=1)) for n in range(10, 20)))
    made = (await publish(on))["referrals/month-so-far/all"]
    assert (str(made.starts_on), str(made.ends_on), values(made)) == ("2026-12-01", "2026-12-02", {"": 10})


async def test_awards_by_ward_add_up_to_what_was_awarded(on: Stage) -> None:
    for nth, (wards, pence) in enumerate((([GIPTON], 100), ([GIPTON, ARMLEY], 101), ([], 1_000))):
        of = {"application_id": UUID(int=nth)}
        await on.hear(a(ApplicationSubmitted, **of, wards=wards), a(GrantAwarded, **of, amount_pence=pence))
    made = await publish(on)
    assert values(made["grants-by-ward/now/ward"]) == {GIPTON: 151, ARMLEY: 50, "city-wide": 1_000}


async def test_the_year_of_how_far_help_has_come_begins_at_midnight_in_london(on: Stage) -> None:
    """The clocks are an hour ahead of UTC on the first of April."""
    first = datetime.fromisoformat("2025-03-31T23:30:00+00:00")
    await on.hear(*(received(n, received_at=first) for n in range(10)))
    await on.hear(*(received(n, received_at=first - timedelta(hours=1)) for n in range(10, 30)))
    async with on.database.acquire() as conn:
        counted = await on.service.store(conn).measures.people(BY_NAME["stages"], periods.now(NOON), NOON)
    assert counted == {("device", "waiting"): 10}


async def test_help_beside_offers_is_counted(on: Stage) -> None:
    await on.hear(*(received(n) for n in range(10)))
    await on.hear(*(a(SupportStarted, **ids(n), at=NOON) for n in range(10)))
    await on.hear(*(a(LoanChanged, **ids(n), state="returned", at=NOON) for n in range(8)))
    await on.hear(*(a(NeedEscalated, **ids(n)) for n in range(9)))
    await on.hear(a(DirectHelpGiven, count=13, ward=GIPTON, given_on=NOON.date()))
    await on.hear(*(a(NotificationSent, **ids(n), rung=2, at=NOON) for n in range(10)))
    await on.hear(*(a(PlaceOpened, place_id=f"champion {n}", kind="champion") for n in range(8)))
    made = await close_the_month(on)
    assert values(made[f"handed-over/{YEAR}/kind"]) == {"device": 10}
    assert values(made[f"loans/{MONTH}/kind-by-became"]) == {"device,returned": 10}
    assert values(made[f"escalated/{MONTH}/kind"]) == {"device": 10}
    assert values(made[f"direct-help/{MONTH}/kind"]) == {"connectivity": 15}
    assert values(made[f"direct-help/{YEAR}/kind-by-ward"]) == {f"connectivity,{GIPTON}": 15}
    assert values(made[f"notifications/{MONTH}/channel-by-rung-by-told"]) == {"email,2,sent": 10}
    assert values(made["champions/now/active"]) == {"free": 10}


async def test_a_publication_waits_for_changes_under_way_so_that_none_is_forgotten(on: Stage) -> None:
    """A batch marks, and is not committed, while tables are made: they see it, or are made again."""
    await on.hear(received(1))
    async with on.database.acquire() as conn:
        batch = conn.transaction()
        await batch.start()
        store: Store = on.service.store(conn)
        assert not await store.editions.mark("soon", NOON)  # already marked: nothing new is scheduled
        await store.referrals.save_referrals([received(n) for n in range(10, 20)])
        await store.referrals.save_needs([(received(n).needs[0], received(n)) for n in range(10, 20)])
        publishing = asyncio.create_task(publish(on))
        await _blocked(on)
        await batch.commit()
    assert values((await publishing)["waiting/now/kind"]) == {"device": 10}


async def test_facts_are_taken_while_tables_are_made_and_are_marked_for_the_next(on: Stage) -> None:
    await on.hear(received(1))
    await on.result(PublishMetrics())
    async with on.database.acquire() as conn, conn.transaction():
        store: Store = on.service.store(conn)
        await store.editions.alone()
        assert len(scheduled(await on.hear(received(2)))) == 1
        assert (await store.counts.exact())["referrals"] == {"open": 2}


async def test_only_one_makes_tables_at_a_time(on: Stage) -> None:
    async with on.database.acquire() as conn:
        other = conn.transaction()
        await other.start()
        await on.service.store(conn).editions.alone()
        making = asyncio.create_task(on.result(MakeTables()))
        await _blocked(on)
        await other.commit()
    assert said(await making, MetricPublished)


async def _blocked(on: Stage) -> None:
    """Returns when somebody waits for a lock."""
    async with asyncio.timeout(10):
        while not await on.rows("select 1 from pg_locks where not granted"):
            pass


@pytest.mark.invariant(7)
async def test_no_table_names_a_referral(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    assert str(referral_id(1)) not in str(await close_the_month(on))
