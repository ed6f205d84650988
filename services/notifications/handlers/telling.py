"""A change of status becomes a message and the errand of telling it; a closed referral, the question how it went."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Errand, Forget, Later, Said
from chassis.ids import uuid7
from contracts.contacting import Asked
from contracts.notifications import Audience
from contracts.referrals import NeedStatusChanged, PartnerRegistered, PersonErased, ReferralClosed, ReferralReceived
from contracts.vocabulary import Channel
from services.notifications import events_out
from services.notifications.domain.telling import Tell, Telling, is_told, is_told_to_referrer, waits_again
from services.notifications.handlers.digests import plan
from services.notifications.store import Store
from services.notifications.store.messages import Move, RungEnd

ASKED_AFTER: Final[dict[Asked, timedelta]] = {
    "closing": timedelta(days=7),
    "3-months": timedelta(days=91),
    "6-months": timedelta(days=182),
}
"""How long after a referral closed its person is asked how it went."""


class AskHowItWent(BaseModel):
    """Due work: the person of a closed referral is to be asked."""

    referral_id: UUID
    asked: Asked


def errand(tell: Telling, not_before: datetime, cause: Event[Any]) -> Errand:
    return Errand(not_before, tell, tell.key, cause)


async def on_partner_registered(events: Sequence[Event[PartnerRegistered]], store: Store, at: datetime) -> list[Said]:
    """Whose offers wait by now hears of them the next morning."""
    last = {event.data.partner: event for event in events}
    mailed = [partner for partner, event in last.items() if event.data.mail]
    await store.mail_partners(mailed)
    await store.mail_not([partner for partner, event in last.items() if not event.data.mail])
    return await plan({partner: last[partner] for partner in await store.waiting_for(mailed, at)}, store, at)


async def on_referral_received(events: Sequence[Event[ReferralReceived]], store: Store, at: datetime) -> list[Said]:
    await store.know_referrals([(event.data.referral_id, event.data.languages) for event in events])
    mailed = await store.mailed({event.data.partner for event in events})
    return await begin([(_received(event), event) for event in events if event.data.partner in mailed], store, at)


async def on_need_status_changed(events: Sequence[Event[NeedStatusChanged]], store: Store, at: datetime) -> list[Said]:
    languages = await store.languages([event.data.referral_id for event in events])
    mailed = await store.mailed({event.data.partner for event in events})
    told: list[tuple[Telling, Event[Any]]] = []
    for event in events:
        change = event.data
        if is_told(change.status, change.reason):
            told.append((_tell(event, "person", languages.get(change.referral_id, ())), event))
        if change.partner in mailed and is_told_to_referrer(change.status, change.reason):
            told.append((_tell(event, "referrer", ()), event))
    helped = [(e.data.referral_id, e.data.need_id, e.data.kind) for e in events if e.data.status == "completed"]
    if helped:
        await store.helped(helped)
    return await begin(told, store, at)


async def begin(told: Sequence[tuple[Telling, Event[Any]]], store: Store, at: datetime) -> list[Said]:
    """The errands of telling what nobody was told before, each once."""
    once = {tell.message_id: (tell, event) for tell, event in told}
    new = await store.add_messages([(tell, UUID(event.id)) for tell, event in once.values()], at) if once else set()
    return [errand(tell, at, event) for tell, event in once.values() if tell.message_id in new]


async def not_arrived(
    event: Event[Any], tell: Telling, rung: int, channel: Channel, evidence: str, store: Store, at: datetime
) -> list[Said]:
    """What had left did not arrive, so the next way is tried, unless the message has come to its end otherwise."""
    message = tell.message_id
    await store.end_rungs([RungEnd(message, rung, "failed", evidence)], at)
    moved = await store.go_on([Move(message, "waiting", channel, evidence, used=channel)], at)
    failed = events_out.not_arrived(tell, rung, channel, evidence, event, at)
    return [*failed, *([errand(tell.without(channel), at, event)] if moved else [])]


async def on_referral_closed(events: Sequence[Event[ReferralClosed]], store: Store, at: datetime) -> list[Said]:
    """Whoever was not helped is not asked how the help went."""
    helped = await store.helped_with([event.data.referral_id for event in events])
    return [
        Later(event.data.at + wait, AskHowItWent(referral_id=event.data.referral_id, asked=asked), event.key, event)
        for event in events
        if event.data.referral_id in helped
        for asked, wait in ASKED_AFTER.items()
    ]


async def on_ask_how_it_went(events: Sequence[Event[AskHowItWent]], store: Store, at: datetime) -> list[Said]:
    referrals = [event.data.referral_id for event in events]
    helped, languages = await store.helped_with(referrals), await store.languages(referrals)
    tells: list[tuple[Telling, Event[Any]]] = [
        (_question(event, *helped[event.data.referral_id], languages.get(event.data.referral_id, ())), event)
        for event in events
        if event.data.referral_id in helped
    ]
    new = await store.add_messages([(tell, tell.message_id) for tell, _ in tells], at)
    return [errand(tell, at, event) for tell, event in tells if tell.message_id in new]


async def on_person_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    await store.forget([event.data.referral_id for event in events])
    return [said for event in events for said in (Forget(event.key), events_out.erasure_confirmed(event, at))]


def _tell(event: Event[NeedStatusChanged], audience: Audience, languages: Sequence[str]) -> Tell:
    change = event.data
    return Tell(
        message_id=uuid7(event.time, event.source, event.id, "message", audience),
        referral_id=change.referral_id,
        need_id=change.need_id,
        kind=change.kind,
        status=change.status,
        audience=audience,
        again=waits_again(audience, change.status, change.previous, change.reason),
        languages=tuple(languages),
    )


def _received(event: Event[ReferralReceived]) -> Tell:
    need = event.data.needs[0]
    return Tell(
        message_id=uuid7(event.time, event.source, event.id, "message", "referrer"),
        referral_id=event.data.referral_id,
        need_id=need.need_id,
        kind=need.kind,
        status="requested",
        audience="referrer",
    )


def _question(event: Event[AskHowItWent], need: UUID, kind: Any, languages: Sequence[str]) -> Tell:
    return Tell(
        message_id=uuid7(event.time, event.source, event.id, "message", event.data.asked),
        referral_id=event.data.referral_id,
        need_id=need,
        kind=kind,
        status="completed",
        asked=event.data.asked,
        languages=tuple(languages),
    )
