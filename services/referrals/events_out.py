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
    NeedAmended,
    NeedAnswered,
    NeedReceived,
    NeedStatusChanged,
    PersonErased,
    Priority,
    ReferralAmended,
    ReferralClosed,
    ReferralReceived,
    ReferralStalled,
    ReferralWithdrawn,
)
from contracts.vocabulary import NeedStatus
from services.referrals.domain.lifecycle import Need
from services.referrals.store.referrals import NewReferral, Parent


def referral_received(event: Event[Referral], row: NewReferral, needs: Sequence[Need], schemes: list[str]) -> Fact:
    data = event.data
    asked = [
        NeedReceived(need_id=need.id, paused=need.hold is not None, **wanted.model_dump())
        for need, wanted in zip(needs, data.needs, strict=True)
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


def acknowledged(event: Event[Any], reference: str, referral_id: UUID, needs: Sequence[Need]) -> Fact:
    told = [NeedAcknowledged(need_id=need.id, kind=need.kind, status=need.status) for need in needs]
    return answer(
        event,
        ReferralAcknowledged(submission_id=event.id, reference=reference, referral_id=referral_id, needs=told),
    )


def progressed(event: Event[Any], parent: Parent, need: Need, previous: NeedStatus, at: datetime) -> list[Fact]:
    """The fact for everybody, and the same for the partner that referred the person."""
    told = _told(parent, need, at)
    changed = NeedStatusChanged(
        referral_id=need.referral_id,
        need_id=need.id,
        partner=parent.partner,
        kind=need.kind,
        area=parent.area,
        status=need.status,
        previous=previous,
        reason=need.reason,
        outcome=told.outcome,
        at=at,
        next=told.next,
    )
    return [Fact(changed, event), Fact(told, event, to=parent.partner)]


def _told(parent: Parent, need: Need, at: datetime) -> ReferralProgressed:
    outcome: Any = need.outcome
    return ReferralProgressed(
        referral_id=need.referral_id,
        need_id=need.id,
        reference=parent.reference,
        kind=need.kind,
        status=need.status,
        reason=need.reason,
        outcome=outcome,
        at=at,
        next=NextStep(by=need.next.by, on=need.next.on, what=need.next.what) if need.next else None,
    )


def stalled(event: Event[Any], parent: Parent, late: Need, taken_on: Need, at: datetime) -> list[Fact]:
    """The fact, and to the referrer that the programme takes it on."""
    assert late.next  # noqa: S101 - without a next step nothing can be late
    fact = ReferralStalled(
        referral_id=late.referral_id,
        need_id=late.id,
        partner=parent.partner,
        kind=late.kind,
        area=parent.area,
        status=late.status,
        by=late.next.by,
        due_on=late.next.on,
        at=at,
    )
    return [Fact(fact, event), Fact(_told(parent, taken_on, at), event, to=parent.partner)]


def reminded(event: Event[Any], parent: Parent, need: Need, at: datetime) -> Fact:
    """To the referrer: what comes next is something else."""
    return Fact(_told(parent, need, at), event, to=parent.partner)


def amended(event: Event[Any], rows: Sequence[Any]) -> Fact:
    """All that matching is to know of a referral; a row for each open need."""
    first = rows[0]
    return Fact(
        ReferralAmended(
            referral_id=first["id"],
            partner=first["partner"],
            received_at=first["received_at"],
            ward=first["ward"],
            area=first["area"],
            needs=[_need_amended(row) for row in rows],
            languages=first["languages"],
            schemes=first["schemes"],
            priority=Priority(
                score=first["score"], groups=first["groups"], area_step=first["area_step"], policy=first["policy"]
            ),
            lane=first["lane"],
            lane_until=first["lane_until"],
        ),
        event,
    )


def _need_amended(row: Any) -> NeedAmended:
    return NeedAmended(
        need_id=row["need_id"],
        kind=row["kind"],
        requirements=row["requirements"],
        languages=row["need_languages"],
        formats=row["formats"],
        days=row["days"],
        paused=row["hold"] is not None,
        paused_until=row["hold_until"],
        barred=row["barred"],
        home_visit_cleared=row["home_visit_cleared"],
    )


def answered(event: Event[Any], need: Need, at: datetime) -> Fact:
    told = event.data
    return Fact(
        NeedAnswered(referral_id=need.referral_id, need_id=need.id, answer=told.answer, until=told.until, at=at), event
    )


def withdrawn(event: Event[Any], needs: Sequence[Need], reason: str) -> Fact:
    ids = [need.id for need in needs]
    return Fact(ReferralWithdrawn(referral_id=needs[0].referral_id, need_ids=ids, reason=reason), event)


def closed(event: Event[Any], referral_id: UUID, at: datetime) -> Fact:
    return Fact(ReferralClosed(referral_id=referral_id, at=at), event)


def person_erased(event: Event[Any], referral_id: UUID) -> Fact:
    return Fact(PersonErased(referral_id=referral_id), event)


def erasure_confirmed(event: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=event.data.referral_id, at=at), event)
