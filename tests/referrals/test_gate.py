"""How a person may be reached at a moment, without any server: random rules, hours, needs and times."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from contracts.calendar import LONDON
from contracts.person import AccessibleInformation
from contracts.vocabulary import Channel, NeedStatus
from services.referrals.domain.contact import (
    AFTER_CLOSING,
    AT_SAFE_HOURS,
    BY_HUMANS,
    CLOSING,
    HEARD_AT_ONCE,
    QUIET,
    Rule,
    allowed,
    choose,
    to_referrer,
)
from tests.support import NOON, usual

CHANNELS: tuple[Channel, ...] = get_args(Channel)
AUTUMN, SPRING = datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)
"""The days on which the clocks of London change."""

at_any_time = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
near_a_clock_change = st.builds(
    lambda day, minute: day + timedelta(minutes=minute), st.sampled_from([AUTUMN, SPRING]), st.integers(-600, 900)
)
times = at_any_time | near_a_clock_change
days = st.dates(date(2026, 1, 1), date(2028, 1, 1))
purposes = st.sampled_from([*get_args(NeedStatus), *sorted(AFTER_CLOSING)])


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
        through=st.booleans(),
        needs=st.frozensets(st.sampled_from(get_args(AccessibleInformation))),
        closed=st.booleans(),
    )


def a_rule(*channels: str, **changes: Any) -> Rule:
    addresses = {channel: f"address of {channel}" for channel in channels}
    return Rule(channels, addresses, neutral=True, voicemail=False, **changes)


@pytest.mark.parametrize(
    ("purpose", "still_true_of"),
    [
        ("on-hold", {"requested", "on-hold", "offered"}),
        ("waiting-again", {"requested", "on-hold", "offered"}),
        ("accepted", {"accepted", "in-progress"}),
        *((end, {end}) for end in sorted(CLOSING)),
        ("feedback-closing", {*get_args(NeedStatus)}),
    ],
)
def test_what_is_not_true_any_more_is_told_to_nobody(purpose: str, still_true_of: set[str]) -> None:
    told = {s for s in get_args(NeedStatus) if choose(a_rule("phone"), purpose, (), NOON, status=s).decision == "send"}
    assert told == still_true_of


def is_safe(hours: tuple[str, str], at: datetime) -> bool:
    opens, closes = (time.fromisoformat(text) for text in hours)
    return opens <= at.astimezone(LONDON).time() < closes


@pytest.mark.invariant(5)
@settings(max_examples=usual(2000))
@given(rules(), purposes, st.lists(st.sampled_from(CHANNELS)), times)
def test_nobody_is_reached_by_a_channel_that_the_rule_does_not_allow(
    rule: Rule, purpose: str, tried: list[str], at: datetime
) -> None:
    contact = choose(rule, purpose, tried, at)
    if contact.decision == "send":
        assert contact.channel in rule.channels
        assert contact.channel not in tried
        assert contact.address == f"address of {contact.channel}"
        assert contact.neutral == rule.neutral
        assert contact.voicemail == (rule.voicemail and contact.channel == "phone")
        assert not rule.through or contact.channel in BY_HUMANS
        assert not (rule.closed and purpose not in AFTER_CLOSING)
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
@settings(max_examples=usual(2000))
@given(rules(hours_from(0), sorted(AT_SAFE_HOURS)), purposes, times)
@example(a_rule("phone", hours=("01:15", "01:45")), "offered", SPRING + timedelta(hours=1, minutes=30))
@example(a_rule("phone", hours=("00:30", "01:10")), "offered", AUTUMN + timedelta(minutes=30))
def test_nobody_is_rung_now_outside_their_safe_hours(rule: Rule, purpose: str, at: datetime) -> None:
    contact = choose(rule, purpose, (), at)
    assert rule.hours
    assert contact.decision == "withheld" or contact.not_before or is_safe(rule.hours, at)


@pytest.mark.invariant(5)
@settings(max_examples=usual(1000))
@given(rules(hours_from(2 * 60), sorted(AT_SAFE_HOURS)), purposes, times)
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


@pytest.mark.invariant(5)
@settings(max_examples=usual(1000))
@given(rules(st.none(), sorted(HEARD_AT_ONCE)), purposes, times)
def test_who_names_no_hours_is_not_disturbed_in_the_quiet_ones(rule: Rule, purpose: str, at: datetime) -> None:
    contact = choose(rule, purpose, (), at)
    assert contact.decision == "withheld" or is_safe(QUIET, contact.not_before or at)


@pytest.mark.parametrize("channel", sorted(set(CHANNELS) - AT_SAFE_HOURS))
def test_what_is_not_seen_or_heard_at_once_does_not_wait(channel: str) -> None:
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


@pytest.mark.parametrize(
    ("needs", "channels"),
    [
        ({"bsl"}, ["email", "sms", "letter", "via-referrer", "in-person"]),
        ({"bsl", "text-relay"}, ["email", "phone", "sms", "letter", "via-referrer", "in-person"]),
        ({"braille"}, ["email", "phone", "sms", "via-referrer", "in-person"]),
        ({"advocate"}, ["phone", "via-referrer", "in-person"]),
        ({"large-print"}, ["email", "phone", "sms", "letter", "via-referrer", "in-person"]),
    ],
)
def test_needs_for_accessible_information_choose_the_channel(needs: set[str], channels: list[str]) -> None:
    rule = a_rule("email", "phone", "sms", "letter", "via-referrer", "in-person", needs=frozenset(needs))
    assert allowed(rule) == channels


@pytest.mark.parametrize("purpose", sorted(AFTER_CLOSING))
def test_when_all_has_ended_only_the_end_and_how_it_went_are_told(purpose: str) -> None:
    assert choose(a_rule("email", closed=True), purpose, (), NOON).decision == "send"
    assert choose(a_rule("email", closed=True), "accepted", (), NOON).reason == "closed"


def test_a_referrer_is_told_by_mail_where_it_wants_that_and_once() -> None:
    assert to_referrer(None, [], neutral=True).reason == "no-mail"
    assert to_referrer("a@example.org", ["email"], neutral=True).reason == "no-channel-left"
    told = to_referrer("a@example.org", [], neutral=False)
    assert (told.channel, told.address, told.neutral) == ("email", "a@example.org", False)


@pytest.mark.parametrize("purpose", sorted(CLOSING))
def test_after_the_agreement_only_the_end_is_told(purpose: str) -> None:
    assert choose(a_rule("email", agreement_until=date(2026, 11, 19)), purpose, (), NOON).decision == "send"
