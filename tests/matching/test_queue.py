"""Referrals and places meet: who is offered what, who waits, and for whom there is nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.facts import Fact, Later
from contracts.matching import (
    GapClosed,
    GapRecorded,
    NeedWaiting,
    OfferMade,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
)
from contracts.offers import OfferProposed
from contracts.refusal import MessageRefused
from services.matching.events_out import Due
from tests.matching.builders import ARMLEY, HAREHILLS, Matching, amended, id_of, place, provider, referral
from tests.support import NOON, said


async def test_a_need_that_a_free_place_suits_is_offered_it(matching: Matching) -> None:
    await matching.open(place(requirements=["large-screen"]))
    told = await matching.hear(referral(1, score=40, languages=("ur", "en"), requirements=["large-screen"]))
    (made,), (proposed,) = said(told, OfferMade), said(told, OfferProposed)
    assert (made.need_id, made.place_id, made.provider, made.decision) == (id_of(1), "tablets", "library", 1)
    assert made.rank_key == NOON - timedelta(days=40)
    assert made.expires_at == proposed.expires_at == NOON + timedelta(days=7)
    assert (proposed.ward, proposed.languages, proposed.requirements) == (ARMLEY, ["en", "ur"], ["large-screen"])
    assert [s.to for s in told if isinstance(s, Fact) and s.data is proposed] == ["library"]
    assert [(s.at, s.data) for s in told if isinstance(s, Later)] == [
        (made.expires_at - timedelta(days=2), Due(offer_id=made.offer_id))
    ]
    assert await matching.units() == (1, 1, 0)


async def test_when_all_suitable_places_are_full_a_need_waits(matching: Matching) -> None:
    await matching.open(place())
    await matching.offered(referral(1))
    told = await matching.hear(referral(2))
    assert [waiting.need_id for waiting in said(told, NeedWaiting)] == [id_of(2)]
    assert not said(told, OfferMade)


async def test_within_a_batch_the_places_go_to_the_first_by_rank(matching: Matching) -> None:
    await matching.open(place(capacity=2))
    told = await matching.hear(referral(1), referral(2, score=10), referral(3, score=20))
    assert [(made.need_id, made.decision) for made in said(told, OfferMade)] == [(id_of(3), 1), (id_of(2), 2)]
    assert [waiting.need_id for waiting in said(told, NeedWaiting)] == [id_of(1)]


async def test_the_urgent_lane_is_before_all_others(matching: Matching) -> None:
    await matching.hear(referral(1, score=85), referral(2, lane="urgent"))
    assert [made.need_id for made in said(await matching.open(place()), OfferMade)] == [id_of(2)]


async def test_who_waited_longest_is_first_where_priorities_are_equal(matching: Matching) -> None:
    await matching.hear(referral(1), referral(2, received_at=NOON - timedelta(days=1)))
    assert [made.need_id for made in said(await matching.open(place()), OfferMade)] == [id_of(2)]


async def test_a_new_place_goes_to_those_who_wait_and_fit(matching: Matching) -> None:
    await matching.hear(referral(1, score=50, ward=HAREHILLS), referral(2), referral(3, kind="champion"))
    told = await matching.open(place(wards=[ARMLEY], capacity=5))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]


async def test_needs_of_one_referral_are_matched_each_for_itself(matching: Matching) -> None:
    both = referral(1)
    second = referral(2, kind="champion")
    await matching.open(place())
    told = await matching.hear(both.model_copy(update={"needs": [*both.needs, *second.needs]}))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(1)]
    assert [gap.need_id for gap in said(told, GapRecorded)] == [id_of(2)]


async def test_the_same_need_again_is_not_queued_twice(matching: Matching) -> None:
    await matching.open(place(capacity=5))
    await matching.hear(referral(1), referral(1))
    assert not await matching.hear(referral(1))
    assert await matching.units() == (5, 1, 0)


async def test_what_nothing_could_meet_is_a_gap_with_its_reason(matching: Matching) -> None:
    await matching.open(place(wards=[HAREHILLS]))
    (gap,) = said(await matching.hear(referral(1)), GapRecorded)
    assert (gap.need_id, gap.area, gap.reasons) == (id_of(1), ARMLEY, ["ward-not-served"])


async def test_a_gap_closes_when_a_place_opens_that_suits(matching: Matching) -> None:
    await matching.hear(referral(1), referral(2))
    told = await matching.open(place())
    assert [closed.need_id for closed in said(told, GapClosed)] == [id_of(1), id_of(2)]
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(1)]
    assert [waiting.need_id for waiting in said(told, NeedWaiting)] == [id_of(2)]


async def test_a_place_that_stops_serving_a_ward_leaves_a_gap(matching: Matching) -> None:
    await matching.open(place())
    await matching.hear(referral(1), referral(2))
    (gap,) = said(await matching.open(place(wards=[HAREHILLS])), GapRecorded)
    assert (gap.need_id, gap.reasons) == (id_of(2), ["ward-not-served"])


async def test_a_place_without_capacity_meets_nobody(matching: Matching) -> None:
    await matching.open(place(capacity=0))
    (gap,) = said(await matching.hear(referral(1)), GapRecorded)
    assert gap.reasons == ["no-place-of-kind"]
    assert said(await matching.open(place(capacity=1)), OfferMade)


async def test_two_partners_may_use_the_same_names(matching: Matching) -> None:
    await matching.stage.receive("food-bank", provider())
    await matching.open(place())
    told = await matching.open(place(), partner="food-bank")
    assert [opened.provider for opened in said(told, PlaceOpened)] == ["food-bank"]
    made = said(await matching.hear(referral(1), referral(2)), OfferMade)
    assert sorted((offer.provider, offer.place_id) for offer in made) == [
        ("food-bank", "tablets"),
        ("library", "tablets"),
    ]


async def test_a_place_of_an_unknown_provider_is_refused_with_how_to_mend(matching: Matching) -> None:
    (refused,) = said(await matching.open(place(), partner="food-bank"), MessageRefused)
    assert (refused.errors[0].field, refused.errors[0].rule) == ("provider_id", "unknown-provider")
    assert "ProviderUpdated" in refused.errors[0].mend
    assert not await matching.stage.rows("select from place")


async def test_a_provider_and_its_place_may_come_in_one_poll(matching: Matching) -> None:
    told = await matching.stage.receive("food-bank", provider("store"), place(provider_id="store"))
    assert said(told, ProviderRegistered)
    assert said(told, PlaceOpened)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"kind": "champion"}, "kind-is-fixed"),
        ({"opens_on": date(2026, 12, 2), "closes_on": date(2026, 12, 1)}, "dates-in-order"),
    ],
)
async def test_an_impossible_change_is_refused_and_changes_nothing(
    matching: Matching, change: dict[str, Any], rule: str
) -> None:
    await matching.open(place())
    before = await matching.stage.rows("select * from place")
    (refused,) = said(await matching.open(place(**change)), MessageRefused)
    assert refused.errors[0].rule == rule
    assert await matching.stage.rows("select * from place") == before


async def test_capacity_below_what_is_taken_is_refused(matching: Matching) -> None:
    await matching.open(place(capacity=2))
    await matching.accept(await matching.offered(referral(1)))
    (refused,) = said(await matching.open(place(capacity=0)), MessageRefused)
    assert (refused.errors[0].field, refused.errors[0].rule) == ("capacity", "below-taken")
    assert await matching.units() == (2, 0, 1)


async def test_capacity_below_what_is_held_is_kept_and_falls_as_holds_end(matching: Matching) -> None:
    await matching.open(place(capacity=3))
    first, second = said(await matching.hear(referral(1), referral(2)), OfferMade)
    (changed,) = said(await matching.open(place(capacity=0)), PlaceChanged)
    assert (changed.capacity, changed.held) == (2, 2)
    (fell,) = said(await matching.decline(first), PlaceChanged)
    assert (fell.capacity, await matching.units()) == (1, (1, 1, 0))
    await matching.decline(second)
    assert await matching.units() == (0, 0, 0)


async def test_more_capacity_goes_to_those_who_wait(matching: Matching) -> None:
    await matching.open(place())
    await matching.hear(referral(1), referral(2), referral(3))
    told = await matching.open(place(capacity=2))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]


async def test_changes_of_a_place_in_one_poll_take_effect_in_their_order(matching: Matching) -> None:
    await matching.hear(referral(1), referral(2))
    told = await matching.open(place(capacity=5), place(kind="skills"), place(capacity=1))
    assert [type(fact) for fact in (*said(told, PlaceOpened), *said(told, PlaceChanged))] == [PlaceOpened, PlaceChanged]
    assert len(said(told, MessageRefused)) == len(said(told, OfferMade)) == 1
    assert await matching.units() == (1, 1, 0)


async def test_a_place_gives_nothing_before_its_first_day(matching: Matching) -> None:
    told = await matching.open(place(opens_on=date(2026, 12, 1)))
    assert [(s.at, s.data) for s in told if isinstance(s, Later)] == [
        (datetime(2026, 12, 1, tzinfo=UTC), Due(place=("library", "tablets")))
    ]
    assert said(await matching.hear(referral(1)), NeedWaiting)
    due = Due(place=("library", "tablets"))
    assert not await matching.stage.result(due)
    matching.stage.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert [made.need_id for made in said(await matching.stage.result(due), OfferMade)] == [id_of(1)]


async def test_a_place_that_closes_offers_no_more_and_leaves_a_gap(matching: Matching) -> None:
    await matching.open(place(closes_on=date(2026, 11, 30)))
    made = await matching.offered(referral(1))
    await matching.hear(referral(2))
    matching.stage.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    told = await matching.stage.result(Due(place=("library", "tablets")))
    assert [gap.need_id for gap in said(told, GapRecorded)] == [id_of(2)]
    assert not said(await matching.decline(made), OfferMade)


async def test_a_need_is_not_offered_help_before_its_first_day_and_keeps_its_rank(matching: Matching) -> None:
    await matching.open(place())
    first = referral(1, score=50, not_before=date(2026, 12, 1))
    assert said(await matching.hear(first), NeedWaiting)
    other = await matching.offered(referral(2))
    await matching.hear(referral(3))
    await matching.hear(amended(first))
    assert [made.need_id for made in said(await matching.decline(other), OfferMade)] == [id_of(1)]


@pytest.mark.invariant(3)
async def test_who_waited_is_next_also_where_many_join_the_queue_who_fit_elsewhere(matching: Matching) -> None:
    """The first of those who wake fit the place that comes free, but take a narrower one: it is for who waited."""
    await matching.open(place("all"))
    there = referral(9, ward=HAREHILLS, score=9)
    await matching.hear(there, referral(1, ward=HAREHILLS))
    await matching.open(place("armley", wards=[ARMLEY], capacity=5))
    later = [referral(number, score=50, not_before=date(2026, 12, 1)) for number in (2, 3)]
    await matching.hear(*later)
    told = await matching.hear(amended(there, paused=True), *(amended(each) for each in later))
    assert {(new.need_id, new.place_id) for new in said(told, OfferMade)} == {
        (id_of(1), "all"),
        (id_of(2), "armley"),
        (id_of(3), "armley"),
    }


async def test_decisions_are_counted_for_each_kind_without_a_hole(matching: Matching) -> None:
    await matching.open(place(capacity=3), place("friends", kind="champion", capacity=3))
    await matching.hear(referral(1), referral(2, kind="champion"), referral(3))
    await matching.hear(referral(4), referral(5, kind="champion"))
    rows = await matching.stage.rows("select kind, decision from offer order by kind, decision")
    assert [(row["kind"], row["decision"]) for row in rows] == [
        ("champion", 1),
        ("champion", 2),
        ("device", 1),
        ("device", 2),
        ("device", 3),
    ]
