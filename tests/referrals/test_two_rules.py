"""While it is not settled whether two referrals are of one person, both rules about safe contact hold."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.calendar import day_of
from services.referrals.domain.contact import AT_SAFE_HOURS, Rule, choose, strictest
from tests.referrals.test_gate import CHANNELS, a_rule, is_safe, purposes, rules, times
from tests.support import NOON, usual

DIFFERENT: dict[str, str] = {channel: f"another {channel}" for channel in CHANNELS}


@pytest.mark.invariant(5)
@settings(max_examples=usual(1000))
@given(rules(), rules(), purposes, st.lists(st.sampled_from(CHANNELS)), times)
def test_whoever_is_reached_is_reached_as_both_rules_allow(
    one: Rule, other: Rule, purpose: str, tried: list[str], at: datetime
) -> None:
    contact = choose(strictest(one, [other]), purpose, tried, at)
    if contact.decision == "withheld":
        return
    when = contact.not_before or at
    for rule in (one, other):
        assert contact.channel in rule.channels
        assert contact.neutral or not rule.neutral
        assert rule.voicemail or not contact.voicemail
        assert rule.until is None or day_of(at) <= rule.until
        assert not (rule.hours and contact.channel in AT_SAFE_HOURS) or is_safe(rule.hours, when)


def test_hours_that_do_not_meet_leave_only_what_waits_in_a_letter_box() -> None:
    one = a_rule("phone", "letter", hours=("09:00", "12:00"))
    other = replace(one, hours=("13:00", "15:00"))
    assert choose(strictest(one, [other]), "accepted", [], NOON).channel == "letter"


def test_an_address_that_the_other_names_otherwise_is_not_used() -> None:
    one = a_rule("phone", "via-referrer")
    contact = choose(strictest(one, [replace(one, addresses=DIFFERENT)]), "accepted", [], NOON)
    assert contact.channel == "via-referrer"
    assert contact.address == "address of via-referrer"
