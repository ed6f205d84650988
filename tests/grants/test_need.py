"""Gap weight: money follows need, and tells nothing that is not published."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.disclosure import published
from contracts.vocabulary import Kind
from services.grants.domain.need import GapWeight, Project, low_reach, weigh

ARMLEY, HAREHILLS = "E05011400", "E05011401"


def project(*kinds: Kind, wards: tuple[str, ...] = (), **more: Any) -> Project:
    return Project(kinds or ("device",), wards, more.pop("capacity", {}), frozenset(more.pop("refers_as", ())))


def weights(gaps: Mapping[tuple[Kind, str], Mapping[str, int]], *projects: Project, **more: Any) -> list[GapWeight]:
    return weigh(projects, gaps, more.get("low", frozenset()), more.get("floor", 10), 20, published)


GAPS: dict[tuple[Kind, str], dict[str, int]] = {
    ("device", ARMLEY): {"gp": 20, "food-bank": 10},
    ("device", HAREHILLS): {"gp": 10},
    ("skills", ARMLEY): {"gp": 15},
}


def test_who_meets_the_most_gets_all_the_points_and_the_others_their_share() -> None:
    all_, half, none = weights(GAPS, project(), project(wards=(HAREHILLS,)), project("champion"))
    assert [(each.met, each.points) for each in (all_, half, none)] == [(40, 20), (10, 5), (0, 0)]


def test_a_project_meets_no_more_than_it_could_help() -> None:
    small, large = weights(GAPS, project(capacity={"device": 8}), project(capacity={"device": 80}))
    assert (small.met, large.met) == (8, 40)


def test_an_applicants_own_referrals_do_not_count() -> None:
    own, other = weights(GAPS, project(wards=(ARMLEY,), refers_as=("food-bank",)), project(wards=(ARMLEY,)))
    assert (own.met, other.met) == (20, 30)


def test_an_applicant_whose_referrals_are_all_there_is_meets_none() -> None:
    (own,) = weights({("device", ARMLEY): {"us": 12}}, project(wards=(ARMLEY,), refers_as=("us",)))
    assert (own.met, own.points) == (0, 0)


def test_silence_of_a_deprived_ward_is_not_read_as_no_need() -> None:
    low = frozenset({HAREHILLS})
    (weight,) = weights({}, project(wards=(ARMLEY, HAREHILLS)), low=low)
    assert weight.met == 10
    (cell,) = weight.cells
    assert (cell.area, cell.people, cell.counted, cell.low_reach) == (HAREHILLS, 0, 10, True)


@pytest.mark.parametrize(
    ("decile", "referrals", "is_low"), [(1, 0, True), (2, 7, True), (2, 8, False), (3, 0, False), (1, 100, False)]
)
def test_low_reach_is_deprived_and_hardly_referred_from(decile: int, referrals: int, is_low: bool) -> None:
    assert (ARMLEY in low_reach({ARMLEY: decile}, {ARMLEY: referrals}, published)) == is_low


def test_a_hidden_count_is_shown_as_hidden_and_counts_as_its_middle() -> None:
    (weight,) = weights({("device", ARMLEY): {"gp": 2}}, project(wards=(ARMLEY,)))
    assert [(cell.people, cell.counted) for cell in weight.cells] == [(None, 4)]


COUNT = st.integers(0, 60)


@pytest.mark.invariant(7)
@given(COUNT, COUNT)
def test_counts_that_are_published_alike_weigh_alike(one: int, other: int) -> None:
    """So points tell nothing of a count that is not published."""
    if published(one) != published(other):
        return
    seen = [weights({("device", ARMLEY): {"gp": n}}, project(), project("skills")) for n in (one, other)]
    assert seen[0] == seen[1]


@pytest.mark.invariant(7)
@given(st.integers(8, 60), st.integers(1, 7))
def test_how_many_of_a_count_are_the_applicants_own_cannot_be_told_to_within_three(total: int, own: int) -> None:
    """What an assessor sees of an applicant's share stands for at least three numbers."""
    if own > total:
        return

    def seen(n: int) -> Any:
        return weights({("device", ARMLEY): {"us": n, "gp": total - n}}, project(refers_as=("us",)), project())

    alike = [n for n in range(1, total + 1) if seen(n) == seen(own)]
    assert len(alike) >= 3
