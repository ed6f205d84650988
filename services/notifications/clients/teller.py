"""The sender of `Tell`: asks referrals about a batch, mails those who may be mailed, hands the rest to people."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel

from services.notifications.clients.mail import Mail, MailServer, Outcome
from services.notifications.clients.referrals import Contact, Lookup, Referrals
from services.notifications.clients.words import Words
from services.notifications.domain.gate import Call, Send, Step, Wait, Withhold
from services.notifications.domain.telling import CallNeeded, Failed, Postponed, Result, Sent, Tell, Withheld

SENDING_WITHIN: Final = 55.0
"""Seconds from the start of a batch in which mails may be begun. With one mail more and the goodbye it ends well
before the chassis takes the attempt for lost, so that no call task is made for a mail that is about to leave."""
TRY_AGAIN: Final = timedelta(seconds=5)
PUT_OFF: Final = timedelta(minutes=5)
MAX_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Teller:
    referrals: Referrals
    mail: MailServer
    words: Words
    clock: Callable[[], datetime]

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        """Raises NotCalled where referrals gave no answer."""
        stop_at = asyncio.get_running_loop().time() + SENDING_WITHIN
        contacts = await self.referrals.contacts([_lookup(tell) for tell in errands])
        at = self.clock()
        steps = [contact.step(at) for contact in contacts]
        letters = [self._letter(*one, at) for one in zip(errands, contacts, steps, strict=True)]
        mails = [mail for mail in letters if mail]
        outcomes = iter(await self.mail.send(mails, stop_at) if mails else [])
        return [
            _after_mail(tell, next(outcomes), at) if mail else _without_mail(tell, step)
            for tell, step, mail in zip(errands, steps, letters, strict=True)
        ]

    def lost(self, errand: Tell) -> Result:
        return Failed(tell=errand, channel="email", reason="unknown-result")

    def _letter(self, tell: Tell, contact: Contact, step: Step, at: datetime) -> Mail | None:
        if not isinstance(step, Send) or contact.address is None:
            return None
        text = self.words.text(tell.status, tell.kind, contact.language, neutral=contact.neutral)
        return Mail(tell.message_id, contact.address, text, at)


def _lookup(tell: Tell) -> Lookup:
    return Lookup(referral_id=tell.referral_id, need_id=tell.need_id, purpose=tell.status)


def _without_mail(tell: Tell, step: Step) -> Result:
    match step:
        case Withhold(reason):
            return Withheld(tell=tell, reason=reason)
        case Wait(until):
            return Postponed(tell=tell, until=until)
        case Call(channel) | Send(channel):
            return CallNeeded(tell=tell, channel=channel)


def _after_mail(tell: Tell, outcome: Outcome, at: datetime) -> Result:
    match outcome:
        case "sent":
            return Sent(tell=tell, channel="email")
        case "not-tried":
            return Postponed(tell=tell, until=at + TRY_AGAIN)
        case "put-off" if tell.tries + 1 < MAX_TRIES:
            tried = tell.model_copy(update={"tries": tell.tries + 1})
            return Postponed(tell=tried, until=at + PUT_OFF * 2**tell.tries)
        case "put-off" | "refused":
            return Failed(tell=tell, channel="email", reason="refused")
        case "unknown-result":
            return Failed(tell=tell, channel="email", reason="unknown-result")
