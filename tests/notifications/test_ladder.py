"""The ladder's rules, without any server: what follows each outcome, and what a carrier's word means."""

from datetime import timedelta
from typing import get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notifications import TaskOutcome
from contracts.vocabulary import Channel
from services.notifications.domain.ladder import RUNGS, Again, Ended, NextRung, Outcome, TaskChannel, after, verdict
from services.notifications.domain.telling import Tell, attempt
from tests.support import NOON

CHANNELS: tuple[TaskChannel, ...] = (*get_args(Channel), "staff")
FINAL = ("delivered", "received", "permanent-failure", "temporary-failure", "technical-failure", "returned-letter")
CARRIED: tuple[Channel, ...] = ("email", "sms", "letter")
UNDERWAY = ("created", "sending", "pending", "sent", "pending-virus-check", "accepted")


def test_every_channel_is_a_rung_with_outcomes_that_the_contract_knows() -> None:
    assert set(RUNGS) == set(CHANNELS)
    assert {outcome for rung in RUNGS.values() for outcome in rung.outcomes} <= set(get_args(TaskOutcome))


@pytest.mark.invariant(4)
@given(st.sampled_from(CHANNELS), st.data())
def test_whatever_is_told_of_a_task_it_ends_is_tried_later_or_another_way_is_found(
    channel: TaskChannel, data: st.DataObject
) -> None:
    """Tried as often as it likes, a task ends: nobody is rung for ever, and no task is left without an end."""
    for tried in range(10):
        outcome: Outcome = data.draw(st.sampled_from(sorted(RUNGS[channel].outcomes)))
        came = after(channel, outcome, tried, NOON)
        if not isinstance(came, Again):
            break
        assert came.not_before > NOON
    assert tried < RUNGS[channel].tries
    assert isinstance(came, Ended | NextRung)
    assert channel != "staff" or isinstance(came, Ended)


@pytest.mark.parametrize(
    ("channel", "outcome", "tried", "came"),
    [
        ("phone", "reached", 0, Ended("reached")),
        ("phone", "no-answer", 0, Again(NOON + timedelta(hours=20))),
        ("phone", "no-answer", 1, NextRung()),
        ("phone", "wrong-number", 0, NextRung()),
        ("phone", "declined", 1, Ended("declined")),
        ("letter", "sent", 0, Ended("sent")),
        ("via-referrer", "no-report", 0, NextRung()),
        ("via-referrer", "no-answer", 0, NextRung()),
        ("staff", "given-up", 0, Ended("unreached")),
    ],
)
def test_what_follows_an_outcome(channel: TaskChannel, outcome: Outcome, tried: int, came: object) -> None:
    assert after(channel, outcome, tried, NOON) == came


@given(st.lists(st.sampled_from([*FINAL, *UNDERWAY, "nonsense"]), max_size=12), st.sampled_from(CARRIED))
def test_statuses_in_any_order_and_repeated_are_news_once_but_for_a_letter_that_comes_back(
    statuses: list[str], channel: Channel
) -> None:
    state, news = "sent", []
    for status in statuses:
        said = verdict(status, state, channel)
        if said:
            state = said
            news.append(said)
    assert news in ([], ["delivered"], ["failed"], ["delivered", "failed"])
    assert not news or state == news[-1]
    if news == ["delivered", "failed"]:
        assert channel == "letter"
        assert "returned-letter" in statuses


@given(st.integers(0, 6))
def test_a_reference_leads_back_to_its_attempt(tried: int) -> None:
    channels: tuple[Channel, ...] = get_args(Channel)
    tell = Tell(
        message_id=uuid4(),
        referral_id=uuid4(),
        need_id=uuid4(),
        kind="device",
        status="accepted",
        tried=channels[:tried],
    )
    assert attempt(tell.reference) == (tell.message_id, tried + 1)


ID = UUID("019aa0c4-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    "reference",
    ["", "-", "-1", "x-1", f"{ID}", f"{ID}-", f"{ID}-x", f"{ID}-¹", f"{ID}-0", f"{ID}-{2**31}", f"{ID.hex}-1"],
)
def test_a_reference_that_is_none_of_ours_leads_nowhere(reference: str) -> None:
    assert attempt(reference) is None
