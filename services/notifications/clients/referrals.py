"""Asks referrals, at the moment of sending and in one call, whether and how each person may be contacted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx2
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from chassis.due import NotCalled
from chassis.tokens import Tokens
from contracts.vocabulary import Channel, Code, Language, NeedStatus
from services.notifications.domain.gate import Decision, Step, step

PATH = "/v1/contacts"
WITHIN = 10.0


class Lookup(BaseModel):
    """One person to be told of one need. `tried` are the channels that failed before."""

    referral_id: UUID
    need_id: UUID
    purpose: NeedStatus
    tried: list[Channel] = Field(default=[], max_length=10)


class Lookups(BaseModel):
    lookups: list[Lookup] = Field(min_length=1, max_length=500)


class Contact(BaseModel):
    """What referrals permits now. The address is used once and forgotten; `reason` is a code."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    referral_id: UUID
    need_id: UUID
    decision: Decision
    reason: Code | None = None
    channel: Channel | None = None
    address: SecretStr | None = Field(default=None, max_length=1000)
    language: Language = "en"
    format: Code | None = None
    neutral: bool
    voicemail: bool
    not_before: AwareDatetime | None = None

    def step(self, at: datetime) -> Step:
        return step(
            self.decision,
            self.reason,
            self.channel,
            has_address=self.address is not None,
            not_before=self.not_before,
            at=at,
        )


class Contacts(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    contacts: list[Contact]


@dataclass(frozen=True, slots=True)
class Referrals:
    """The internal door of the referrals service."""

    url: str
    tokens: Tokens
    clock: Callable[[], datetime]

    async def contacts(self, lookups: Sequence[Lookup]) -> list[Contact]:
        """One contact for each lookup, in order. Raises NotCalled where referrals gave no answer of use."""
        try:
            async with asyncio.timeout(WITHIN):
                answer = await self._ask(Lookups(lookups=list(lookups)))
        except (httpx2.HTTPError, OSError, TimeoutError, ValueError) as error:
            raise NotCalled(f"referrals gave no answer of use: {type(error).__name__}") from None
        if [_subject(contact) for contact in answer.contacts] != [_subject(lookup) for lookup in lookups]:
            raise NotCalled("referrals answered for others than those asked for")
        return answer.contacts

    async def _ask(self, lookups: Lookups) -> Contacts:
        token = self.tokens.make("notifications", "referrals", self.clock())
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with httpx2.AsyncClient(timeout=WITHIN, trust_env=False) as http:
            response = await http.post(self.url.rstrip("/") + PATH, content=lookups.model_dump_json(), headers=headers)
        response.raise_for_status()
        return Contacts.model_validate_json(response.content)


def _subject(of: Lookup | Contact) -> tuple[UUID, UUID]:
    return of.referral_id, of.need_id
