"""GOV.UK Notify, by its own client: emails, text messages and letters, and what became of them.

The client is synchronous and not safe to share, so each thread has one. Its errors can repeat an address, so they are
classified here and go no further, text and all. It reports a lost connection as a 503: then nobody knows whether the
message was taken, and Notify is asked by our reference before anything is sent again.
"""

import asyncio
import io
import logging
import threading
import time as clock
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from notifications_python_client.errors import APIError, TokenError
from notifications_python_client.notifications import NotificationsAPIClient
from pydantic import SecretStr

from chassis.due import NotCalled
from chassis.logs import logger
from chassis.metrics import DEGRADED
from contracts.vocabulary import Channel
from services.notifications.clients.letters import NotPrintable, letter
from services.notifications.clients.words import Text
from services.notifications.domain.telling import Known
from services.notifications.settings import NotificationsSettings

log = logger("notify")
logging.getLogger("notifications_python_client").setLevel(logging.CRITICAL)  # it logs what Notify answered

RATE_LIMITED: Final = timedelta(minutes=1)
TIMEOUT: Final = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to one address. `needs` choose the form of a letter."""

    reference: str
    channel: Channel
    to: SecretStr
    text: Text
    needs: Collection[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a draft. `until` is when to try again."""

    known: Known
    evidence: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A message that Notify has."""

    channel: Channel
    status: str


@dataclass(slots=True)
class Notify:
    settings: NotificationsSettings
    _own: threading.local = field(default_factory=threading.local)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.settings.notify_at_once, "notify")

    @property
    def channels(self) -> frozenset[Channel]:
        """What it is set up to carry."""
        asked = self.settings
        carries: dict[Channel, object] = {
            "email": asked.notify_email_template,
            "sms": asked.notify_sms_template,
            "letter": asked.notify_letters,
        }
        return frozenset(channel for channel, how in carries.items() if how and asked.notify_api_key)

    async def send(self, drafts: Sequence[Draft], stop_at: float) -> list[Answer]:
        """One answer for each, in order. None is begun after `stop_at`, by the clock of the event loop."""
        over = clock.monotonic() + stop_at - asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(self._in_thread(self._send, draft, over) for draft in drafts))
        DEGRADED.labels(part="notify").set(any(each.known in {"unsure", "not-tried"} for each in answers))
        return answers

    async def find(self, reference: str) -> Found | None:
        """None where Notify never took it. Raises NotCalled where Notify gives no answer."""
        try:
            answer = await self._in_thread(lambda: self._client().get_all_notifications(reference=reference))
            found = [each for each in answer["notifications"] if each["reference"] == reference]
            return Found(found[0]["type"], found[0]["status"]) if found else None
        except (APIError, TokenError, OSError, LookupError, TypeError) as error:
            raise NotCalled(f"Notify gave no answer of use: {type(error).__name__}") from None

    async def _in_thread(self, call: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *given)

    def _send(self, draft: Draft, over: float) -> Answer:
        if clock.monotonic() > over:
            return Answer("not-tried")
        try:
            self._call(draft)
        except NotPrintable:
            return Answer("refused", "not-printable")
        except (APIError, TokenError, OSError) as error:
            answer = _known_of(error, draft.at)
            log.warning("notify_not_taken", reference=draft.reference, known=answer.known, evidence=answer.evidence)
            return answer
        return Answer("sent")

    def _call(self, draft: Draft) -> None:
        client, to, text = self._client(), draft.to.get_secret_value(), draft.text
        match draft.channel:
            case "email":
                words = {"subject": text.subject, "body": text.body}
                client.send_email_notification(to, self.settings.notify_email_template, words, draft.reference)
            case "sms":
                words = {"body": text.sms}
                client.send_sms_notification(to, self.settings.notify_sms_template, words, draft.reference)
            case _:
                pdf = letter(text, to.split("\n"), draft.needs, draft.at)
                client.send_precompiled_letter_notification(draft.reference, io.BytesIO(pdf), "second")

    def _client(self) -> Any:
        if not hasattr(self._own, "client"):
            key = self.settings.notify_api_key
            assert key  # noqa: S101 - nothing is sent by us without
            client: Any = NotificationsAPIClient
            self._own.client = client(key.get_secret_value(), base_url=self.settings.notify_url, timeout=TIMEOUT)
        return self._own.client


def _known_of(error: Exception, at: datetime) -> Answer:
    """A refusal blames this message, a 403 blames us, a 429 is for later; of anything else nobody knows."""
    if isinstance(error, TokenError):
        return Answer("not-tried", "token")
    status, rule = (error.status_code, _rule(error)) if isinstance(error, APIError) else (0, "")
    if status in {401, 403}:
        return Answer("not-tried", rule)
    if status == 429 and rule == "TooManyRequestsError":
        return Answer("put-off", rule, _tomorrow(at))
    if status == 429:
        return Answer("put-off", rule, at + RATE_LIMITED)
    if 400 <= status < 500:
        return Answer("refused", rule)
    return Answer("unsure", f"status-{status}")


def _rule(error: APIError) -> str:
    """The name of the first error of Notify's answer, never its text."""
    said: Any = error.message
    first = said[0] if isinstance(said, list) and said else {}
    name = first.get("error", "") if isinstance(first, Mapping) else ""
    return name if isinstance(name, str) and name.isidentifier() else f"status-{error.status_code}"


def _tomorrow(at: datetime) -> datetime:
    """Notify counts a day from midnight to midnight, UTC."""
    return datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(0, 1), UTC)
