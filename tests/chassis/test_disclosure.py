"""Small counts are hidden, and cannot be had by subtraction, whoever tries."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.disclosure import NOT_SMALL, SMALL, bounds, percentage, protect, published
from chassis.worlds import UNTOLD, Bounds, People, Sort
from tests.attacker import Solver
from tests.support import usual

COUNT = st.one_of(st.integers(0, 9), st.integers(0, 30))


@pytest.mark.invariant(7)
def test_counts_of_one_to_seven_are_hidden() -> None:
    assert [published(count) for count in range(1, 8)] == [None] * 7


def test_nobody_is_zero() -> None:
    assert published(0) == 0


@pytest.mark.parametrize(
    ("count", "shown"), [(8, 10), (12, 10), (13, 15), (17, 15), (18, 20), (1000, 1000), (1003, 1005)]
)
def test_larger_counts_are_rounded_to_the_nearest_five(count: int, shown: int) -> None:
    assert published(count) == shown


@pytest.mark.parametrize("count", range(60))
def test_the_bounds_of_a_count_are_all_that_would_be_published_alike(count: int) -> None:
    least, most = bounds(count)
    assert most is not None
    assert [n for n in range(80) if published(n) == published(count)] == list(range(least, most + 1))


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(10, 40, 25), (None, 40, None), (10, None, None), (0, 0, None), (45, 40, 100)]
)
def test_percentages_are_of_published_counts(part: int | None, whole: int | None, percent: int | None) -> None:
    assert percentage(part, whole) == percent


Key = Hashable
Cells = Mapping[Key, Callable[[Sort], bool]]
"""Which sorts each count counts."""


def kept_back(
    of_sort: Mapping[Sort, int],
    cells: Cells,
    slices: Sequence[Sequence[Key]],
    places: Mapping[Key, Sequence[int]],
    before: Mapping[Any, Bounds] | None = None,
) -> set[Key]:
    """What is kept back of counts by their names."""
    names = list(cells)
    number = {key: n for n, key in enumerate(names)}
    counts = {n: sum(many for sort, many in of_sort.items() if cells[key](sort)) for n, key in enumerate(names)}

    def counted_in(sort: Sort) -> int:
        return sum(1 << n for n, key in enumerate(names) if cells[key](sort))

    people = People(of_sort, counts, counted_in, lambda n: places.get(names[n], ()))
    told = [[number[key] for key in part] for part in slices]
    return {names[n] for n in protect(people, told, {number[key]: [bound] for key, bound in (before or {}).items()})}


def of_parts(
    parts: Mapping[str, int], before: Mapping[Any, Bounds] | None = None, told: Sequence[Sequence[Key]] = ()
) -> set[Key]:
    """What is kept back of people of several parts, told by parts and in all."""
    cells: dict[Key, Callable[[Sort], bool]] = {"all": lambda sort: True}
    cells |= {part: lambda sort, part=part: sort == (part,) for part in parts}  # type: ignore[misc]
    of_sort: dict[Sort, int] = {(part,): count for part, count in parts.items()}
    return kept_back(of_sort, cells, told or [["all"], list(parts)], dict.fromkeys(parts, (0,)), before)


def test_where_enough_is_possible_nothing_is_kept_back() -> None:
    assert of_parts({"there": 13, "here": 7}) == set()


def test_a_count_is_kept_back_with_which_a_total_would_tell_what_is_hidden() -> None:
    """18 to 22 in all and 8 to 12 of them there: here would be 6 or 7."""
    (kept,) = of_parts({"there": 12, "here": 6})
    assert kept in {"there", "all"}


def test_a_total_is_kept_back_that_tells_of_hidden_parts_alone() -> None:
    assert of_parts({"a": 7, "b": 7}) == {"all"}


def test_even_a_hidden_total_is_kept_back_where_its_hidden_parts_would_be_one_each() -> None:
    parts = {f"part {n}": 1 for n in range(7)}
    assert of_parts(parts) == {"all"}


def test_what_was_published_before_is_reckoned_with_and_not_taken_back() -> None:
    before = {"april": bounds(6), "may": bounds(7)}
    assert of_parts({"april": 6, "may": 7}, before, [["all"]]) == {"all"}
    assert of_parts({"april": 6, "may": 7}, told=[["all"]]) == set()


def test_where_the_first_changes_would_all_be_seen_others_are_tried() -> None:
    """Nobody can leave the hundreds of parts that have 8 people, but somebody can leave the last one."""
    parts = {"here": 2, **{f"part {n}": 8 for n in range(400)}, "there": 10}
    before = {key: bounds(count) for key, count in {"all": 3212, **parts}.items() if key != "there"}
    assert sum(parts.values()) == 3212
    assert of_parts(parts, before, [["there"]]) == set()


def assert_safe(
    of_sort: Mapping[Sort, int], cells: Cells, slices: Sequence[Sequence[Key]], kept: Collection[Key]
) -> None:
    """Against somebody who solves for the least and the most that each count can be. He even knows that what is kept
    back alone is not small."""
    counts = {key: sum(n for sort, n in of_sort.items() if counts(sort)) for key, counts in cells.items()}
    known: dict[Key, Bounds] = {}
    for part in slices:
        alone = NOT_SMALL if set(part) - set(kept) else UNTOLD
        known |= {key: alone if key in kept else bounds(counts[key]) for key in part}
    sorts = list(of_sort)
    solver = Solver(sorts, [([sort for sort in sorts if cells[key](sort)], told) for key, told in known.items()])
    for key, count in counts.items():
        if count in SMALL:
            least, most = solver.extremes([sort for sort in sorts if cells[key](sort)])
            assert least <= count <= most, "the attacker is wrong"
            assert most - least >= 2, f"{key}: {least} to {most}"


@pytest.mark.invariant(7)
@settings(max_examples=usual(40))
@given(st.lists(st.lists(COUNT, min_size=3, max_size=3), min_size=2, max_size=4))
def test_rows_columns_and_totals_of_a_table_tell_no_small_count(table: list[list[int]]) -> None:
    of_sort: dict[Sort, int] = {(row, col): n for row, line in enumerate(table) for col, n in enumerate(line)}
    cells: dict[Key, Callable[[Sort], bool]] = {"all": lambda sort: True}
    cells |= {("row", row): lambda sort, row=row: sort[0] == row for row in range(len(table))}  # type: ignore[misc]
    cells |= {("col", col): lambda sort, col=col: sort[1] == col for col in range(3)}  # type: ignore[misc]
    cells |= {each: lambda sort, each=each: sort == each for each in of_sort}
    places: dict[Key, Sequence[int]] = {
        key: (0,) if key[0] == "row" else (1,) if key[0] == "col" else (0, 1) for key in cells if isinstance(key, tuple)
    }
    slices: list[Sequence[Key]] = [
        ["all"],
        *([key for key in cells if isinstance(key, tuple) and key[0] == word] for word in ("row", "col")),
        *([(row, col) for col in range(3)] for row in range(len(table))),
    ]
    assert_safe(of_sort, cells, slices, kept_back(of_sort, cells, slices, places))


def test_the_attacker_can_attack() -> None:
    """He finds what simple hiding gives away; else the test above would show nothing."""
    of_sort: dict[Sort, int] = {("a",): 7, ("b",): 7}
    cells: Cells = {"all": lambda sort: True, "a": lambda sort: sort == ("a",), "b": lambda sort: sort == ("b",)}
    with pytest.raises(AssertionError, match="a: 6 to 7"):
        assert_safe(of_sort, cells, [["all"], ["a", "b"]], [])
