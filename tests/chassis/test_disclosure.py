import pytest

from chassis.disclosure import published


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
