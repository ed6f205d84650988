"""Whom a place suits, what the rank is, when a place is open, and why a gap is one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calendar import day_of, start_of
from services.matching.domain.calendar import state_on, turns_after
from services.matching.domain.fit import Asks, Gap, Terms, gap_of, misses, rank_key, takes_more
from services.matching.domain.index import by_kind
from tests.matching.builders import ARMLEY, HAREHILLS, a_need, a_place
from tests.matching.strategies import ASKS, TERMS
from tests.support import NOON


def asks(**differences: object) -> Asks:
    return Asks(**{"kind": "device", "partner": "gp-armley", "ward": ARMLEY, **differences})  # type: ignore[arg-type]  # a test says what it wants


def terms(**differences: object) -> Terms:
    return Terms(**{"kind": "device", **differences})  # type: ignore[arg-type]  # a test says what it wants


def words(*those: str) -> frozenset[str]:
    return frozenset(those)


@pytest.mark.parametrize(
    ("need", "place", "why"),
    [
        (asks(), terms(), ()),
        (asks(), terms(kind="champion"), ("no-place-of-kind",)),
        (asks(), terms(wards=words(ARMLEY)), ()),
        (asks(), terms(wards=words(HAREHILLS)), ("ward-not-served",)),
        (asks(ward=None), terms(wards=words(ARMLEY)), ("ward-not-served",)),
        (asks(ward=None), terms(), ()),
        (asks(requirements=words("large-screen")), terms(), ("requirement",)),
        (asks(requirements=words("large-screen")), terms(requirements=words("large-screen", "home-visit")), ()),
        (asks(languages=words("ur")), terms(languages=words("en")), ("language",)),
        (asks(languages=words("ur", "en")), terms(languages=words("en")), ()),
        (asks(languages=words("ur")), terms(), ()),
        (asks(), terms(languages=words("en")), ()),
        (asks(formats=words("video")), terms(formats=words("in-person")), ("format",)),
        (asks(), terms(open_to=words("gp-armley", "food-bank")), ()),
        (asks(), terms(open_to=words("food-bank")), ("not-open-to",)),
        (asks(schemes=words("scheme:databank")), terms(scheme="scheme:databank"), ()),
        (asks(), terms(scheme="scheme:databank"), ("scheme",)),
        (asks(schemes=words("scheme:databank")), terms(), ()),
        (asks(days=words("sat")), terms(days=words("mon", "sat")), ()),
        (asks(days=words("sat")), terms(days=words("mon")), ("requirement",)),
        (asks(days=words("sat")), terms(), ()),
        (asks(), terms(days=words("mon")), ()),
    ],
)
def test_a_place_suits_a_need_unless_one_of_its_terms_is_not_met(
    need: Asks, place: Terms, why: tuple[str, ...]
) -> None:
    assert tuple(misses(need, place)) == why


@given(asked=ASKS, on=st.lists(TERMS, max_size=8), barred=st.sets(st.integers(0, 7)), shuns=st.booleans())
def test_the_index_has_for_a_need_the_places_that_miss_nothing(
    asked: Asks, on: list[Terms], barred: set[int], shuns: bool
) -> None:
    places = [replace(a_place(f"p{n}", partner=f"partner-{n % 2}"), terms=one) for n, one in enumerate(on)]
    never = {place.key for n, place in enumerate(places) if n in barred or (shuns and place.key.partner == "partner-1")}
    need = a_need(barred=frozenset(p.key for n, p in enumerate(places) if n in barred))
    need = replace(need, asks=asked, shuns=frozenset({"partner-1"} if shuns else ()))
    index = by_kind(places)[asked.kind]
    found = index.suiting(need)
    assert {place.key for number, place in enumerate(index.places) if found >> number & 1} == {
        place.key for place in places if place.key not in never and not [*misses(asked, place.terms)]
    }


def test_a_point_of_priority_is_worth_a_day_of_waiting() -> None:
    assert rank_key(NOON, 40) == rank_key(NOON - timedelta(days=40), 0) < rank_key(NOON - timedelta(days=39), 0)


def test_the_reasons_of_a_gap_are_those_of_the_nearest_places() -> None:
    need = asks(languages=words("ur"))
    near, also_near = terms(languages=words("en")), terms(wards=words(HAREHILLS))
    far = terms(wards=words(HAREHILLS), scheme="scheme:databank")
    assert gap_of(need, [far, near, also_near]) == Gap(["language", "ward-not-served"], ["ur"])


@pytest.mark.parametrize(
    "supply", [[], [terms(kind="skills")], [terms()]], ids=["none", "other kind", "declined before"]
)
def test_without_a_place_left_the_reason_is_that_there_is_none(supply: list[Terms]) -> None:
    assert gap_of(asks(), supply) == Gap(["no-place-of-kind"], [])


def test_a_gap_tells_which_codes_the_nearest_places_lack() -> None:
    need = asks(requirements=words("large-screen", "home-visit"), formats=words("video"))
    near = terms(requirements=words("large-screen"), formats=words("phone", "video"))
    assert gap_of(need, [near, terms(formats=words("phone"))]) == Gap(["requirement"], ["home-visit"])
    assert gap_of(asks(), [terms(scheme="scheme:databank")]) == Gap(["scheme"], ["scheme:databank"])


@pytest.mark.parametrize(("day", "state"), [(1, "planned"), (2, "open"), (3, "open"), (4, "open"), (5, "closed")])
def test_a_place_is_open_from_its_first_day_to_its_last(day: int, state: str) -> None:
    assert state_on(date(2026, 12, day), date(2026, 12, 2), date(2026, 12, 4)) == state


def test_days_begin_at_midnight_in_leeds_also_in_summer() -> None:
    assert start_of(date(2026, 7, 1)) == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert day_of(datetime(2026, 6, 30, 23, tzinfo=UTC)) == date(2026, 7, 1)


def test_only_turns_that_are_to_come_are_awaited() -> None:
    at = datetime(2026, 12, 3, 12, tzinfo=UTC)
    assert turns_after(at, date(2026, 12, 2), date(2026, 12, 4)) == [datetime(2026, 12, 5, tzinfo=UTC)]
    assert turns_after(at, None, date.max) == []


def test_a_place_with_a_unit_free_already_is_not_looked_through_the_queue_for() -> None:
    """While it was free it suited nobody who waits."""
    full, free, freer = (replace(a_place(free=3), held=held) for held in (3, 2, 1))
    assert takes_more(None, free)
    assert takes_more(full, free)
    assert not takes_more(free, freer)
    assert takes_more(free, replace(freer, terms=replace(freer.terms, wards=words(ARMLEY))))
    assert takes_more(replace(free, state="planned"), free)
    assert not takes_more(None, full)
