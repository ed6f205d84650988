"""The pure rules of referrals: how far a person is, how a person may be reached, areas."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contracts.calendar import LONDON
from contracts.person import Circumstance
from contracts.vocabulary import Channel, NeedStatus
from services.referrals.domain.areas import Area, BadAreas, parse
from services.referrals.domain.contact import CLOSING, Rule, choose
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


# How a person may be reached

CHANNELS: tuple[Channel, ...] = get_args(Channel)
HEARD_AT_ONCE = {"phone", "sms"}
AUTUMN, SPRING = datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)
"""The days on which the clocks of London change."""

at_any_time = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
near_a_clock_change = st.builds(
    lambda day, minute: day + timedelta(minutes=minute), st.sampled_from([AUTUMN, SPRING]), st.integers(-600, 900)
)
times = at_any_time | near_a_clock_change
days = st.dates(date(2026, 1, 1), date(2028, 1, 1))
purposes = st.sampled_from(STATUSES)


def clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def hours_from(earliest: int) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of times, the first before the second, not before this minute of the day."""
    pairs = st.lists(st.integers(earliest, 24 * 60 - 1), min_size=2, max_size=2, unique=True).map(sorted)
    return pairs.map(lambda pair: (clock_text(pair[0]), clock_text(pair[1])))


def rules(hours: st.SearchStrategy[Any] | None = None, among: Sequence[str] = CHANNELS) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        channels=st.lists(st.sampled_from(among), min_size=1, unique=True).map(tuple),
        addresses=st.just({channel: f"address of {channel}" for channel in CHANNELS}),
        neutral=st.booleans(),
        voicemail=st.booleans(),
        hours=st.none() | hours_from(0) if hours is None else hours,
        until=st.none() | days,
        agreement_until=st.none() | days,
    )


def a_rule(*channels: str, **changes: Any) -> Rule:
    addresses = {channel: f"address of {channel}" for channel in channels}
    return Rule(channels, addresses, neutral=True, voicemail=False, **changes)


def is_safe(hours: tuple[str, str], at: datetime) -> bool:
    opens, closes = (time.fromisoformat(text) for text in hours)
    return opens <= at.astimezone(LONDON).time() < closes


@pytest.mark.invariant(5)
@given(rules(), purposes, st.lists(st.sampled_from(CHANNELS)), times)
def test_nobody_is_reached_by_a_channel_that_the_rule_does_not_allow(
    rule: Rule, purpose: str, tried: list[str], at: datetime
) -> None:
    contact = choose(rule, purpose, tried, at)
    if contact.decision == "send":
        assert contact.channel in rule.channels
        assert contact.channel not in tried
        assert contact.address == f"address of {contact.channel}"
        assert (contact.neutral, contact.voicemail) == (rule.neutral, rule.voicemail)
    else:
        assert contact.reason
        assert (contact.channel, contact.address) == (None, None)


@pytest.mark.invariant(5)
@given(rules(), purposes, times)
def test_nobody_is_reached_when_the_rule_or_the_agreement_has_lapsed(rule: Rule, purpose: str, at: datetime) -> None:
    today = at.astimezone(LONDON).date()
    contact = choose(rule, purpose, (), at)
    if contact.decision == "send":
        assert rule.until is None or today <= rule.until
        assert rule.agreement_until is None or today <= rule.agreement_until or purpose in CLOSING


@pytest.mark.invariant(5)
@given(rules(hours_from(0), sorted(HEARD_AT_ONCE)), purposes, times)
@example(a_rule("phone", hours=("01:15", "01:45")), "offered", SPRING + timedelta(hours=1, minutes=30))
@example(a_rule("phone", hours=("00:30", "01:10")), "offered", AUTUMN + timedelta(minutes=30))
def test_nobody_is_rung_now_outside_their_safe_hours(rule: Rule, purpose: str, at: datetime) -> None:
    contact = choose(rule, purpose, (), at)
    assert rule.hours
    assert contact.decision == "withheld" or contact.not_before or is_safe(rule.hours, at)


@pytest.mark.invariant(5)
@given(rules(hours_from(2 * 60), sorted(HEARD_AT_ONCE)), purposes, times)
@example(a_rule("sms", hours=("10:00", "15:00")), "offered", SPRING - timedelta(hours=7))
@example(a_rule("sms", hours=("10:00", "15:00")), "offered", AUTUMN - timedelta(hours=7))
def test_who_waits_for_the_safe_hours_waits_until_they_next_begin(rule: Rule, purpose: str, at: datetime) -> None:
    contact = choose(rule, purpose, (), at)
    assume(contact.not_before)
    assert rule.hours
    assert contact.not_before is not None
    begins = contact.not_before.astimezone(UTC)
    assert is_safe(rule.hours, begins)
    assert not is_safe(rule.hours, begins - timedelta(minutes=1))
    assert at < begins <= at + timedelta(hours=25)


@pytest.mark.invariant(5)
@pytest.mark.parametrize(
    ("at", "begins"),
    [
        (datetime(2026, 7, 1, 8, 59, tzinfo=UTC), datetime(2026, 7, 1, 9, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 9, 0, tzinfo=UTC), None),
        (datetime(2026, 7, 1, 13, 59, tzinfo=UTC), None),
        (datetime(2026, 7, 1, 14, 0, tzinfo=UTC), datetime(2026, 7, 2, 9, 0, tzinfo=UTC)),
        (datetime(2026, 12, 1, 9, 59, tzinfo=UTC), datetime(2026, 12, 1, 10, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 10, 0, tzinfo=UTC)),
        (datetime(2027, 3, 27, 20, 0, tzinfo=UTC), datetime(2027, 3, 28, 9, 0, tzinfo=UTC)),
    ],
)
def test_safe_hours_are_those_of_the_clock_on_the_wall(at: datetime, begins: datetime | None) -> None:
    assert choose(a_rule("phone", hours=("10:00", "15:00")), "offered", (), at).not_before == begins


@pytest.mark.parametrize("channel", sorted(set(CHANNELS) - HEARD_AT_ONCE))
def test_what_is_not_heard_at_once_does_not_wait(channel: str) -> None:
    assert choose(a_rule(channel, hours=("10:00", "10:01")), "offered", (), NOON).not_before is None


@pytest.mark.parametrize(
    ("changes", "tried", "reason"),
    [
        ({"until": date(2026, 11, 19)}, [], "safe-contact-lapsed"),
        ({"agreement_until": date(2026, 11, 19)}, [], "agreement-lapsed"),
        ({}, ["email", "sms"], "no-channel-left"),
    ],
)
def test_why_nobody_is_told_is_said(changes: dict[str, Any], tried: list[str], reason: str) -> None:
    assert choose(a_rule("email", "sms", **changes), "offered", tried, NOON).reason == reason


def test_the_last_day_of_a_rule_is_counted_on_the_wall() -> None:
    summer_midnight = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert choose(a_rule("email", until=date(2026, 7, 1)), "offered", (), summer_midnight).decision == "withheld"
    assert choose(a_rule("email", until=date(2026, 7, 2)), "offered", (), summer_midnight).decision == "send"


@pytest.mark.parametrize("purpose", sorted(CLOSING))
def test_after_the_agreement_only_the_end_is_told(purpose: str) -> None:
    assert choose(a_rule("email", agreement_until=date(2026, 11, 19)), purpose, (), NOON).decision == "send"


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
