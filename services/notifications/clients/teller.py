"""Who tells: asks about a batch how each is reached, sends to those who may be sent to, hands the rest to people."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import BaseModel, SecretStr

from contracts.vocabulary import Channel
from services.notifications.clients.mail import Mail, MailServer, Outcome
from services.notifications.clients.notify import Answer, Draft, Notify
from services.notifications.clients.referrals import Contact, clear
from services.notifications.clients.words import EASY, Text, Words
from services.notifications.domain.gate import Call, Send, Step, Wait, Withhold
from services.notifications.domain.telling import (
    CallNeeded,
    CarrierSaid,
    Failed,
    FollowUp,
    LookUp,
    NoNews,
    Postponed,
    Result,
    Sent,
    Tell,
    Telling,
    Unsure,
    Withheld,
)

SENDING_WITHIN: Final = 55.0
"""Seconds from the start of a batch in which messages may be begun. With one more and the goodbye it ends well
before the chassis takes the attempt for lost, so that no task is made for a message that is about to leave."""
TRY_AGAIN: Final = timedelta(seconds=5)
PUT_OFF: Final = timedelta(minutes=5)
MAX_TRIES: Final = 5
REMEMBERED: Final = timedelta(days=6)
"""Notify forgets messages after 7 days. That it does not know an older one proves nothing."""


@dataclass(frozen=True, slots=True)
class Carriers:
    """GOV.UK Notify for what it is set up for, and the mail server for the other emails."""

    mail: MailServer
    notify: Notify

    @property
    def channels(self) -> frozenset[Channel]:
        return self.notify.channels | frozenset[Channel]({"email"})

    async def send(self, drafts: Sequence[Draft], stop_at: float) -> list[Answer]:
        """In the order of the drafts, each by its carrier; the carriers work at the same time."""
        by_notify = [draft for draft in drafts if draft.channel in self.notify.channels]
        mails = [draft for draft in drafts if draft.channel not in self.notify.channels]
        of_notify, of_mail = await asyncio.gather(
            self.notify.send(by_notify, stop_at) if by_notify else _nothing(),
            self._send_mails(mails, stop_at) if mails else _nothing(),
        )
        in_turn = zip([*by_notify, *mails], [*of_notify, *of_mail], strict=True)
        answers = {id(draft): answer for draft, answer in in_turn}
        return [answers[id(draft)] for draft in drafts]

    async def _send_mails(self, drafts: Sequence[Draft], stop_at: float) -> list[Answer]:
        mails = [Mail(draft.reference, draft.to, draft.text, draft.at) for draft in drafts]
        return [_answer(outcome) for outcome in await self.mail.send(mails, stop_at)]


class Reached(Protocol):
    """How somebody is reached at this moment, by the service that knows them."""

    @property
    def address(self) -> SecretStr | None: ...
    @property
    def formats(self) -> Sequence[str]: ...
    @property
    def neutral(self) -> bool: ...
    def step(self, at: datetime, automatic: Collection[Channel]) -> Step: ...


@dataclass(frozen=True, slots=True)
class Teller:
    """The sender of one kind of `Telling`. `ask` asks the service that knows them, `write` finds the words."""

    ask: Callable[[list[Any]], Awaitable[Sequence[Any]]]
    write: Callable[[Any, Any], Text]
    carriers: Carriers
    clock: Callable[[], datetime]

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        """Raises NotCalled where nobody told how they are reached."""
        stop_at = asyncio.get_running_loop().time() + SENDING_WITHIN
        contacts = await self.ask(errands)
        at = self.clock()
        steps = [contact.step(at, self.carriers.channels) for contact in contacts]
        drafts = [self._draft(*one, at) for one in zip(errands, contacts, steps, strict=True)]
        answers = iter(await self.carriers.send([draft for draft in drafts if draft], stop_at))
        return [
            self._after(tell, draft, next(answers), at) if draft else self._by_hand(tell, contact, step)
            for tell, contact, step, draft in zip(errands, contacts, steps, drafts, strict=True)
        ]

    def lost(self, errand: Telling) -> Result:
        """Notify can be asked; what went by SMTP cannot."""
        if self.carriers.notify.channels:
            return Unsure(tell=errand)
        return Failed(tell=errand, channel="email", reason="unknown-result")

    def _draft(self, tell: Telling, contact: Reached, step: Step, at: datetime) -> Draft | None:
        if not isinstance(step, Send) or contact.address is None:
            return None
        text = self.write(tell, contact)
        return Draft(tell.reference, step.channel, contact.address, text, contact.formats, at)

    def _by_hand(self, tell: Telling, contact: Reached, step: Step) -> Result:
        match step:
            case Withhold(reason):
                return Withheld(tell=tell, reason=reason)
            case Wait(until):
                return Postponed(tell=tell, until=until)
            case Call("via-referrer"):
                text = self.write(tell, contact).body
                return CallNeeded(tell=tell, channel="via-referrer", neutral=contact.neutral, text=text)
            case Call(channel) | Send(channel):
                return CallNeeded(tell=tell, channel=channel, neutral=contact.neutral)

    def _after(self, tell: Telling, draft: Draft, answer: Answer, at: datetime) -> Result:
        channel = draft.channel
        match answer.known:
            case "sent":
                tracked = channel in self.carriers.notify.channels
                return Sent(tell=tell, channel=channel, language=draft.text.language, tracked=tracked)
            case "refused":
                return Failed(tell=tell, channel=channel, reason="refused", evidence=answer.evidence)
            case "not-tried":
                return Postponed(tell=tell, until=at + TRY_AGAIN)
            case "put-off":
                return _put_off(tell, draft, answer, at)
            case "unsure" if channel in self.carriers.notify.channels:
                return Unsure(tell=tell, channel=channel)
            case "unsure":
                return Failed(tell=tell, channel=channel, reason="unknown-result")


def _put_off(tell: Telling, draft: Draft, answer: Answer, at: datetime) -> Result:
    """A carrier that says when is asked then, as often as it takes; another a few times, later each time."""
    if answer.until:
        return Postponed(tell=tell, until=answer.until)
    if tell.tries + 1 >= MAX_TRIES:
        return Failed(tell=tell, channel=draft.channel, reason="refused", evidence="put-off")
    return Postponed(tell=tell.model_copy(update={"tries": tell.tries + 1}), until=at + PUT_OFF * 2**tell.tries)


def of_needs(words: Words) -> Callable[[Tell, Contact], Text]:
    """The words for a person, or for who referred them."""

    def write(tell: Tell, contact: Contact) -> Text:
        link = clear(contact.link)
        if tell.audience == "referrer":
            return words.to_referrer(tell.status, tell.kind, contact.reference or "", clear(contact.code), link)
        easy = bool(EASY & set(contact.formats))
        return words.text(tell.about, tell.kind, tell.languages, neutral=contact.neutral, easy=easy, link=link)

    return write


async def _nothing() -> list[Answer]:
    return []


def _answer(outcome: Outcome) -> Answer:
    return Answer("unsure" if outcome == "unknown-result" else outcome)


@dataclass(frozen=True, slots=True)
class Asker:
    """The sender of `LookUp`: asks Notify whether it took a message of which nobody knows."""

    notify: Notify
    clock: Callable[[], datetime]

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        return list(await asyncio.gather(*(self._ask(errand) for errand in errands)))

    async def _ask(self, errand: LookUp) -> Result:
        """What Notify never took is sent anew, unless it may have left by another carrier."""
        tell, channel = errand.tell, errand.channel
        found = await self.notify.find(tell.reference)
        if found:
            return Sent(tell=tell, channel=found.channel, tracked=True)
        if errand.since and self.clock() - errand.since > REMEMBERED:
            return Failed(tell=tell, channel=channel or "email", reason="unknown-result")
        if channel or "email" in self.notify.channels or "email" in tell.tried:
            return Postponed(tell=tell, until=self.clock())
        return Failed(tell=tell, channel="email", reason="unknown-result")

    def lost(self, errand: LookUp) -> Result:
        return Unsure(tell=errand.tell, channel=errand.channel, since=errand.since)


@dataclass(frozen=True, slots=True)
class Follower:
    """The sender of `FollowUp`: asks Notify what became of a message, where its own word did not come."""

    notify: Notify

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        return list(await asyncio.gather(*(self._follow(errand) for errand in errands)))

    async def _follow(self, follow: FollowUp) -> BaseModel:
        found = await self.notify.find(f"{follow.message_id}-{follow.rung}")
        if found is None or found.status in UNDERWAY:
            return NoNews(follow=follow)
        return CarrierSaid(message_id=follow.message_id, rung=follow.rung, status=found.status)

    def lost(self, errand: FollowUp) -> BaseModel:
        return NoNews(follow=errand)


UNDERWAY: Final = frozenset({"created", "sending", "pending", "sent", "pending-virus-check", "accepted"})
