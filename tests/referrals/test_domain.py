"""The pure rules of referrals: how far a person is, areas."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.person import Circumstance
from contracts.vocabulary import NeedStatus
from services.referrals.domain.areas import Area, BadAreas, parse
from services.referrals.domain.priority import GROUPS, Policy, Score, area_step, score
from services.referrals.domain.schemes import age, qualifies_for
from tests.support import DATA, NOON

DEFAULT_AREAS = Path(__file__).parents[2] / "deploy" / "data" / "leeds_wards.csv"

CIRCUMSTANCES: tuple[Circumstance, ...] = get_args(Circumstance)
STATUSES: tuple[NeedStatus, ...] = get_args(NeedStatus)
ID = UUID(int=1)

told_sets = st.frozensets(st.sampled_from(CIRCUMSTANCES))
deciles = st.none() | st.integers(1, 10)


# Priority


def test_every_circumstance_is_in_one_group_and_every_group_has_two_or_more() -> None:
    assert sorted(code for codes in GROUPS.values() for code in codes) == sorted(CIRCUMSTANCES)
    assert all(len(codes) >= 2 for codes in GROUPS.values())
    assert len(GROUPS) == 5


@given(told_sets, deciles)
def test_nothing_published_proves_a_yes_to_any_one_circumstance(told: frozenset[str], decile: int | None) -> None:
    """Whatever is published of a person is published of somebody without that circumstance, too."""
    published = score(Policy(), told, decile)
    for code in told:
        (group,) = (codes for codes in GROUPS.values() if code in codes)
        without = told - {code} | (group - {code})
        assert score(Policy(), without, decile) == published


@given(told_sets, st.sampled_from(CIRCUMSTANCES), deciles)
def test_a_second_barrier_of_a_group_adds_nothing(told: frozenset[str], more: str, decile: int | None) -> None:
    (group,) = (codes for codes in GROUPS.values() if more in codes)
    assume(told & group)
    assert score(Policy(), told | {more}, decile) == score(Policy(), told, decile)


@given(told_sets, deciles)
def test_each_group_that_applies_gives_the_same_points(told: frozenset[str], decile: int | None) -> None:
    scored = score(Policy(), told, decile)
    assert scored.groups == len([codes for codes in GROUPS.values() if codes & told])
    assert scored.points == 15 * scored.groups + scored.area_step


@pytest.mark.parametrize(("decile", "step"), [(1, 10), (2, 10), (3, 5), (5, 5), (6, 0), (10, 0), (None, 5)], ids=str)
def test_the_area_gives_one_of_three_steps(decile: int | None, step: int) -> None:
    assert area_step(Policy(), decile) == step


def test_the_furthest_and_the_nearest() -> None:
    assert score(Policy(), frozenset(CIRCUMSTANCES), 1) == Score(85, 5, 10, "leeds-1")
    assert score(Policy(), frozenset(), 10) == Score(0, 0, 0, "leeds-1")


# Schemes


@pytest.mark.parametrize(
    ("born", "told", "codes"),
    [
        (date(1951, 3, 9), {"low-income", "offline"}, ["scheme:databank"]),
        (date(1951, 3, 9), {"urgent-money-need", "offline"}, ["scheme:databank"]),
        (date(2008, 11, 20), {"low-income", "offline"}, ["scheme:databank"]),
        (date(2008, 11, 21), {"low-income", "offline"}, []),
        (date(1951, 3, 9), {"low-income"}, []),
        (date(1951, 3, 9), {"offline"}, []),
        (None, {"low-income", "offline"}, []),
    ],
)
def test_a_data_sim_wants_an_adult_with_low_income_and_poor_access(
    born: date | None, told: set[str], codes: list[str]
) -> None:
    assert qualifies_for(born, told, NOON.date()) == codes


@pytest.mark.parametrize(("on", "years"), [(date(2025, 2, 28), 24), (date(2025, 3, 1), 25), (date(2024, 2, 29), 24)])
def test_who_was_born_on_a_leap_day_is_a_year_older_in_march(on: date, years: int) -> None:
    assert age(date(2000, 2, 29), on) == years


# Areas

SMALL = "lsoa21cd,lsoa21nm,wd25cd,wd25nm,imd2025_rank,imd2025_decile,imd2025_score\n"


def test_wards_are_read_by_themselves() -> None:
    assert parse("\ufeffcode,name,decile\nE05011385,Armley,2\n") == [Area("E05011385", "Armley", 2)]


def test_small_areas_make_up_wards_with_their_mean_decile() -> None:
    rows = ["E01000001,A1,E05000001,A,1,1,9", "E01000002,A2,E05000001,A,1,4,9", "E01000003,B1,E05000002,B,1,10,9"]
    assert parse(SMALL + "\n".join(rows)) == [
        Area("E05000001", "A", 2),
        Area("E05000002", "B", 10),
        Area("E01000001", "A1", 1, "E05000001"),
        Area("E01000002", "A2", 4, "E05000001"),
        Area("E01000003", "B1", 10, "E05000002"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "row 1: there should be columns code, decile, name or "),
        ("code,name\nE05011385,Armley\n", "row 1: there should be columns"),
        ("code,name,decile\n", "the file has no rows"),
        ("code,name,decile\nE05011385,Armley,2\nE05011384,,6\n", "row 3: name is empty"),
        ("code,name,decile\nE05011385,Armley\n", "row 2: decile is empty"),
        ("code,name,decile\nE05011385,Armley,11\n", "row 2: the decile must be a whole number from 1 to 10"),
        ("code,name,decile\nE05011385,Armley,0\n", "row 2: the decile must be"),
        ("code,name,decile\nE05011385,Armley,2.5\n", "row 2: the decile must be"),
        (SMALL + "E01000001,A1,E05000001,A,1,-1,9\n", "row 2: the decile must be"),
        (SMALL + "E01000001,A1,,A,1,1,9\n", "row 2: wd25cd is empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_row_and_column(text: str, line: str) -> None:
    with pytest.raises(BadAreas) as refused:
        parse(text)
    assert refused.value.lines[0].startswith(line)


def test_the_real_areas_of_leeds() -> None:
    file = DATA / "leeds_lsoa21_ward25_imd2025.csv"
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    read = parse(file.read_text(encoding="utf-8-sig"))
    small, wards = [area for area in read if area.ward], [area for area in read if area.ward is None]
    assert (len(small), len(wards)) == (488, 33)
    assert {area.ward for area in small} == {ward.code for ward in wards}
    assert {ward.code: ward.decile for ward in wards}["E05011400"] == 2
    assert sorted(wards, key=lambda ward: ward.code) == [replace(ward, committee=None) for ward in default_wards()]


def default_wards() -> list[Area]:
    return sorted(parse(DEFAULT_AREAS.read_text(encoding="utf-8")), key=lambda ward: ward.code)


def test_the_default_areas_are_the_33_wards_of_leeds() -> None:
    wards = default_wards()
    assert len({ward.code for ward in wards}) == len(wards) == 33
