"""What one person needs is planned together, where one partner can give it."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.matching import OfferMade
from services.matching.domain.allocation import allocate, bundled
from services.matching.domain.fit import Need
from tests.matching.builders import ARMLEY, Matching, a_need, a_place, id_of, place, provider, referral
from tests.matching.log import must_replay
from tests.support import said


def of_one_person(*kinds: str, **asks: Any) -> list[Need]:
    return [replace(a_need(nth, kind=kind, **asks), referral_id=id_of(99)) for nth, kind in enumerate(kinds)]


def partners(needs: list[Need], places: list[Any], **helping: Any) -> list[str]:
    matches = allocate(bundled(needs, places, {id_of(99): helping.get("helping", [])}), places)
    return [match.place.partner for match in sorted(matches, key=lambda match: match.need.asks.kind)]


def test_a_device_and_a_sim_come_from_one_partner_that_has_both() -> None:
    places = [a_place(partner="a"), a_place("sims", partner="b", kind="connectivity"), a_place(partner="b")]
    assert partners(of_one_person("device", "connectivity"), places) == ["b", "b"]


def test_what_somebody_gives_already_counts() -> None:
    places = [a_place("sims", partner=partner, kind="connectivity") for partner in ("a", "b")]
    assert partners(of_one_person("connectivity"), places, helping=["b"]) == ["b"]
    assert partners(of_one_person("connectivity"), places) == ["a"]


def test_a_narrower_place_is_given_all_the_same() -> None:
    places = [
        a_place(partner="a", wards=frozenset({ARMLEY})),
        a_place(partner="b"),
        a_place("sims", partner="b", kind="connectivity"),
    ]
    assert partners(of_one_person("device", "connectivity"), places) == ["b", "a"]


@pytest.mark.invariant(3)
def test_one_partner_for_all_never_costs_another_person_their_place() -> None:
    """The device of partner b is the only one for the second person: the first then takes it from a."""
    both = of_one_person("device", "connectivity")
    other = a_need(7, waited=-1, barred=frozenset({a_place(partner="a").key}))
    places = [a_place(partner="a"), a_place(partner="b"), a_place("sims", partner="b", kind="connectivity")]
    matches = allocate(bundled([*both, other], places, {}), places)
    assert {(match.need.need_id, match.place.partner) for match in matches} == {
        (id_of(0), "a"),
        (id_of(1), "b"),
        (id_of(7), "b"),
    }


async def test_what_was_decided_together_is_told_and_ends_each_for_itself(matching: Matching) -> None:
    await matching.stage.receive("food-bank", provider())
    await matching.open(place(), partner="food-bank")
    await matching.open(place("z-tablets"), place("sims", kind="connectivity"))
    sim = referral(2, kind="connectivity").needs
    told = said(await matching.hear(referral(1).model_copy(update={"needs": [*referral(1).needs, *sim]})), OfferMade)
    assert {(made.kind, made.provider, made.prefers) for made in told} == {
        ("device", "library", "library"),
        ("connectivity", "library", "library"),
    }
    await matching.accept(told[0])
    assert sorted([await matching.state(1), await matching.state(2)]) == ["accepted", "offered"]
    await must_replay(matching.stage)
