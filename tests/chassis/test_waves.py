"""A poll is cut into waves so that every lane keeps its order and handlers get as many events as that allows."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.envelope import Event
from chassis.work import waves
from contracts.message import Message
from tests.support import NOON

Wave = dict[str, list[str]]


class Nothing(Message):
    """A message without content."""


def event(number: int, lane: str, kind: str) -> Event[Nothing]:
    return Event(str(number), "/test", kind, NOON, "key", lane, Nothing(), "")


def events(written: str) -> list[Event[Nothing]]:
    """`1a 2a 1b`: an event for each word, of a lane and a type."""
    return [event(n, word[0], word[1]) for n, word in enumerate(written.split())]


def names(cut: list[dict[str, list[Event[Nothing]]]]) -> list[Wave]:
    return [{kind: [e.lane for e in those] for kind, those in wave.items()} for wave in cut]


polls = st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("abc")), max_size=30).map(
    lambda pairs: [event(n, *pair) for n, pair in enumerate(pairs)]
)


@pytest.mark.parametrize(
    ("poll", "cut"),
    [
        ("", []),
        ("1a 2a 3a", [{"a": ["1", "2", "3"]}]),
        ("1a 2b", [{"a": ["1"], "b": ["2"]}]),
        ("1a 1b", [{"a": ["1"]}, {"b": ["1"]}]),
        ("1a 1b 2b 2b", [{"a": ["1"], "b": ["2", "2"]}, {"b": ["1"]}]),
        ("1a 1b 1a", [{"a": ["1"]}, {"b": ["1"]}, {"a": ["1"]}]),
        ("1a 1a 1b 2a", [{"a": ["1", "1", "2"]}, {"b": ["1"]}]),
    ],
)
def test_a_change_of_type_within_a_lane_starts_its_next_wave(poll: str, cut: list[Wave]) -> None:
    assert names(waves(events(poll))) == cut


@pytest.mark.invariant(1)
@given(polls)
def test_every_event_is_in_one_wave(poll: list[Event[Nothing]]) -> None:
    run = [e.id for wave in waves(poll) for those in wave.values() for e in those]
    assert sorted(run, key=int) == [e.id for e in poll]


@given(polls)
def test_every_lane_keeps_its_order(poll: list[Event[Nothing]]) -> None:
    run = [e for wave in waves(poll) for those in wave.values() for e in those]
    for lane in "1234":
        assert [e.id for e in run if e.lane == lane] == [e.id for e in poll if e.lane == lane]


@given(polls)
def test_there_are_no_more_waves_than_the_busiest_lane_has_changes(poll: list[Event[Nothing]]) -> None:
    runs = [len(list(groupby(e.type for e in poll if e.lane == lane))) for lane in "1234"]
    assert len(waves(poll)) == max(runs)


@given(polls)
def test_no_wave_is_empty_and_no_event_stands_under_another_type(poll: list[Event[Nothing]]) -> None:
    cut = waves(poll)
    assert all(cut)
    assert all(e.type == kind for wave in cut for kind, those in wave.items() for e in those)
