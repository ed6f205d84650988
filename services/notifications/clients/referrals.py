"""Asks referrals, at the moment of sending and in one call, whether and how each person may be contacted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from chassis.due import NotCalled
from contracts.notifications import Audience
from contracts.vocabulary import Channel, Code, Language, Reference
from services.notifications.clients.peers import Peer
from services.notifications.domain.gate import Decision, Step, step
from services.notifications.domain.telling import Tell

PATH = "/v1/contacts"


class Lookup(BaseModel):
    """One person to be told of one need. `tried` are the channels that failed before."""

    referral_id: UUID
    need_id: UUID
    purpose: Code
    audience: Audience = "person"
    tried: list[Channel] = Field(default=[], max_length=10)

    @classmethod
    def of(cls, tell: Tell) -> "Lookup":
        return cls(
            referral_id=tell.referral_id,
            need_id=tell.need_id,
            purpose=tell.about,
            audience=tell.audience,
            tried=list(tell.tried),
        )


class Lookups(BaseModel):
    lookups: list[Lookup] = Field(min_length=1, max_length=500)


class Contact(BaseModel):
    """What referrals permits now. What leads to the person is used once and forgotten; `reason` is a code.

    `formats` are needs for accessible information; `through` is whom a human being asks for instead; `link` is where
    the person can answer. A referrer has its own `reference`, and a `code` to see how it stands.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    referral_id: UUID
    need_id: UUID
    decision: Decision
    reason: Code | None = None
    channel: Channel | None = None
    address: SecretStr | None = Field(default=None, max_length=1000)
    name: SecretStr | None = Field(default=None, max_length=300)
    through: SecretStr | None = Field(default=None, max_length=300)
    link: SecretStr | None = Field(default=None, max_length=300)
    reference: Reference | None = None
    code: SecretStr | None = Field(default=None, max_length=20)
    language: Language = "en"
    formats: tuple[Code, ...] = Field(default=(), max_length=10)
    neutral: bool
    voicemail: bool
    not_before: AwareDatetime | None = None

    def step(self, at: datetime, automatic: Collection[Channel]) -> Step:
        return step(
            self.decision,
            self.reason,
            self.channel,
            has_address=self.address is not None,
            not_before=self.not_before,
            at=at,
            automatic=automatic,
        )


class Contacts(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    contacts: list[Contact]


@dataclass(frozen=True, slots=True)
class Referrals:
    """What is asked of the referrals service."""

    peer: Peer

    async def contacts(self, tells: Sequence[Tell]) -> list[Contact]:
        """One contact for each, in order. Raises NotCalled where referrals gave no answer of use."""
        lookups = [Lookup.of(tell) for tell in tells]
        answer = await self.peer.ask(PATH, Lookups(lookups=lookups), Contacts)
        if [_subject(contact) for contact in answer.contacts] != [_subject(lookup) for lookup in lookups]:
            raise NotCalled("referrals answered for others than those asked for")
        return answer.contacts


def clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _subject(of: Lookup | Contact) -> tuple[UUID, UUID]:
    return of.referral_id, of.need_id
