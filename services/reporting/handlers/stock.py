"""Facts of the matching service beside offers: help given on the spot, loans, and needs that staff look at."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Said
from contracts.matching import NeedEscalated
from contracts.stock import DirectHelpGiven, LoanChanged
from services.reporting.domain.folding import latest
from services.reporting.handlers.rows import rows
from services.reporting.store import Store


async def on_direct_help_given(events: Sequence[Event[DirectHelpGiven]], store: Store, _at: datetime) -> list[Said]:
    await store.stock.give(rows(events))
    return []


async def on_loan_changed(events: Sequence[Event[LoanChanged]], store: Store, _at: datetime) -> list[Said]:
    await store.stock.save_loans(rows(events))
    return []


async def on_need_escalated(events: Sequence[Event[NeedEscalated]], store: Store, _at: datetime) -> list[Said]:
    await store.stock.escalate(latest(events, lambda event: event.id))
    return []
