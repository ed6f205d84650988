"""The sender of `Digest`: asks referrals where providers are written to, and writes to each once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.notifications.clients.notify import Draft
from services.notifications.clients.referrals import Referrals
from services.notifications.clients.teller import SENDING_WITHIN, Carriers
from services.notifications.clients.words import Words
from services.notifications.domain.digest import Digest, DigestEnded


@dataclass(frozen=True, slots=True)
class Digester:
    referrals: Referrals
    carriers: Carriers
    words: Words
    clock: Callable[[], datetime]

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        """Raises NotCalled where referrals gave no answer."""
        stop_at = asyncio.get_running_loop().time() + SENDING_WITHIN
        mails = await self.referrals.work_mails({digest.provider for digest in errands})
        drafts = [self._draft(digest, mails[digest.provider]) for digest in errands if digest.provider in mails]
        answers = iter(await self.carriers.send(drafts, stop_at))
        return [_ended(digest, sent=digest.provider in mails and next(answers).known == "sent") for digest in errands]

    def lost(self, errand: Digest) -> BaseModel:
        return _ended(errand, sent=False)

    def _draft(self, digest: Digest, to: Any) -> Draft:
        text = self.words.to_provider(digest.offers, digest.first)
        return Draft(f"{digest.provider}-{digest.day}", "email", to, text, (), self.clock())


def _ended(digest: Digest, *, sent: bool) -> DigestEnded:
    return DigestEnded(provider=digest.provider, day=digest.day, state="sent" if sent else "failed")
