"""A partner's referral: opened and checked before the transaction, scored, kept and answered in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said, refusal
from chassis.ids import uuid7
from chassis.jwe import Opener
from chassis.sealing import Vault
from chassis.submissions import ERASED
from contracts.calendar import day_of
from contracts.door import Referral, ReferralPosted, ReferralSubmitted
from contracts.message import Message
from contracts.person import Person
from contracts.refusal import FieldError
from services.referrals import events_out
from services.referrals.domain.lifecycle import days_of_agreement
from services.referrals.domain.people import closes_on
from services.referrals.domain.priority import Policy, Score
from services.referrals.handlers.asking import (
    is_ward,
    new_needs,
    open_person,
    to_keep,
    weigh,
    wrong_agreement,
    wrong_needs,
    wrong_wards,
)
from services.referrals.handlers.duplicates import Found, Newcomer, find
from services.referrals.handlers.moves import check_on, days_of
from services.referrals.store import Store
from services.referrals.store.referrals import NewNeed, NewReferral, Parent


class OpenedReferral(Referral):
    """A referral whose person was opened. It lives only in memory, between the door and the vault."""

    person: Person

    spec = ReferralSubmitted.spec
    example = ReferralSubmitted.example


@dataclass(frozen=True, slots=True)
class Programme:
    """The keys that open, wrap and alias."""

    opener: Opener
    vault: Vault


def opening(programme: Programme) -> Callable[[Message], Message]:
    """How a message of either door becomes an OpenedReferral. Raises Refused."""

    def opened(message: Message) -> Message:
        assert isinstance(message, (ReferralSubmitted, ReferralPosted))  # noqa: S101 - wired for these two alone
        person = getattr(message, "person", None) or open_person(programme.opener, message.person_jwe or "")
        shared = {name: getattr(message, name) for name in Referral.model_fields}
        return OpenedReferral.model_construct(**shared, person=person)

    return opened


async def on_referral_submitted(
    programme: Programme, events: Sequence[Event[OpenedReferral]], store: Store, at: datetime
) -> list[Said]:
    return await submit(programme, events, store, at)


async def submit(
    programme: Programme,
    events: Sequence[Event[OpenedReferral]],
    store: Store,
    at: datetime,
    today: date | None = None,
) -> list[Said]:
    """`today` is the day on which an agreement must hold, where that is not the day of the referral."""
    deciles = await store.referrals.deciles([code for event in events for code in _codes(event.data)])
    policy = await store.policies.current()
    errors = {id(event): _errors(event, deciles, today or day_of(event.time)) for event in events}
    gone = await store.persons.erased([_referral_id(event) for event in events])
    for event in events:
        errors[id(event)] += [ERASED] if _referral_id(event) in gone else []
    good = [event for event in events if not errors[id(event)]]
    found = await find(programme.vault, [_newcomer(programme, event) for event in good], store)
    accepted = [_accept(policy, event, deciles, found) for event in good]
    rows = [_row(programme, each) for each in accepted]
    await store.referrals.add(rows, [need for each in accepted for need in each.needs], at)
    told = {row.person_ref: event.data.person.monitoring for row, event in zip(rows, good, strict=True)}
    await store.people.add(told)
    await store.duplicates.add_tokens(found.tokens)
    if found.pairs:
        await store.duplicates.note(found.pairs, at)
    refused = [refusal(event, *errors[id(event)]) for event in events if errors[id(event)]]
    days = {day: each.event for each in accepted for day in _days(each, at)}
    facts = [fact for each, row in zip(accepted, rows, strict=True) for fact in _say(each, row, at)]
    return [*refused, *facts, *await check_on(days, store)]


@dataclass(frozen=True, slots=True)
class _Decision:
    score: Score
    schemes: list[str]
    ward: str | None


@dataclass(frozen=True, slots=True)
class _Accepted:
    event: Event[OpenedReferral]
    decision: _Decision
    needs: list[NewNeed]

    @property
    def referral_id(self) -> UUID:
        return _referral_id(self.event)


def _referral_id(event: Event[OpenedReferral]) -> UUID:
    return uuid7(event.time, event.source, event.id, "referral")


def _codes(data: OpenedReferral) -> list[str]:
    return [code for code in (data.ward, data.serve_ward, data.person.lsoa) if code]


def _errors(event: Event[OpenedReferral], deciles: dict[str, int], today: date) -> list[FieldError]:
    data = event.data
    return [
        *wrong_wards(deciles, ward=data.ward, serve_ward=data.serve_ward),
        *wrong_agreement(data.agreement, today),
        *wrong_needs(data.needs),
    ]


def _newcomer(programme: Programme, event: Event[OpenedReferral]) -> Newcomer:
    kinds = frozenset[str](need.kind for need in event.data.needs)
    return Newcomer(_referral_id(event), _person_ref(programme, event), event.data.person, kinds)


def _person_ref(programme: Programme, event: Event[Any]) -> UUID:
    return programme.vault.alias(event.time, event.source, event.id)


def _accept(policy: Policy, event: Event[OpenedReferral], deciles: dict[str, int], found: Found) -> _Accepted:
    data, checked = event.data, found.checked.get(_referral_id(event), ())
    needs = new_needs(event, _referral_id(event), data.needs, data.agreement.until, data.not_before, checked)
    ward = data.serve_ward or (data.ward if is_ward(data.ward) else None)
    scored, schemes = weigh(policy, data.person, data.ward, deciles, day_of(event.time))
    return _Accepted(event, _Decision(scored, schemes, ward), needs)


def _days(accepted: _Accepted, at: datetime) -> set[date]:
    today = day_of(at)
    agreement = days_of_agreement(accepted.event.data.agreement.until, today)
    return {closes_on(today)} | agreement.union(*(days_of(new.need) for new in accepted.needs))


def _row(programme: Programme, accepted: _Accepted) -> NewReferral:
    event, data, scored = accepted.event, accepted.event.data, accepted.decision.score
    wrapped, sealed = programme.vault.lock(to_keep(data.person))
    return NewReferral(
        id=accepted.referral_id,
        person_ref=_person_ref(programme, event),
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
        languages=data.languages,
        schemes=accepted.decision.schemes,
        not_before=data.not_before,
        wrapped_key=wrapped,
        sealed=sealed,
    )


def _say(accepted: _Accepted, row: NewReferral, at: datetime) -> list[Said]:
    event, needs = accepted.event, [new.need for new in accepted.needs]
    parent = Parent(row.partner, row.reference, row.area)
    held = [need for need in needs if need.hold]
    return [
        events_out.referral_received(event, row, needs, accepted.decision.schemes),
        events_out.acknowledged(event, row.reference, row.id, needs),
        *(fact for need in held for fact in events_out.progressed(event, parent, need, "requested", at)),
    ]
