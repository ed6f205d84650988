"""Tables are said seldom enough, say what facts came to, and those of a closed month stay as they are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from chassis.facts import Later, Said
from chassis.service import Service
from contracts.contacting import FeedbackGiven
from contracts.grants import FundOpened, GrantAwarded, RoundOpened
from contracts.matching import (
    NeedEscalated,
    OfferDeclined,
    OfferMade,
    PlaceOpened,
    SupportStarted,
)
from contracts.notifications import NotificationSent
from contracts.referrals import ReferralStalled
from contracts.reporting import MetricPublished, TableCell
from contracts.stock import DirectHelpGiven, LoanChanged
from services.reporting.domain import periods
from services.reporting.handlers.publishing import MakeTables, PublishMetrics
from services.reporting.store import Store
from tests.reporting.builders import (
    ARMLEY,
    GIPTON,
    a,
    areas,
    ids,
    moved,
    publish,
    published,
    received,
    referral_id,
    reporting,
    values,
)
from tests.support import NOON, Stage, said

Put = Callable[[Service], Awaitable[Stage]]
MONTH = "2026-11"
YEAR = "2026-27-to-2026-11"


def scheduled(those: Sequence[Said]) -> list[Later]:
    return [each for each in those if isinstance(each, Later)]


async def close_the_month(on: Stage) -> dict[str, MetricPublished]:
    on.clock.at = periods.closes_at(periods.month_of(on.clock.at.date()))
    return await publish(on)


@pytest_asyncio.fixture
async def on(stage: Put) -> Stage:
    put = await stage(reporting())
    await put.hear(areas(E05011400="Gipton & Harehills", E05011387="Armley"))
    return put


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


async def test_a_closed_month_says_what_happened_in_it_by_the_days_of_london(on: Stage) -> None:
    """The last minute of October is not November, even where UTC says so."""
    in_october = datetime.fromisoformat("2026-10-31T23:59:00+00:00")
    await on.hear(*(received(n, received_at=in_october) for n in range(10)))
    await on.hear(*(received(n, ("device", "skills"), received_at=NOON) for n in range(10, 30)))
    await on.hear(*(moved(n, "accepted", at=NOON + timedelta(days=2)) for n in range(10, 30)))
    await on.hear(*(moved(n, "completed", outcome="helped", at=NOON + timedelta(days=3)) for n in range(10, 20)))
    made = await close_the_month(on)
    assert values(made[f"referrals/{MONTH}/all"]) == {"": 20}
    assert values(made["referrals/2026-10/all"]) == {"": 10}
    assert values(made[f"referrals/{YEAR}/all"]) == {"": 30}
    assert values(made[f"needs/{MONTH}/kind"]) == {"device": 20, "skills": 20}
    assert values(made[f"served/{MONTH}/kind"]) == {"device": 20}
    assert values(made[f"outcomes/{MONTH}/kind-by-outcome"]) == {"device,helped": 10}
    assert values(made[f"waiting/{MONTH}/kind"]) == {"device": 10, "skills": 20}
    assert values(made[f"wait-half/{MONTH}/all"]) == {"": 2}
    assert values(made[f"referrals/{YEAR}/ward"]) == {GIPTON: 30}
    assert made[f"referrals/{YEAR}/ward"].final


async def test_a_figure_of_days_is_not_told_of_seven_people(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(7)))
    await on.hear(*(moved(n, "accepted", at=NOON + timedelta(days=1)) for n in range(7)))
    assert values((await close_the_month(on))[f"wait-half/{MONTH}/all"]) == {"": "too-few"}


async def test_offers_notifications_places_and_grants_are_counted(on: Stage) -> None:
    await on.hear(*(received(n) for n in range(10)))
    for n in range(10):
        offer = {**ids(n), "offer_id": UUID(int=n)}
        await on.hear(a(OfferMade, **offer), a(OfferDeclined, **offer, reason="too-far"), a(NotificationSent, **ids(n)))
    await on.hear(a(PlaceOpened), a(FundOpened), a(RoundOpened), a(GrantAwarded))
    made = await close_the_month(on)
    assert values(made[f"offers/{MONTH}/end"]) == {"declined-too-far": 10}
    assert values(made[f"notifications/{MONTH}/channel-by-told"]) == {"email,sent": 10}
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


async def test_a_closed_month_stays_and_what_comes_late_is_a_correction(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    first = await close_the_month(on)
    assert values(first[f"referrals/{MONTH}/all"]) == {"": 10}
    await on.hear(*(received(n, received_at=NOON) for n in range(10, 20)))
    assert not [name for name in await publish(on) if MONTH in name]
    again = await close_the_month(on)
    assert again[f"referrals/{MONTH}/all"].cells == [TableCell(codes=[], value=20, corrected=True, was=10)]
    assert again[f"referrals/{MONTH}/all"].version == 2
    assert values(again["referrals/2026-27-to-2026-12/all"]) == {"": 20}


async def test_a_service_that_was_away_for_months_closes_each_of_them(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    on.clock.forward(timedelta(days=120))
    closed = {metric.period for metric in (await publish(on)).values() if metric.final}
    assert closed >= {"2026-11", "2026-12", "2027-01", "2026-27-to-2027-01"}


async def test_months_that_came_with_an_old_list_are_closed_too_and_the_year_is_corrected(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    await close_the_month(on)
    old = NOON - timedelta(days=62)
    await on.hear(*(received(n, received_at=old) for n in range(10, 20)))
    made = await publish(on)
    assert values(made["referrals/2026-09/all"]) == {"": 10}
    assert values(made["referrals/2026-27-to-2026-09/all"]) == {"": 10}
    (to_november,) = made[f"referrals/{YEAR}/all"].cells
    assert (to_november.value, to_november.corrected, to_november.was) == (20, True, 10)
    assert await publish(on) == {}


async def test_what_comes_late_for_the_last_month_of_a_year_is_corrected_in_the_next(on: Stage) -> None:
    march = datetime.fromisoformat("2027-03-20T12:00:00+00:00")
    on.clock.at = march
    await on.hear(*(received(n, received_at=march) for n in range(10)))
    await close_the_month(on)
    await on.hear(*(received(n, received_at=march) for n in range(10, 20)))
    (late,) = (await close_the_month(on))["referrals/2027-03/all"].cells
    assert (late.value, late.was) == (20, 10)


async def test_help_beside_offers_is_counted(on: Stage) -> None:
    await on.hear(*(received(n) for n in range(10)))
    await on.hear(*(a(SupportStarted, **ids(n), at=NOON) for n in range(10)))
    await on.hear(*(a(LoanChanged, **ids(n), state="returned", at=NOON) for n in range(8)))
    await on.hear(*(a(NeedEscalated, **ids(n)) for n in range(9)))
    await on.hear(a(DirectHelpGiven, count=13, ward=GIPTON, given_on=NOON.date()))
    await on.hear(*(a(NotificationSent, **ids(n), rung=2, at=NOON) for n in range(10)))
    await on.hear(*(a(PlaceOpened, place_id=f"champion {n}", kind="champion") for n in range(8)))
    made = await close_the_month(on)
    assert values(made[f"stock/{MONTH}/kind-by-became"]) == {"device,handed-over": 10, "device,returned": 10}
    assert values(made[f"escalated/{MONTH}/kind"]) == {"device": 10}
    assert values(made[f"direct-help/{MONTH}/kind"]) == {"connectivity": 15}
    assert values(made[f"direct-help/{YEAR}/kind-by-ward"]) == {f"connectivity,{GIPTON}": 15}
    assert values(made[f"rungs/{MONTH}/rung-by-told"]) == {"2,sent": 10}
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
