"""Small counts are hidden, and cannot be had by subtraction, whoever tries."""

from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.disclosure import NOT_SMALL, SMALL, UNTOLD, Bounds, Key, Sum, bounds, percentage, protect, published
from tests.attacker import Attacker

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


def test_where_enough_is_possible_nothing_is_kept_back() -> None:
    counts: dict[Key, int] = {"all": 20, "there": 13, "here": 7}
    assert protect(counts, [("all", ["there", "here"])], [["all"], ["there", "here"]]) == set()


def test_a_part_is_kept_back_with_which_the_total_would_tell_what_is_hidden() -> None:
    """18 to 22 in all and 8 to 12 of them there: here would be 6 or 7."""
    counts: dict[Key, int] = {"all": 18, "there": 12, "here": 6}
    assert protect(counts, [("all", ["there", "here"])], [["all"], ["there", "here"]]) == {"there"}


def test_a_total_is_kept_back_that_tells_of_hidden_parts_alone() -> None:
    counts: dict[Key, int] = {"all": 14, "a": 7, "b": 7}
    assert protect(counts, [("all", ["a", "b"])], [["all"], ["a", "b"]]) == {"all"}


def test_what_cannot_be_mended_by_one_count_is_not_broken_down() -> None:
    """Seven hidden parts of a hidden whole are one each."""
    parts = [f"part {n}" for n in range(7)]
    counts: dict[Key, int] = {"all": 7, **dict.fromkeys(parts, 1)}
    assert protect(counts, [("all", parts)], [["all"], parts]) == set(parts)


def test_what_was_published_before_is_reckoned_with_and_not_taken_back() -> None:
    counts: dict[Key, int] = {"april": 6, "may": 7, "both": 13}
    sums: list[Sum] = [("both", ["april", "may"])]
    before = {"april": bounds(6), "may": bounds(7)}
    assert protect(counts, sums, [["april"], ["may"], ["both"]], before) == {"both"}


def known_to_all(
    counts: Mapping[Key, int], slices: Sequence[Sequence[Key]], kept: set[Key], before: Mapping[Key, Bounds]
) -> dict[Key, Bounds]:
    """Even that what is kept back alone is not small."""
    known = {key: bounds(counts[key]) for part in slices for key in part} | dict(before)
    for part in slices:
        whole = set(part) <= kept
        known |= {key: UNTOLD if whole else NOT_SMALL for key in part if key in kept}
    return known


def assert_safe(counts: Mapping[Key, int], sums: Sequence[Sum], known: Mapping[Key, Bounds]) -> None:
    attacker = Attacker(list(counts), sums, known)
    for key, count in counts.items():
        if count in SMALL:
            least, most = attacker.bounds(key)
            assert least <= count <= most, "the attacker is wrong"
            assert most - least >= 2, f"{key}: {least} to {most}, of {dict(counts)}, known {known}"


@pytest.mark.invariant(7)
@settings(max_examples=30)
@given(st.lists(st.lists(COUNT, min_size=3, max_size=3), min_size=2, max_size=4))
def test_rows_columns_and_totals_of_a_table_tell_no_small_count(table: list[list[int]]) -> None:
    cells: dict[Key, int] = {(row, col): n for row, line in enumerate(table) for col, n in enumerate(line)}
    rows, cols = range(len(table)), range(3)
    counts: dict[Key, int] = dict(cells)
    counts |= {("row", row): sum(table[row]) for row in rows}
    counts |= {("col", col): sum(line[col] for line in table) for col in cols}
    counts["all"] = sum(cells.values())
    sums: list[Sum] = [
        ("all", [("row", row) for row in rows]),
        ("all", [("col", col) for col in cols]),
        *((("row", row), [(row, col) for col in cols]) for row in rows),
        *((("col", col), [(row, col) for row in rows]) for col in cols),
    ]
    slices: list[list[Key]] = [
        ["all"],
        [("row", row) for row in rows],
        [("col", col) for col in cols],
        *([(row, col) for col in cols] for row in rows),
    ]
    kept = protect(counts, sums, slices)
    assert_safe(counts, sums, known_to_all(counts, slices, kept, {}))


@pytest.mark.invariant(7)
@settings(max_examples=10)
@given(st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=2, max_size=4))
def test_months_and_the_year_to_date_tell_no_small_count(months: list[tuple[int, int, int]]) -> None:
    """Each month is published with the year up to then, and never taken back."""
    before: dict[Key, Bounds] = {}
    counts: dict[Key, int] = {}
    sums: list[Sum] = []
    to_date = [0, 0, 0]
    for nth, month in enumerate(months):
        to_date = [sum(pair) for pair in zip(to_date, month, strict=True)]
        new = {(nth, "month"): month, (nth, "year"): to_date}
        for (when, period), values in new.items():
            counts |= {(when, period, part): n for part, n in enumerate(values)}
            counts[when, period, "all"] = sum(values)
            sums.append(((when, period, "all"), [(when, period, part) for part in range(3)]))
        of_before = [(nth - 1, "year")] if nth else []
        sums += [
            ((nth, "year", part), [(*earlier, part) for earlier in (*of_before, (nth, "month"))])
            for part in (*range(3), "all")
        ]
        slices: list[list[Key]] = [
            *([[(nth, period, "all")] for period in ("year", "month")]),
            *([(nth, period, part) for part in range(3)] for period in ("year", "month")),
        ]
        kept = protect(counts, sums, slices, before)
        before |= known_to_all(counts, slices, kept, {})
        assert_safe(counts, sums, before)


def test_the_attacker_can_attack() -> None:
    """He finds what simple hiding gives away; else the tests above would show nothing."""
    counts: dict[Key, int] = {"all": 14, "a": 7, "b": 7}
    known = {key: bounds(count) for key, count in counts.items()}
    assert Attacker(list(counts), [("all", ["a", "b"])], known).bounds("a") == (6, 7)
    parts: list[Key] = list(product("ab", range(2)))
    with pytest.raises(AssertionError, match="6 to 7"):
        assert_safe(counts, [("all", ["a", "b"])], known)
    assert Attacker(parts, [], {}).bounds(parts[0])[0] == 0
