"""Staff take over a waiting list that was kept elsewhere: each person keeps the day since which they wait."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from chassis.decode import partner_event
from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Fact, Said, answer, refusal
from contracts.calendar import day_of, start_of
from contracts.door import ReferralAcknowledged, ReferralPosted, ReferralSubmitted
from contracts.message import Message, act
from contracts.refusal import FieldError
from contracts.vocabulary import PartnerId
from services.referrals.handlers.staff import StaffAct
from services.referrals.handlers.submission import OpenedReferral, Programme, opening, submit
from services.referrals.store import Store

LONGEST = timedelta(days=10 * 366)


@act("referrals", key="partner")
class ImportReferral(StaffAct):
    """A person of an existing waiting list, with the day since which they wait. `partner` is who referred them."""

    partner: PartnerId
    received_on: date
    referral: ReferralPosted


class OpenedImport(StaffAct):
    """An import whose person was opened. It lives only in memory."""

    partner: PartnerId
    received_on: date
    referral: OpenedReferral

    spec = ImportReferral.spec
    example = ReferralSubmitted.example


def opening_import(programme: Programme) -> Callable[[Message], Message]:
    """How an ImportReferral becomes an OpenedImport. Raises Refused."""
    opened = opening(programme)

    def one(message: Message) -> Message:
        assert isinstance(message, ImportReferral)  # noqa: S101 - wired for this alone
        told = {name: getattr(message, name) for name in ("by", "why", "partner", "received_on")}
        return OpenedImport.model_construct(**told, referral=opened(message.referral))

    return one


_UNKNOWN = refuse("partner", "unknown-partner", "There is no such partner.", "Add the partner first.")
_WHEN = refuse(
    "received_on", "not-in-the-past", "Nobody waits since a later day, or for more than ten years.", "Correct the day."
)

_BEFORE = refuse(
    "referral.reference", "imported-before", "This partner's reference was imported before.", "Leave it out."
)


async def on_import_referral(
    programme: Programme, events: Sequence[Event[OpenedImport]], store: Store, at: datetime
) -> list[Said]:
    said: list[Said] = []
    for event in events:
        if wrong := await _wrong(event.data, store, at):
            said.append(refusal(event, wrong))
            continue
        said += await _import(programme, event, store, at)
    return said


async def _wrong(told: OpenedImport, store: Store, at: datetime) -> FieldError | None:
    if not await store.partners.is_known(told.partner):
        return _UNKNOWN
    if not day_of(at) - LONGEST < told.received_on <= day_of(at):
        return _WHEN
    return _BEFORE if await store.referrals.has_submission(told.partner, _identity(told)) else None


def _identity(told: OpenedImport) -> str:
    """The same reference of a partner is imported once, whoever does it."""
    return f"import/{told.referral.reference}"


async def _import(programme: Programme, event: Event[OpenedImport], store: Store, at: datetime) -> list[Said]:
    """The partner is told of the referral in its outbox, as if it had sent it."""
    told, kind = event.data, ReferralSubmitted.spec.type
    referred: Event[Any] = partner_event(told.partner, _identity(told), told.referral, kind, start_of(told.received_on))
    said = await submit(programme, [referred], store, at, day_of(at))
    (heard,) = (fact.data for fact in said if isinstance(fact, Fact) and fact.is_answer)
    others = [each for each in said if not (isinstance(each, Fact) and each.is_answer)]
    if not isinstance(heard, ReferralAcknowledged):
        return [refusal(event, *heard.errors)]  # type: ignore[attr-defined]  # it was refused, then
    await store.changes.note_acts([(heard.referral_id, None, "ImportReferral", told.by, told.why)], at)
    return [*others, Fact(heard, referred, to=told.partner), answer(event, heard)]
