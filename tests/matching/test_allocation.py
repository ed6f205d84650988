"""The allocation against brute force, and what narrow places are kept for."""

import random
from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.allocation import allocate
from services.matching.domain.fit import Need, Place, misses
from tests.matching.builders import ARMLEY, HAREHILLS, a_need, a_place
from tests.support import usual

WARDS = st.sampled_from([frozenset[str](), frozenset({ARMLEY}), frozenset({ARMLEY, HAREHILLS})])
DAYS = st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"mon"}), frozenset({"sat"})])
LANGUAGES = st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"ur"})])
KINDS = st.sampled_from(["device", "device", "device", "champion"])


@st.composite
def some_places(draw: st.DrawFn) -> list[Place]:
    return [
        a_place(
            f"p{number}",
            free=draw(st.sampled_from([0, 1, 1, 2])),
            wards=draw(WARDS),
            languages=draw(LANGUAGES),
            days=draw(DAYS),
            kind=draw(KINDS),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


@st.composite
def some_needs(draw: st.DrawFn, places: list[Place]) -> list[Need]:
    return [
        a_need(
            number,
            waited=draw(st.integers(0, 3)),
            ward=draw(st.sampled_from([ARMLEY, ARMLEY, HAREHILLS, None])),
            languages=draw(LANGUAGES),
            days=draw(DAYS),
            kind=draw(KINDS),
            barred=frozenset(place.key for place in places if draw(st.booleans())),
            shuns=frozenset({"library"}) if draw(st.integers(0, 4)) == 0 else frozenset(),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


def fits(need: Need, place: Place) -> bool:
    return (
        not [*misses(need.asks, place.terms)] and place.key not in need.barred and place.key.partner not in need.shuns
    )


def best_served(needs: list[Need], places: list[Place]) -> tuple[bool, ...]:
    """Of all the ways to give places, the best by rank: tries every one."""
    ranked = sorted(needs, key=lambda need: need.rank)
    choices = [[None, *(place for place in places if fits(need, place))] for need in ranked]
    possible = []
    for way in product(*choices):
        used = Counter(place.key for place in way if place)
        if all(used[place.key] <= place.free for place in places):
            possible.append(tuple(place is not None for place in way))
    return max(possible)


@pytest.mark.invariant(3)
@settings(max_examples=usual(300))
@given(st.data())
def test_the_served_are_the_best_by_rank_that_the_places_allow(data: st.DataObject) -> None:
    places = data.draw(some_places())
    needs = data.draw(some_needs(places))
    matches = allocate(needs, places)
    served = {match.need.need_id for match in matches}
    ranked = sorted(needs, key=lambda need: need.rank)
    by_key = {place.key: place for place in places}
    used = Counter(match.place for match in matches)
    assert all(fits(match.need, by_key[match.place]) for match in matches)
    assert all(used[place.key] <= place.free for place in places)
    assert len(served) == len(matches)
    assert tuple(need.need_id in served for need in ranked) == best_served(needs, places)


@settings(max_examples=usual(100))
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_in_which_needs_and_places_are_given_does_not_matter(
    data: st.DataObject, shuffle: random.Random
) -> None:
    places = data.draw(some_places())
    needs = data.draw(some_needs(places))
    expected = allocate(needs, places)
    shuffle.shuffle(places)
    shuffle.shuffle(needs)
    assert allocate(needs, places) == expected


@pytest.mark.parametrize(
    "narrow",
    [{"wards": frozenset({ARMLEY})}, {"open_to": frozenset({"gp-armley"})}, {"languages": frozenset({"en"})}],
    ids=["wards", "open to", "languages"],
)
def test_the_narrower_place_is_given_first(narrow: dict[str, Any]) -> None:
    (match,) = allocate([a_need(languages=frozenset({"en"}))], [a_place("a"), a_place("z", **narrow)])
    assert match.place.place_id == "z"


def test_what_meets_a_requirement_is_kept_for_whom_it_matters() -> None:
    (match,) = allocate([a_need()], [a_place("a", requirements=frozenset({"large-screen"})), a_place("z")])
    assert match.place.place_id == "z"


def test_a_need_is_moved_to_a_wider_place_so_that_another_is_served_too() -> None:
    picky = a_need(2, barred=frozenset({a_place("wide").key}))
    matches = allocate([a_need(1), picky], [a_place("narrow", wards=frozenset({ARMLEY})), a_place("wide")])
    assert [match.place.place_id for match in matches] == ["wide", "narrow"]


def test_a_need_that_nothing_suits_does_not_keep_others_from_being_moved() -> None:
    nobody, first = a_need(1, waited=9, kind="champion"), a_need(2, waited=5)
    picky = a_need(3, barred=frozenset({a_place("wide").key}))
    matches = allocate([nobody, first, picky], [a_place("narrow", wards=frozenset({ARMLEY})), a_place("wide")])
    assert [match.need for match in matches] == [first, picky]


def test_a_long_chain_of_moves_is_found() -> None:
    """Each of 2,000 needs fits its own place and the next; the last fits only the first."""
    wards = [f"E05{number:06}" for number in range(2001)]
    places = [a_place(f"p{n:04}", wards=frozenset(wards[max(n - 1, 0) : n + 1])) for n in range(2001)]
    chain = [a_need(n, waited=5, ward=wards[n]) for n in range(2000)]
    last = a_need(9999, ward=wards[0], barred=frozenset({places[1].key}))
    assert len(allocate([*chain, last], places)) == 2001


@pytest.mark.invariant(3)
def test_whom_one_must_not_meet_others_who_ask_the_same_still_may() -> None:
    shy, other = replace(a_need(1, waited=5), shuns=frozenset({"library"})), a_need(2)
    assert [match.need for match in allocate([shy, other], [a_place()])] == [other]
