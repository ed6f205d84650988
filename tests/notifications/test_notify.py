"""GOV.UK Notify by its real client: what each of its answers means for a message."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from chassis.due import NotCalled
from contracts.vocabulary import Channel
from services.notifications.clients.notify import Answer, Draft, Found, Notify
from services.notifications.clients.words import Text
from tests.notifications.conftest import by_notify, settings_for
from tests.notifications.notify import StandInNotify
from tests.support import NOON

TEXT = Text("News for you", "Hello,\n\nNews.\n", "News.")
PHONE = "+447700900123"


def a_draft(to: str = "planted@example.org", channel: Channel = "email", nth: int = 1, **changes: Any) -> Draft:
    fields = {"text": TEXT, "needs": (), "at": NOON, **changes}
    return Draft(f"00000000-0000-7000-8000-000000000000-{nth}", channel, SecretStr(to), **fields)


def a_notify(standin: StandInNotify, **changes: Any) -> Notify:
    return Notify(settings_for(1, 1, **{**by_notify(standin, "email", "sms", "letter"), **changes}))


async def send(notify: Notify, *drafts: Draft, within: float = 60) -> Sequence[Answer]:
    return await notify.send(drafts, asyncio.get_running_loop().time() + within)


async def test_an_email_a_text_message_and_a_letter_are_taken_with_our_words_and_reference(
    notify: StandInNotify,
) -> None:
    drafts = [a_draft(nth=1), a_draft(PHONE, "sms", 2), a_draft("A\nB\nLS1 1AA", "letter", 3)]
    assert await send(a_notify(notify), *drafts) == [Answer("sent")] * 3
    by_type = {each["type"]: each for each in notify.kept}
    assert by_type["email"]["words"] == {"subject": "News for you", "body": "Hello,\n\nNews.\n"}
    assert (by_type["sms"]["to"], by_type["sms"]["words"]) == (PHONE, {"body": "News."})
    assert by_type["letter"]["pdf"].startswith(b"%PDF")
    assert sorted(notify.references) == [draft.reference for draft in drafts]


@pytest.mark.parametrize(
    ("how", "answer"),
    [
        ("no-such-number", Answer("refused", "ValidationError")),
        ("trial", Answer("not-tried", "BadRequestError")),
        ("rate", Answer("put-off", "RateLimitError", NOON + timedelta(minutes=1))),
        ("daily", Answer("put-off", "TooManyRequestsError", datetime(2026, 11, 21, 0, 1, tzinfo=UTC))),
        ("broken", Answer("unsure", "status-500")),
        ("hangs_up", Answer("unsure", "status-503")),
        ("takes_and_hangs_up", Answer("unsure", "status-503")),
    ],
)
async def test_each_refusal_means_one_thing(notify: StandInNotify, how: str, answer: Answer) -> None:
    notify.answers["planted@example.org"] = how
    assert await send(a_notify(notify), a_draft()) == [answer]
    assert len(notify.kept) == (how == "takes_and_hangs_up")


async def test_answers_come_in_the_order_of_the_drafts(notify: StandInNotify) -> None:
    notify.answers["b@example.org"] = "no-such-number"
    answers = await send(a_notify(notify), *[a_draft(f"{name}@example.org", nth=n) for n, name in enumerate("abc", 1)])
    assert [answer.known for answer in answers] == ["sent", "refused", "sent"]


async def test_a_key_that_notify_does_not_know_blames_no_message(notify: StandInNotify) -> None:
    wrong = SecretStr("test-00000000-0000-0000-0000-000000000000-3d844edf-8d35-48ac-975b-e847b4f122b0")
    (answer,) = await send(a_notify(notify, notify_api_key=wrong), a_draft())
    assert answer == Answer("not-tried", "AuthError")


async def test_nobody_there_leaves_a_message_unsure() -> None:
    standin = StandInNotify()
    assert [each.known for each in await send(a_notify(standin), a_draft())] == ["unsure"]


async def test_nothing_is_begun_when_the_time_is_over(notify: StandInNotify) -> None:
    assert await send(a_notify(notify), a_draft(), within=-1) == [Answer("not-tried")]
    assert notify.kept == []


async def test_what_notify_took_is_found_by_our_reference_and_nothing_else(notify: StandInNotify) -> None:
    ours = a_notify(notify)
    notify.answers["planted@example.org"] = "takes_and_hangs_up"
    await send(ours, a_draft())
    assert await ours.find(a_draft().reference) == Found("email", "created")
    assert await ours.find(a_draft(nth=2).reference) is None


async def test_while_notify_gives_no_answer_nothing_is_concluded(notify: StandInNotify) -> None:
    notify.is_down = True
    with pytest.raises(NotCalled):
        await a_notify(notify).find("x")


def test_only_what_it_is_set_up_for_goes_by_notify(notify: StandInNotify) -> None:
    assert Notify(settings_for(1, 1)).channels == frozenset()
    assert Notify(settings_for(1, 1, **by_notify(StandInNotify(), "sms"))).channels == {"sms"}


@pytest.mark.parametrize("how", ["no-such-number", "trial", "broken", "takes_and_hangs_up", ""])
async def test_no_address_is_logged(
    notify: StandInNotify, how: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    notify.answers["planted@example.org"] = how
    await send(a_notify(notify), a_draft())
    out, err = capfd.readouterr()
    assert "planted" not in out + err + "".join(str(record.__dict__) for record in caplog.records)
