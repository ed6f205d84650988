"""Facts of the grants service: funds, rounds, and what became of applications."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.grants import (
    ApplicationAssessed,
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    FundOpened,
    GrantAwarded,
    PaymentMade,
    RoundOpened,
    UnderspendReturned,
)
from services.reporting.domain.folding import latest
from services.reporting.store import Store


async def on_fund_opened(events: Sequence[Event[FundOpened]], store: Store, _at: datetime) -> list[Said]:
    await store.grants.save_funds(latest((e.data for e in events), lambda fact: fact.fund_id))
    return []


async def on_round_opened(events: Sequence[Event[RoundOpened]], store: Store, _at: datetime) -> list[Said]:
    await store.grants.save_rounds(latest((e.data for e in events), lambda fact: fact.round_id))
    return []


async def on_application_submitted(
    events: Sequence[Event[ApplicationSubmitted]], store: Store, _at: datetime
) -> list[Said]:
    await store.grants.save_applications(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_grant_awarded(events: Sequence[Event[GrantAwarded]], store: Store, _at: datetime) -> list[Said]:
    await store.grants.award(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_application_declined(
    events: Sequence[Event[ApplicationDeclined]], store: Store, _at: datetime
) -> list[Said]:
    await store.grants.decline(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_application_assessed(
    events: Sequence[Event[ApplicationAssessed]], store: Store, _at: datetime
) -> list[Said]:
    await store.grants.assess(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_payment_made(events: Sequence[Event[PaymentMade]], store: Store, _at: datetime) -> list[Said]:
    await store.grants.pay(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_underspend_returned(
    events: Sequence[Event[UnderspendReturned]], store: Store, _at: datetime
) -> list[Said]:
    await store.grants.give_back(latest((e.data for e in events), lambda fact: fact.application_id))
    return []


async def on_application_withdrawn(
    events: Sequence[Event[ApplicationWithdrawn]], store: Store, _at: datetime
) -> list[Said]:
    await store.grants.withdraw(latest((e.data for e in events), lambda fact: fact.application_id))
    return []
