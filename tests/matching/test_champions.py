"""Digital Champions: whom they help, how many, and who is asked first."""

from datetime import UTC, date, datetime

import pytest

from chassis.facts import Said
from contracts.champion import Champion
from contracts.matching import GapRecorded, NeedWaiting, OfferMade, OfferWithdrawn, PlaceChanged, PlaceOpened
from contracts.refusal import MessageRefused
from services.matching.domain.allocation import allocate
from services.matching.events_out import Due
from tests.matching.builders import ARMLEY, HAREHILLS, Matching, a_need, a_place, champion, id_of, provider, referral
from tests.matching.log import must_replay
from tests.support import said


async def tell(matching: Matching, *champions: Champion, by: str = "library", host: bool = True) -> list[Said]:
    return await matching.stage.receive(by, provider("armley", *champions, champions=champions, host=host))


async def given(matching: Matching, number: int, **of: object) -> list[str]:
    """The champion that this need is offered, by partner and name."""
    told = said(await matching.hear(referral(number, kind="champion", **of)), OfferMade)  # type: ignore[arg-type]  # of a referral
    return [f"{made.provider} {made.place_id}" for made in told]


async def test_a_champion_is_given_as_many_people_as_they_take(matching: Matching) -> None:
    (opened,) = said(await tell(matching, champion("ann", caseload=2, wards=[ARMLEY])), PlaceOpened)
    assert (opened.place_id, opened.kind, opened.capacity, opened.wards) == ("armley/ann", "champion", 2, [ARMLEY])
    assert [await given(matching, number) for number in (1, 2, 3)] == [["library armley/ann"]] * 2 + [[]]
    assert await given(matching, 4, ward=HAREHILLS) == []
    await must_replay(matching.stage)


async def test_many_champions_take_nobody_now(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=0))
    assert await given(matching, 1) == []


async def test_without_a_host_a_champion_helps_only_those_whom_their_own_organisation_refers(
    matching: Matching,
) -> None:
    await tell(matching, champion("ann", caseload=5), host=False)
    assert await given(matching, 1) == []
    assert await given(matching, 2, partner="library") == ["library armley/ann"]


async def test_a_starter_is_given_no_strangers_even_by_a_host(matching: Matching) -> None:
    await tell(matching, champion("new", training="starter", caseload=5), champion("old", caseload=5))
    assert await given(matching, 1) == ["library armley/old"]
    assert await given(matching, 2, partner="library") == ["library armley/new"]


async def test_people_go_first_to_champions_of_whoever_referred_them(matching: Matching) -> None:
    await matching.stage.receive("food-bank", provider("store", champion("zoe", caseload=5), host=True))
    await tell(matching, champion("ann", caseload=5, wards=[ARMLEY]))
    assert await given(matching, 1, partner="food-bank") == ["food-bank store/zoe"]
    assert await given(matching, 2, partner="gp-armley") == ["library armley/ann"]
    await must_replay(matching.stage)


async def test_people_are_spread_among_champions_alike(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=4), champion("bob", caseload=2), champion("cas", caseload=2))
    found = [(await given(matching, number))[0][-3:] for number in range(1, 9)]
    assert found == ["ann", "bob", "cas", "ann", "ann", "bob", "cas", "ann"]
    await must_replay(matching.stage)


def test_people_who_come_together_are_spread_as_well() -> None:
    needs = [a_need(number, kind="champion") for number in range(4)]
    places = [a_place(name, kind="champion", free=4) for name in ("ann", "bob")]
    assert [match.place.place_id for match in allocate(needs, places)] == ["ann", "bob", "ann", "bob"]


def test_devices_are_not_spread() -> None:
    needs = [a_need(number) for number in range(2)]
    matches = allocate(needs, [a_place("a", free=2), a_place("b", free=2)])
    assert [match.place.place_id for match in matches] == ["a", "a"]


@pytest.mark.invariant(3)
def test_ones_own_champion_is_left_to_whom_no_other_suits() -> None:
    """Who is own comes first only while that keeps nobody from being served."""
    own, other = a_need(1, kind="champion", partner="library"), a_need(2, kind="champion", languages=frozenset({"ur"}))
    places = [
        a_place("ann", kind="champion", languages=frozenset({"ur", "en"})),
        a_place("bob", kind="champion", partner="food-bank", languages=frozenset({"en"})),
    ]
    own = a_need(1, kind="champion", partner="library", languages=frozenset({"en"}))
    assert [(m.need.need_id, m.place.place_id) for m in allocate([own, other], places)] == [
        (id_of(1), "bob"),
        (id_of(2), "ann"),
    ]


async def test_a_champion_is_there_on_the_days_on_which_the_person_can_be_helped(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=5, days=["mon", "wed"]))
    assert await given(matching, 1, days=["tue", "wed"]) == ["library armley/ann"]
    assert await given(matching, 2) == ["library armley/ann"]
    (gap,) = said(await matching.hear(referral(3, kind="champion", days=["sat", "sun"])), GapRecorded)
    assert (gap.reasons, gap.lacks) == (["requirement"], ["sat", "sun"])
    told = await tell(matching, champion("ann", caseload=5, days=["mon", "wed", "sat"]))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(3)]
    await must_replay(matching.stage)


async def test_who_is_away_is_given_nobody_new_until_they_are_back(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=2))
    await given(matching, 1)
    await tell(matching, champion("ann", caseload=2, away=date(2026, 11, 30)))
    assert await given(matching, 2) == []
    assert await matching.units("armley/ann") == (2, 1, 0)
    matching.stage.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    told = await matching.stage.result(Due(place=("library", "armley/ann")))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(2)]
    await must_replay(matching.stage)


@pytest.mark.invariant(3)
async def test_who_leaves_gives_their_people_back(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=2))
    first, second = said(
        await matching.hear(referral(1, kind="champion", score=5), referral(2, kind="champion")), OfferMade
    )
    await matching.accept(first)
    told = await tell(matching, champion("bob", caseload=1))
    assert {(fact.offer_id, fact.reason) for fact in said(told, OfferWithdrawn)} == {
        (first.offer_id, "champion-left"),
        (second.offer_id, "champion-left"),
    }
    assert [(made.need_id, made.place_id) for made in said(told, OfferMade)] == [(id_of(1), "armley/bob")]
    assert [waiting.need_id for waiting in said(told, NeedWaiting)] == [id_of(2)]
    assert await matching.units("armley/ann") == (0, 0, 0)
    await must_replay(matching.stage)


async def test_who_returns_is_there_again(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=2))
    await tell(matching)
    assert await given(matching, 1) == []
    told = await tell(matching, champion("ann", caseload=2))
    assert [made.need_id for made in said(told, OfferMade)] == [id_of(1)]


async def test_champions_stay_as_they_were_where_nothing_is_said_of_them(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=2))
    told = await matching.stage.receive("library", provider())
    assert not said(told, PlaceChanged)
    assert not said(await tell(matching, champion("ann", caseload=2)), PlaceChanged)
    assert await given(matching, 1) == ["library armley/ann"]


async def test_who_takes_fewer_keeps_those_they_have(matching: Matching) -> None:
    await tell(matching, champion("ann", caseload=2))
    await matching.accept(await matching.offered(referral(1, kind="champion")))
    await tell(matching, champion("ann", caseload=0))
    assert await matching.units("armley/ann") == (1, 0, 1)


@pytest.mark.parametrize(
    ("champions", "rule"),
    [
        ([champion("ann"), champion("ann")], "ref-twice"),
        ([champion("ann", requirements=["home-visit"])], "training"),
    ],
)
async def test_champions_that_cannot_be_are_refused(matching: Matching, champions: list[Champion], rule: str) -> None:
    told = await tell(matching, *champions)
    assert [refused.errors[0].rule for refused in said(told, MessageRefused)] == [rule]
    assert await matching.stage.rows("select from place") == []
