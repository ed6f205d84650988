"""The gate of safe contact, without any server."""

from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Channel
from services.notifications.domain.gate import HELD, LOOK_AGAIN, Call, Send, Wait, Withhold, step
from tests.support import NOON

CHANNELS: tuple[Channel, ...] = get_args(Channel)

asked = st.fixed_dictionaries(
    {
        "decision": st.sampled_from(["send", "withheld"]),
        "reason": st.none() | st.just("no-safe-channel"),
        "channel": st.none() | st.sampled_from(CHANNELS),
        "has_address": st.booleans(),
        "not_before": st.none() | st.integers(-90, 90).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        "at": st.just(NOON),
        "automatic": st.sets(st.sampled_from(CHANNELS)),
    }
)


@pytest.mark.invariant(5)
@given(asked)
def test_something_leaves_only_with_permission_and_not_too_early(answer: dict[str, Any]) -> None:
    if isinstance(step(**answer), Send):
        assert answer["decision"] == "send"
        assert answer["channel"] in answer["automatic"]
        assert answer["has_address"]
        assert answer["not_before"] is None or answer["not_before"] <= NOON


@pytest.mark.invariant(5)
@given(asked)
def test_a_person_is_rung_only_by_the_channel_that_is_permitted(answer: dict[str, Any]) -> None:
    taken = step(**answer)
    if isinstance(taken, Call):
        assert (answer["decision"], taken.channel) == ("send", answer["channel"])
        assert answer["not_before"] is None or answer["not_before"] <= NOON


def to_send(channel: Channel | None, *, has_address: bool = True, not_before: datetime | None = None) -> Any:
    return step("send", None, channel, has_address=has_address, not_before=not_before, at=NOON, automatic={"email"})


def test_each_decision_has_its_step() -> None:
    later = NOON + timedelta(minutes=1)
    assert to_send("email") == Send("email")
    assert to_send("phone") == Call("phone")
    assert to_send("email", not_before=later) == Wait(later)
    assert to_send("phone", not_before=later) == Wait(later)
    assert to_send("email", not_before=NOON) == Send("email")
    assert to_send("email", has_address=False) == Withhold("no-address")
    assert to_send(None) == Withhold("no-channel")


def test_while_contact_is_held_after_a_restore_messages_wait() -> None:
    assert step("withheld", HELD, None, has_address=False, not_before=None, at=NOON, automatic=CHANNELS) == Wait(
        NOON + LOOK_AGAIN
    )


def test_a_withheld_contact_is_withheld_whatever_else_it_says() -> None:
    late = step("withheld", "erased", "email", has_address=True, not_before=NOON, at=NOON, automatic={"email"})
    assert late == Withhold("erased")
