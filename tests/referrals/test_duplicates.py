"""The same person referred twice: found, kept apart, settled by staff, and never told to partners."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.facts import Fact, Said
from contracts.door import ReferralAcknowledged
from contracts.person import Person
from contracts.referrals import ReferralAmended, ReferralReceived, ReferralWithdrawn
from services.referrals.domain.duplicates import in_common, pairs, traits
from services.referrals.handlers.duplicates import SettleDuplicate
from tests.referrals.acting import BY_STAFF, rules, statuses, told_matching
from tests.referrals.builders import a_person, a_referral
from tests.support import Stage, said

TOLD = {"name": "Zoë Müller-Smith", "born": "1951-03-09", "postcode": "LS9 6AB", "phone": "+447700900123"}


def person(**changes: Any) -> Person:
    return Person.model_validate(a_person(**{**TOLD, **changes}))


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({"name": "SMITH zoe  muller", "postcode": None}, ["born", "name", "phone"]),
        ({"name": "Zoe Muller Smith", "born": None, "phone": None}, ["name", "postcode"]),
        ({"name": "Sam Smith"}, ["born", "phone", "postcode"]),
        ({"name": "Sam Smith", "born": None}, []),
        ({"born": "1980-01-01", "postcode": "LS1 1AA", "phone": "+447700900456"}, []),
    ],
    ids=["spelled otherwise", "moved nothing else known", "another name", "same household", "same name"],
)
def test_two_traits_of_one_person_tell_that_it_may_be_the_same(changes: dict[str, Any], shared: list[str]) -> None:
    changes = {"safe_contact": {"channels": ["via-referrer"]}, **changes}
    assert in_common(person(), person(**changes)) == shared


some = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Ann Lee", "lee ANN", "Bo Lee"]),
        "born": st.sampled_from([None, "1951-03-09", "1980-01-01"]),
        "postcode": st.sampled_from([None, "LS9 6AB", "LS96AB"]),
        "phone": st.sampled_from([None, "+447700900123", "+447700900456"]),
        "safe_contact": st.just({"channels": ["via-referrer"]}),
    }
)


@given(some, some)
def test_who_may_be_the_same_is_found_by_a_token_and_nobody_else(a: dict[str, Any], b: dict[str, Any]) -> None:
    one, other = person(**a), person(**b)
    assert bool(in_common(one, other)) == bool(set(pairs(one)) & set(pairs(other)))
    assert in_common(one, other) == in_common(other, one)
    assert all(traits(one).values())


async def refer(stage: Stage, partner: str, kinds: Sequence[str], told: dict[str, Any] | None = None) -> list[Said]:
    needs = [{"kind": kind} for kind in kinds]
    return await stage.receive(partner, a_referral(a_person(**(told or TOLD)), needs=needs))


async def test_a_second_open_need_of_a_kind_is_taken_and_held_and_the_answer_tells_nothing(on_stage: Stage) -> None:
    first = await refer(on_stage, "gp-armley", ["device"])
    other = await refer(on_stage, "food-bank", ["device", "skills"], {**TOLD, "name": "muller smith zoe"})
    (acknowledged,) = said(other, ReferralAcknowledged)
    assert [need.kind for need in acknowledged.needs] == ["device", "skills"]
    (received,) = said(other, ReferralReceived)
    assert [(need.kind, need.paused) for need in received.needs] == [("device", True), ("skills", False)]
    assert statuses(other) == [("on-hold", "checking")]
    (mine,) = said(first, ReferralReceived)
    told = "".join(fact.value.decode() for fact in other if isinstance(fact, Fact))
    assert str(mine.referral_id) not in told
    assert str(mine.person_ref) not in told
    (pair,) = await on_stage.rows("select * from possible_duplicate")
    assert (pair["referral_id"], pair["other_id"]) == (received.referral_id, mine.referral_id)
    assert pair["in_common"] == ["born", "name", "phone", "postcode"]


async def test_two_of_one_poll_are_compared_too(on_stage: Stage) -> None:
    told = await on_stage.receive("gp-armley", a_referral(a_person(**TOLD)), a_referral(a_person(**TOLD)))
    assert [[need.paused for need in received.needs] for received in said(told, ReferralReceived)] == [
        [False, False],
        [True, True],
    ]


async def test_another_person_is_nobodys_duplicate(on_stage: Stage) -> None:
    await refer(on_stage, "gp-armley", ["device"])
    other = await refer(on_stage, "food-bank", ["device"], {**TOLD, "name": "Sam Other", "born": "1980-01-01"})
    assert not statuses(other)
    assert not await on_stage.rows("select 1 from possible_duplicate")


async def settle(stage: Stage, found: str) -> list[Said]:
    (pair,) = await stage.rows("select referral_id, other_id from possible_duplicate")
    return await stage.result(SettleDuplicate.model_validate({**BY_STAFF, **pair, "found": found}))


async def test_two_people_are_helped_both(on_stage: Stage) -> None:
    await refer(on_stage, "gp-armley", ["device"])
    await refer(on_stage, "food-bank", ["device"])
    told = await settle(on_stage, "different")
    assert statuses(told) == [("on-hold", "waiting-for-place")]
    assert told_matching(told) == [(False, None)]
    assert rules(await settle(on_stage, "same")) == ["not-found"]


async def test_what_one_person_asks_twice_ends_and_the_partner_is_not_told_why(on_stage: Stage) -> None:
    await refer(on_stage, "gp-armley", ["device"])
    await refer(on_stage, "food-bank", ["device", "skills"])
    told = await settle(on_stage, "same")
    assert statuses(told) == [("cancelled", "other")]
    assert said(told, ReferralWithdrawn)
    assert not said(told, ReferralAmended)
