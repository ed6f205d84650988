"""What is published of a month when it is over, and what of it is corrected, or not, later."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from contracts.contacting import FeedbackGiven
from contracts.matching import (
    OfferAccepted,
    OfferWithdrawn,
    PlaceOpened,
    SupportStarted,
)
from contracts.notifications import NotificationSent
from contracts.referrals import PersonErased
from contracts.reporting import MetricPublished, TableCell
from services.reporting.handlers.publishing import MakeTables, PublishMetrics
from tests.reporting.builders import (
    GIPTON,
    MONTH,
    YEAR,
    a,
    close_the_month,
    ids,
    moved,
    publish,
    received,
    referral_id,
    scheduled,
    values,
)
from tests.support import NOON, Stage, said

pytestmark = pytest.mark.usefixtures("two_wards")


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
    await on.hear(a(PlaceOpened))
    made = await publish(on)
    assert {metric.period for metric in made.values() if metric.final} >= {
        "2026-11", "2026-12", "2027-01", "2026-27-to-2027-01"
    }  # fmt: skip
    assert values(made["waiting/2026-12/kind"]) == {"device": 10}
    places = {metric.period for metric in made.values() if metric.measure in {"capacity", "stages", "champions"}}
    assert places == {"2027-02", "now"}, "of what has no times it is not known how it stood long ago"


async def test_a_month_is_a_transaction(on: Stage) -> None:
    await on.hear(received(1, received_at=NOON))
    on.clock.forward(timedelta(days=70))
    (step,) = scheduled(await on.result(PublishMetrics()))
    told = await on.result(step.data)
    assert {metric.period for metric in said(told, MetricPublished)} == {MONTH, YEAR}
    assert [each.data for each in scheduled(told)] == [MakeTables()]


async def test_days_are_those_of_the_calendar(on: Stage) -> None:
    """Two hours over midnight are a day, and 23 within a day are none."""
    midnight, hour = datetime.fromisoformat("2026-11-20T00:00:00+00:00"), timedelta(hours=1)
    await on.hear(*(received(n, received_at=midnight - hour) for n in range(8)))
    await on.hear(*(moved(n, "accepted", at=midnight + hour) for n in range(8)))
    await on.hear(*(received(n, ("skills",), received_at=midnight) for n in range(8, 16)))
    await on.hear(*(moved(n, "accepted", kind="skills", at=midnight + 23 * hour) for n in range(8, 16)))
    made = await close_the_month(on)
    assert {c.codes[0]: c.value for c in made[f"wait-half/{MONTH}/kind"].cells} == {"device": 1, "skills": 0}


async def test_days_of_a_closed_month_are_corrected_by_who_comes_late(on: Stage) -> None:
    await on.hear(*(received(n, received_at=NOON) for n in range(30)))
    await on.hear(*(moved(n, "accepted", at=NOON) for n in range(10)))
    assert values((await close_the_month(on))[f"wait-most/{MONTH}/all"]) == {}
    await on.hear(*(moved(n, "accepted", at=NOON + timedelta(days=5)) for n in range(10, 30)))
    (late,) = (await close_the_month(on))[f"wait-most/{MONTH}/all"].cells
    assert (late.value, late.corrected, late.was) == (5, True, 0)


async def test_what_was_closed_is_not_corrected_because_somebody_was_forgotten(on: Stage) -> None:
    people = range(20)
    await on.hear(*(received(n, received_at=NOON) for n in people))
    await on.hear(*(moved(n, "accepted", at=NOON) for n in people))
    await on.hear(*(a(SupportStarted, **ids(n), at=NOON) for n in people))
    await on.hear(*(a(NotificationSent, **ids(n), at=NOON) for n in people))
    await on.hear(*(a(FeedbackGiven, **ids(n), at=NOON) for n in people))
    assert values((await close_the_month(on))[f"notifications/{MONTH}/channel-by-rung-by-told"]) == {"email,1,sent": 20}
    await on.hear(*(PersonErased(referral_id=referral_id(n)) for n in people[:12]))
    made = await close_the_month(on)
    assert not [name for name in made if f"/{MONTH}/" in name or f"/{YEAR}/" in name]
    assert values(made["referrals/2026-27-to-2026-12/band"]) == {"21-40": 20}


async def test_an_offer_that_was_accepted_stays_so_although_it_is_withdrawn_later(on: Stage) -> None:
    offers = [{**ids(n), "offer_id": UUID(int=n)} for n in range(10)]
    await on.hear(*(received(n, received_at=NOON) for n in range(10)), *(a(OfferAccepted, **each) for each in offers))
    assert values((await close_the_month(on))[f"offers/{MONTH}/end"]) == {"accepted": 10}
    await on.hear(*(a(OfferWithdrawn, **each) for each in offers))
    assert f"offers/{MONTH}/end" not in await close_the_month(on)


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
