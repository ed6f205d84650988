"""What a letter to an applicant may say: amounts, days and marks, in the words that a template is given."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, get_args
from uuid import UUID

from contracts.applicants import About, Instalment, Mark, Standing
from contracts.calendar import LONDON
from services.notifications.domain.telling import TellApplicant

ABOUT: Final[tuple[About, ...]] = get_args(About)


def given(tell: TellApplicant, standing: Standing, reasons: Mapping[str, str]) -> dict[str, Any]:
    """A reason that has no words of its own is told by its code."""
    reason = standing.decline_reason or ""
    return {
        **standing.model_dump(include={"organisation", "title", "fund", "advice", "changes"}),
        "amount": _pounds(tell.pence),
        "day": _day(tell.day) if tell.day else None,
        "asked": _pounds(standing.asked_pence),
        "awarded": _pounds(standing.awarded_pence) or "£0",
        "paid": _pounds(standing.paid_pence) or "£0",
        "under": standing.decided_under,
        "reason": reasons.get(reason, reason.replace("-", " ")),
        "until": _moment(standing.until) if standing.until else None,
        "marks": [{**mark.model_dump(), "points": f"{mark.points / 100:g}"} for mark in standing.marks],
        "schedule": [
            {"amount": _pounds(part.pence), "day": _day(part.due_on), "evidence": part.evidence}
            for part in standing.schedule
        ],
        "reports": [_day(day) for day in standing.reports_due],
    }


def samples() -> Iterator[tuple[TellApplicant, Standing]]:
    """Whatever a template may be given, for who tries it."""
    day = date(2027, 3, 31)
    bare = Standing(organisation="Armley Helping Hands", title="Tablets for Armley", fund="Digital fund", asked_pence=1)
    full = bare.model_copy(
        update={
            "asked_pence": 5_000_00,
            "awarded_pence": 4_000_00,
            "paid_pence": 2_000_00,
            "decided_under": "Delegated decision 14",
            "decline_reason": "outside-budget",
            "advice": "Say how you reach people who do not come to you.",
            "changes": "Say in which wards.",
            "until": datetime(2026, 12, 3, 12, tzinfo=UTC),
            "marks": (Mark(criterion="Meets a need", points=450, most=5),),
            "schedule": (Instalment(due_on=day, pence=4_000_00, evidence="Receipts"),),
            "reports_due": (day,),
        }
    )
    for about in ABOUT:
        for pence in (0, 4_000_00):
            tell = TellApplicant(message_id=UUID(int=0), application_id=UUID(int=0), about=about, pence=pence, day=day)
            yield tell, full if pence else bare


def _pounds(pence: int | None) -> str | None:
    if not pence:
        return None
    return f"£{pence / 100:,.2f}" if pence % 100 else f"£{pence // 100:,}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local:%H:%M} on {_day(local)}"
