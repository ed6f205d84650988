"""What becomes of an application is told to the organisation, once for each thing that happens."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from chassis.envelope import Event
from chassis.facts import Said
from chassis.ids import uuid7
from contracts.applicants import About
from contracts.grants import (
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    ChangesRequested,
    GrantAwarded,
    GrantReportDue,
    GrantReported,
    GrantReserved,
    PaymentMade,
    UnderspendReturned,
)
from contracts.message import Message
from services.notifications.domain.telling import TellApplicant
from services.notifications.handlers.telling import begin
from services.notifications.store import Store

News = tuple[About, int | None, date | None]
"""What is told, and the amount and the day of it."""

TOLD: Final[Mapping[type[Message], Callable[[Any], News]]] = {
    ApplicationSubmitted: lambda fact: ("received", fact.amount_pence, None),
    ChangesRequested: lambda _: ("changes", None, None),
    ApplicationWithdrawn: lambda fact: ("withdrawn", fact.released_pence, None),
    GrantAwarded: lambda fact: ("awarded", fact.amount_pence, None),
    GrantReserved: lambda fact: ("reserved", fact.amount_pence, None),
    ApplicationDeclined: lambda _: ("declined", None, None),
    PaymentMade: lambda fact: ("paid", fact.amount_pence, None),
    UnderspendReturned: lambda fact: ("returned", fact.amount_pence, None),
    GrantReportDue: lambda fact: ("report-overdue" if fact.is_overdue else "report-due", None, fact.due_on),
    GrantReported: lambda fact: ("reported", fact.spent_pence, fact.due_on),
}


async def on_news(events: Sequence[Event[Any]], store: Store, at: datetime) -> list[Said]:
    return await begin([(_tell(event), event) for event in events], store, at)


def _tell(event: Event[Any]) -> TellApplicant:
    about, pence, day = TOLD[type(event.data)](event.data)
    application: UUID = event.data.application_id
    return TellApplicant(
        message_id=uuid7(event.time, event.source, event.id, "message", "applicant"),
        application_id=application,
        about=about,
        pence=pence,
        day=day,
    )
