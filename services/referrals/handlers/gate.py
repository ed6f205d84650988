"""The gate: how a person, or who referred them, may be told something at this moment. Every answer is audited."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.contacting import Asked
from contracts.notifications import Audience
from contracts.person import Person
from contracts.vocabulary import Channel, NeedStatus
from services.referrals.domain.codes import LENGTH, code_of, grouped
from services.referrals.domain.contact import Contact, Rule, choose, strictest, to_referrer
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.submission import Programme
from services.referrals.store import Store
from services.referrals.store.contacting import Link

LINK_LASTS: Final = timedelta(days=28)
CODE_LASTS: Final = timedelta(days=365)
WITH_LINK: Final = frozenset({"email", "sms"})
"""Nobody types a link from a letter."""


class Lookup(BaseModel):
    """Who is to be told what; `purpose` is a status or feedback, `tried` the channels that failed."""

    referral_id: UUID
    need_id: UUID
    purpose: Annotated[str, Field(max_length=40)]
    tried: list[Channel] = Field(default=[], max_length=10)
    audience: Audience = "person"

    @property
    def asked(self) -> Any:
        """Which question about how it went this is, or none."""
        asked = self.purpose.removeprefix("feedback-")
        return asked if asked in get_args(Asked) else None

    @property
    def may_be_known(self) -> bool:
        """The referrer was asked to tell them this, did not say in time that it had, and may have said so since."""
        return self.audience == "person" and "via-referrer" in self.tried


class Lookups(BaseModel):
    lookups: list[Lookup] = Field(min_length=1, max_length=500)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one lookup is answered. `person` is there where they are to be told themselves."""

    lookup: Lookup
    contact: Contact
    person: Person | None = None
    reference: str | None = None

    @property
    def with_link(self) -> bool:
        """Where a link can be opened, and says nothing that neutral words do not."""
        to_person = self.person is not None and self.contact.channel in WITH_LINK
        return to_person and self.lookup.asked is not None and not self.contact.neutral

    @property
    def with_code(self) -> bool:
        """The first mail to the referrer has a status code, but not where the person wants neutral words."""
        first = self.lookup.audience == "referrer" and self.lookup.purpose == "requested"
        return first and self.contact.decision == "send" and not self.contact.neutral


@dataclass(frozen=True, slots=True)
class Gate:
    """`public_url` is where people reach our pages; without it messages have no links."""

    programme: Programme
    public_url: str | None = None

    async def contacts(self, store: Store, lookups: Sequence[Lookup], who: str, at: datetime) -> list[dict[str, Any]]:
        """One answer for each lookup, in order. None is stored by who asks."""
        rows, known = await self._known(store, [lookup.referral_id for lookup in lookups])
        held = await store.referrals.contact_is_held()
        statuses = await store.referrals.statuses([lookup.need_id for lookup in lookups])
        late = [lookup.referral_id for lookup in lookups if lookup.may_be_known]
        knows = await store.contacting.known_by_referrer(late) if late else set()
        mails = await store.contacting.mails(sorted({row["partner"] for row in rows.values()}))

        def choose_for(lookup: Lookup) -> Chosen:
            if lookup.referral_id not in known:
                return Chosen(lookup, Contact("withheld", "not-known"))
            if lookup.may_be_known and (lookup.need_id, lookup.purpose) in knows:
                return Chosen(lookup, Contact("withheld", "overtaken"))
            row, status = rows[lookup.referral_id], statuses.get(lookup.need_id)
            return _choose(lookup, row, *known[lookup.referral_id], mails, at, held=held, status=status)

        chosen = [choose_for(lookup) for lookup in lookups]
        await store.referrals.audit(
            [(c.lookup.referral_id, who, c.lookup.purpose, c.contact.decision, c.contact.channel, at) for c in chosen]
        )
        links, codes = await self._links(store, chosen, at), await _codes(store, chosen, at)
        status_page = self.public_url and f"{self.public_url}/status"
        return [
            _answer(each, link or (status_page if code else None), code)
            for each, link, code in zip(chosen, links, codes, strict=True)
        ]

    async def is_neutral(self, store: Store, referral: UUID) -> bool:
        """Whether nobody is to read what it is about, by the rule as it is now."""
        _, known = await self._known(store, [referral])
        return referral not in known or known[referral][1].neutral

    async def _known(
        self, store: Store, referrals: Sequence[UUID]
    ) -> tuple[dict[UUID, Any], dict[UUID, tuple[Person, Rule]]]:
        """The rows of referrals, and their persons with the rule for each.

        Of two that may be one person both rules hold, until staff have settled it.
        """
        others = await store.duplicates.not_settled_with(referrals)
        rows = await store.referrals.sealed_persons([*referrals, *(o for those in others.values() for o in those)])
        persons = {each: person_of(self.programme.vault, row) for each, row in rows.items()}
        rules = {each: _rule(persons[each], row) for each, row in rows.items()}
        return rows, {
            each: (persons[each], strictest(rules[each], [rules[o] for o in others.get(each, ()) if o in rules]))
            for each in rows
        }

    async def _links(self, store: Store, chosen: Sequence[Chosen], at: datetime) -> list[str | None]:
        """A link of 128 random bits for each question that goes where one can be opened; its hash is kept."""
        tokens = [secrets.token_urlsafe(16) if self.public_url and each.with_link else None for each in chosen]
        made = [
            Link(hashed(token), each.lookup.referral_id, each.lookup.need_id, each.lookup.asked, at + LINK_LASTS)
            for token, each in zip(tokens, chosen, strict=True)
            if token
        ]
        if made:
            await store.contacting.add_links(made)
        return [f"{self.public_url}/l/{token}" if token else None for token in tokens]


def _choose(
    lookup: Lookup,
    row: Any,
    person: Person,
    rule: Rule,
    mails: Mapping[str, str],
    at: datetime,
    *,
    held: bool,
    status: NeedStatus | None,
) -> Chosen:
    if lookup.audience == "referrer":
        contact = to_referrer(mails.get(row["partner"]), lookup.tried, neutral=rule.neutral)
        return Chosen(lookup, contact, reference=row["reference"])
    contact = choose(rule, lookup.purpose, lookup.tried, at, held=held, status=status)
    return Chosen(lookup, contact, person if contact.decision == "send" else None)


async def _codes(store: Store, chosen: Sequence[Chosen], at: datetime) -> list[str | None]:
    codes = [code_of(secrets.token_bytes(LENGTH)) if each.with_code else None for each in chosen]
    made = [(hashed(code), each.lookup.referral_id) for code, each in zip(codes, chosen, strict=True) if code]
    if made:
        await store.contacting.add_codes(made, at + CODE_LASTS)
    return [grouped(code) if code else None for code in codes]


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _rule(person: Person, row: Any) -> Rule:
    safe = person.safe_contact
    home = [*person.address, *([person.postcode] if person.postcode else [])]
    addresses = {
        "email": person.email,
        "sms": person.phone,
        "phone": person.phone,
        "letter": "\n".join([person.name, *home]) if person.address else None,
        "in-person": "\n".join(home),
        "via-referrer": row["partner"],
    }
    return Rule(
        channels=tuple(safe.channels),
        addresses={channel: address for channel, address in addresses.items() if address},
        neutral=safe.neutral,
        voicemail=safe.voicemail,
        hours=safe.hours,
        until=safe.until,
        agreement_until=row["agreement_until"],
        through=safe.through is not None,
        needs=frozenset(person.accessible_information),
        closed=row["closed_at"] is not None,
    )


def _answer(chosen: Chosen, link: str | None, code: str | None) -> dict[str, Any]:
    lookup, contact, person = chosen.lookup, chosen.contact, chosen.person
    return {
        "referral_id": lookup.referral_id,
        "need_id": lookup.need_id,
        "decision": contact.decision,
        "reason": contact.reason,
        "channel": contact.channel,
        "address": contact.address,
        "name": person.name if person and contact.channel in {"phone", "in-person"} else None,
        "through": person.safe_contact.through if person else None,
        "reference": chosen.reference,
        "link": link,
        "code": code,
        "language": "en",
        "formats": person.accessible_information if person else [],
        "neutral": contact.neutral,
        "voicemail": contact.voicemail,
        "not_before": contact.not_before,
    }
