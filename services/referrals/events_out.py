"""What the service says: facts to everybody, and answers and progress to the referring partner."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Fact, answer
from contracts.door import (
    NeedAcknowledged,
    NextStep,
    Referral,
    ReferralAcknowledged,
    ReferralProgressed,
)
from contracts.referrals import (
    ErasureConfirmed,
    NeedReceived,
    NeedStatusChanged,
    PersonErased,
    Priority,
    ReferralClosed,
    ReferralReceived,
    ReferralWithdrawn,
)
from contracts.vocabulary import NeedStatus
from services.referrals.domain.lifecycle import Need
from services.referrals.store.referrals import NewReferral, Parent


def referral_received(event: Event[Referral], row: NewReferral, needs: Sequence[Need], schemes: list[str]) -> Fact:
    data = event.data
    asked = [
        NeedReceived(need_id=need.id, **wanted.model_dump()) for need, wanted in zip(needs, data.needs, strict=True)
    ]
    priority = Priority(score=row.score, groups=row.groups, area_step=row.area_step, policy=row.policy)
    return Fact(
        ReferralReceived(
            referral_id=row.id,
            person_ref=row.person_ref,
            partner=row.partner,
            received_at=row.received_at,
            ward=row.ward,
            area=row.area,
            needs=asked,
            languages=data.languages,
            schemes=schemes,
            priority=priority,
            not_before=data.not_before,
        ),
        event,
    )


def acknowledged(event: Event[Referral], referral_id: UUID, needs: Sequence[Need]) -> Fact:
    told = [NeedAcknowledged(need_id=need.id, kind=need.kind, status=need.status) for need in needs]
    return answer(
        event,
        ReferralAcknowledged(
            submission_id=event.id, reference=event.data.reference, referral_id=referral_id, needs=told
        ),
    )


def progressed(event: Event[Any], parent: Parent, need: Need, previous: NeedStatus, at: datetime) -> list[Fact]:
    """The fact for everybody, and the same for the partner that referred the person."""
    step = NextStep(by=need.next.by, on=need.next.on, what=need.next.what) if need.next else None
    outcome: Any = need.outcome
    changed = NeedStatusChanged(
        referral_id=need.referral_id,
        need_id=need.id,
        partner=parent.partner,
        kind=need.kind,
        area=parent.area,
        status=need.status,
        previous=previous,
        reason=need.reason,
        outcome=outcome,
        at=at,
        next=step,
    )
    told = ReferralProgressed(
        referral_id=need.referral_id,
        need_id=need.id,
        reference=parent.reference,
        kind=need.kind,
        status=need.status,
        reason=need.reason,
        outcome=outcome,
        at=at,
        next=step,
    )
    return [Fact(changed, event), Fact(told, event, to=parent.partner)]


def withdrawn(event: Event[Any], needs: Sequence[Need]) -> Fact:
    ids = [need.id for need in needs]
    return Fact(ReferralWithdrawn(referral_id=event.data.referral_id, need_ids=ids, reason=event.data.reason), event)


def closed(event: Event[Any], referral_id: UUID, at: datetime) -> Fact:
    return Fact(ReferralClosed(referral_id=referral_id, at=at), event)


def person_erased(event: Event[Any], referral_id: UUID) -> Fact:
    return Fact(PersonErased(referral_id=referral_id), event)


def erasure_confirmed(event: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=event.data.referral_id, at=at), event)
