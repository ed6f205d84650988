"""Asks grants, at the moment of writing and in one call, where each applicant is written to, and how it stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from chassis.due import NotCalled
from contracts.applicants import ApplicantContact, ApplicantContacts, ApplicantLookup, ApplicantLookups, Standing
from contracts.vocabulary import Channel
from services.notifications.clients.peers import Peer
from services.notifications.domain.gate import Send, Step, Withhold
from services.notifications.domain.telling import TellApplicant

PATH = "/v1/applicant-contacts"


@dataclass(frozen=True, slots=True)
class Applicant:
    """An organisation at work, which is written to by mail or not at all."""

    told: ApplicantContact
    tried: tuple[Channel, ...]

    formats: tuple[str, ...] = ()
    neutral: bool = False
    voicemail: bool = True
    through: None = None

    @property
    def name(self) -> SecretStr | None:
        return SecretStr(self.told.standing.organisation) if self.told.standing else None

    @property
    def address(self) -> SecretStr | None:
        return self.told.email

    @property
    def standing(self) -> Standing | None:
        return self.told.standing

    def step(self, _at: datetime, _automatic: Collection[Channel]) -> Step:
        """Without a mail that is read, staff are to find a way."""
        if self.told.withheld or not self.told.standing:
            return Withhold(self.told.withheld or "not-known")
        if self.told.email is None or "email" in self.tried:
            return Withhold("no-channel-left" if self.tried else "no-address")
        return Send("email")


@dataclass(frozen=True, slots=True)
class Grants:
    """What is asked of the grants service."""

    peer: Peer

    async def contacts(self, tells: Sequence[TellApplicant]) -> list[Applicant]:
        """One contact for each, in order. Raises NotCalled where grants gave no answer of use."""
        lookups = [ApplicantLookup(application_id=t.application_id, about=t.about, day=t.day) for t in tells]
        answer = await self.peer.ask(PATH, ApplicantLookups(lookups=lookups), ApplicantContacts)
        if [_subject(contact) for contact in answer.contacts] != [_subject(lookup) for lookup in lookups]:
            raise NotCalled("grants answered for others than those asked for")
        return [Applicant(contact, tell.tried) for contact, tell in zip(answer.contacts, tells, strict=True)]


def _subject(of: ApplicantLookup | ApplicantContact) -> tuple[object, str]:
    return of.application_id, of.about
