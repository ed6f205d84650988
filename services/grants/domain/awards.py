"""Which decisions about an application are allowed: each is decided once, and within the budget of its round."""

from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from contracts.refusal import FieldError
from services.grants.domain.rounds import Round, pounds

Status = Literal["submitted", "awarded", "declined"]


@dataclass(frozen=True, slots=True)
class Application:
    """What a decision needs to know of an application."""

    application_id: UUID
    round_id: str
    organisation_id: str
    amount_pence: int
    status: Status


@dataclass(frozen=True, slots=True)
class Award:
    application: Application
    pence: int
    by: str


@dataclass(frozen=True, slots=True)
class Decline:
    application: Application
    reason: str
    by: str


@dataclass(slots=True)
class Book:
    """Applications and their rounds, locked: each decision sees those before it."""

    applications: dict[UUID, Application]
    rounds: dict[str, Round]

    def award(self, application_id: UUID, pence: int, by: str) -> Award | FieldError:
        application = self._undecided(application_id)
        if isinstance(application, FieldError):
            return application
        round_ = self.rounds[application.round_id]
        if pence > application.amount_pence:
            return _over_asked(application.amount_pence)
        if pence > round_.remaining_pence:
            return _over_budget(round_.remaining_pence)
        self.rounds[round_.round_id] = replace(round_, awarded_pence=round_.awarded_pence + pence)
        self.applications[application_id] = replace(application, status="awarded")
        return Award(application, pence, by)

    def decline(self, application_id: UUID, reason: str, by: str) -> Decline | FieldError:
        application = self._undecided(application_id)
        if isinstance(application, FieldError):
            return application
        self.applications[application_id] = replace(application, status="declined")
        return Decline(application, reason, by)

    def _undecided(self, application_id: UUID) -> Application | FieldError:
        application = self.applications.get(application_id)
        if application is None:
            return UNKNOWN_APPLICATION
        return application if application.status == "submitted" else _decided(application.status)


UNKNOWN_APPLICATION: Final = FieldError(
    field="application_id",
    rule="not-found",
    message="There is no such application.",
    mend="Use the id that was given when the application was submitted.",
)


def _decided(status: Status) -> FieldError:
    return FieldError(
        field="application_id",
        rule="illegal-move",
        message=f"This application is already {status}.",
        mend="Leave it as it is: a decision is made once.",
    )


def _over_asked(pence: int) -> FieldError:
    return FieldError(
        field="amount_pence",
        rule="over-asked",
        message=f"The application asks for {pounds(pence)}.",
        mend="Award that or less.",
    )


def _over_budget(remaining_pence: int) -> FieldError:
    return FieldError(
        field="amount_pence",
        rule="over-budget",
        message=f"{pounds(remaining_pence)} of this round's budget is left.",
        mend="Award that or less, or raise the budget of the round.",
    )
