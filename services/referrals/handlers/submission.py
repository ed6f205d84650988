"""A partner's referral: opened and checked before the transaction, scored, kept and answered in it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chassis.envelope import Event
from chassis.errors import Refused, field_errors, refuse
from chassis.facts import Said, refusal
from chassis.ids import uuid7
from chassis.jwe import NotOpened, Opener
from chassis.sealing import Vault
from chassis.submissions import ERASED
from contracts.calendar import day_of
from contracts.door import Referral, ReferralPosted, ReferralSubmitted
from contracts.message import Message
from contracts.person import Person
from contracts.refusal import FieldError
from services.referrals import events_out
from services.referrals.domain.lifecycle import Need, next_step
from services.referrals.domain.priority import Policy, Score, score
from services.referrals.domain.schemes import qualifies_for
from services.referrals.store import Store
from services.referrals.store.referrals import NewReferral


class OpenedReferral(Referral):
    """A referral whose person was opened. It lives only in memory, between the door and the vault."""

    person: Person

    spec = ReferralSubmitted.spec
    example = ReferralSubmitted.example


@dataclass(frozen=True, slots=True)
class Programme:
    """What the programme holds: the policy, and the keys that open, wrap and alias."""

    policy: Policy
    opener: Opener
    vault: Vault


def opening(programme: Programme) -> Callable[[Message], Message]:
    """How a message of either door becomes an OpenedReferral. Raises Refused."""

    def opened(message: Message) -> Message:
        assert isinstance(message, (ReferralSubmitted, ReferralPosted))  # noqa: S101 - wired for these two alone
        person = getattr(message, "person", None) or _open(programme.opener, message.person_jwe or "")
        shared = {name: getattr(message, name) for name in Referral.model_fields}
        return OpenedReferral.model_construct(**shared, person=person)

    return opened


_MEND = {
    "other-key": "Seal it with the programme's public key, which `partner add` printed.",
    "jwe-algorithm": "Use ECDH-ES+A256KW and A256GCM, without zip.",
}


def _open(opener: Opener, sealed: str) -> Person:
    try:
        return Person.model_validate_json(opener.open(sealed))
    except NotOpened as why:
        mend = _MEND.get(why.rule, "Seal the person again as a JWE in compact form.")
        raise Refused(refuse("person_jwe", why.rule, "The sealed person cannot be opened.", mend)) from None
    except ValidationError as error:
        errors = (e.model_copy(update={"field": f"person.{e.field}"}) for e in field_errors(error))
        raise Refused(*errors) from None


async def on_referral_submitted(
    programme: Programme, events: Sequence[Event[OpenedReferral]], store: Store, at: datetime
) -> list[Said]:
    deciles = await store.referrals.deciles([code for event in events for code in _codes(event.data)])
    errors = {id(event): _errors(event, deciles) for event in events}
    gone = await store.persons.erased([_referral_id(event) for event in events])
    for event in events:
        errors[id(event)] += [ERASED] if _referral_id(event) in gone else []
    accepted = [_Accepted(event, _decide(programme, event, deciles)) for event in events if not errors[id(event)]]
    rows = [_row(programme, each) for each in accepted]
    needs = [need for each in accepted for need in each.needs]
    await store.referrals.add(rows, needs, at)
    refused = [refusal(event, *errors[id(event)]) for event in events if errors[id(event)]]
    return [*refused, *(fact for each, row in zip(accepted, rows, strict=True) for fact in _say(each, row))]


@dataclass(frozen=True, slots=True)
class _Decision:
    score: Score
    schemes: list[str]
    ward: str | None


@dataclass(frozen=True, slots=True)
class _Accepted:
    event: Event[OpenedReferral]
    decision: _Decision

    @property
    def referral_id(self) -> UUID:
        return _referral_id(self.event)

    @property
    def needs(self) -> list[Need]:
        step = next_step("requested", self.event.time)
        return [
            Need(
                uuid7(self.event.time, self.event.source, self.event.id, "need", str(nth)),
                self.referral_id,
                asked.kind,
                "requested",
                next=step,
            )
            for nth, asked in enumerate(self.event.data.needs)
        ]


def _referral_id(event: Event[OpenedReferral]) -> UUID:
    return uuid7(event.time, event.source, event.id, "referral")


def _is_ward(code: str | None) -> bool:
    return code is not None and code[1:3] == "05"


def _codes(data: OpenedReferral) -> list[str]:
    return [code for code in (data.ward, data.serve_ward, data.person.lsoa) if code]


def _errors(event: Event[OpenedReferral], deciles: dict[str, int]) -> list[FieldError]:
    data = event.data
    named = (("ward", data.ward), ("serve_ward", data.serve_ward))
    errors = [
        refuse(field, "unknown-ward", "The programme has no such ward.", "Use the GSS code of one of its wards.")
        for field, code in named
        if _is_ward(code) and code not in deciles
    ]
    given, until = data.agreement.given_on, data.agreement.until
    if given > day_of(event.time):
        errors.append(
            refuse(
                "agreement.given_on", "in-future", "The agreement is dated after today.", "Give the day it was given."
            )
        )
    if until and until < day_of(event.time):
        errors.append(refuse("agreement.until", "lapsed", "The agreement has ended.", "Ask the person again."))
    kinds = [need.kind for need in data.needs]
    if len(set(kinds)) < len(kinds):
        errors.append(refuse("needs", "kind-twice", "A kind of need stands twice.", "Ask for each kind once."))
    return errors


def _decide(programme: Programme, event: Event[OpenedReferral], deciles: dict[str, int]) -> _Decision:
    data, person = event.data, event.data.person
    told = {code for code, answer in person.circumstances.items() if answer == "yes"}
    decile = deciles.get(person.lsoa or "") or deciles.get(data.ward)
    ward = data.serve_ward or (data.ward if _is_ward(data.ward) else None)
    schemes = qualifies_for(person.born, told, day_of(event.time))
    return _Decision(score(programme.policy, told, decile), schemes, ward)


def _row(programme: Programme, accepted: _Accepted) -> NewReferral:
    event, data, scored = accepted.event, accepted.event.data, accepted.decision.score
    wrapped, sealed = programme.vault.lock(data.person.model_dump_json().encode())
    return NewReferral(
        id=accepted.referral_id,
        person_ref=programme.vault.alias(event.time, event.source, event.id),
        partner=event.partner or "",
        submission_id=event.id,
        reference=data.reference,
        area=data.ward,
        ward=accepted.decision.ward,
        direct_contact=data.direct_contact,
        agreement_by=data.agreement.by,
        agreement_until=data.agreement.until,
        score=scored.points,
        groups=scored.groups,
        area_step=scored.area_step,
        policy=scored.policy,
        received_at=event.time,
        wrapped_key=wrapped,
        sealed=sealed,
    )


def _say(accepted: _Accepted, row: NewReferral) -> list[Said]:
    return [
        events_out.referral_received(accepted.event, row, accepted.needs, accepted.decision.schemes),
        events_out.acknowledged(accepted.event, accepted.referral_id, accepted.needs),
    ]


def person_of(vault: Vault, row: Any) -> Person:
    """Opens a row of `wrapped_key` and `sealed`."""
    return Person.model_validate(json.loads(vault.unlock(row["wrapped_key"], row["sealed"])))
