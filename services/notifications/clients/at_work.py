"""The sender of what is written to people at work: asks who knows them where, and writes to each once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from services.notifications.clients.notify import Draft
from services.notifications.clients.peers import AddressesOf
from services.notifications.clients.teller import SENDING_WITHIN, Carriers
from services.notifications.clients.words import Text
from services.notifications.domain.telling import WorkEnd


class WorkMail(Protocol):
    """The errand of one mail. `to` is by which the owner of the address knows them."""

    @property
    def to(self) -> str: ...

    @property
    def reference(self) -> str:
        """By which a carrier knows it."""
        ...

    def ended(self, how: WorkEnd) -> BaseModel:
        """The result of it."""
        ...


@dataclass(frozen=True, slots=True)
class AtWork:
    """`addresses_of` asks the service that they are known to."""

    addresses_of: AddressesOf
    write: Callable[[Any], Text]
    carriers: Carriers
    clock: Callable[[], datetime]

    async def __call__(self, errands: list[Any]) -> list[BaseModel]:
        """Raises NotCalled where nobody told where they are."""
        stop_at = asyncio.get_running_loop().time() + SENDING_WITHIN
        addresses, at = await self.addresses_of({errand.to for errand in errands}), self.clock()
        there = [errand for errand in errands if errand.to in addresses]
        drafts = [Draft(each.reference, "email", addresses[each.to], self.write(each), (), at) for each in there]
        answers = iter(await self.carriers.send(drafts, stop_at))
        return [each.ended(next(answers).known if each.to in addresses else "no-mail") for each in errands]

    def lost(self, errand: WorkMail) -> BaseModel:
        return errand.ended("unsure")
