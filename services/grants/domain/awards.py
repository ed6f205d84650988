"""Which decisions about money are allowed: within the budget of the round, and payments within the award."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from contracts.refusal import FieldError
from services.grants.domain.rounds import NO_ROUND, Round, pounds
from services.grants.domain.states import Act, Status, not_allowed, wrong_stage


@dataclass(frozen=True, slots=True)
class Application:
    """What a decision needs to know of an application. `reserved_pence` is what it gets when it moves up."""

    application_id: UUID
    round_id: str
    organisation_id: str
    amount_pence: int
    status: Status
    awarded_pence: int | None = None
    paid_pence: int = 0
    reserved_pence: int | None = None
    points: int = 0
    gap_points: int = 0
    scored_by: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, UUID]:
        """Lowest first: by all its points, then by who asked first (ids are in the order of time)."""
        return -(self.points + 100 * self.gap_points), self.application_id


@dataclass(slots=True)
class Book:
    """The applications and rounds that a batch decides about, locked: each decision sees those before it."""

    applications: dict[UUID, Application]
    rounds: dict[str, Round]
    changed: set[UUID] = field(default_factory=set)

    def award(self, application_id: UUID, pence: int, by: str) -> Application | FieldError:
        return self._promise("award", application_id, pence, by)

    def reserve(self, application_id: UUID, pence: int, by: str) -> Application | FieldError:
        return self._promise("reserve", application_id, pence, by)

    def decline(self, application_id: UUID, by: str | None = None) -> Application | FieldError:
        """`by` is whose judgement it is, where it is somebody's."""
        found = self.allowed("decline", application_id, by)
        return found if isinstance(found, FieldError) else self._put(found, status="declined", reserved_pence=None)

    def withdraw(self, application_id: UUID) -> Application | FieldError:
        """Gives up an application, or an award of which nothing is paid."""
        found = self.allowed("withdraw", application_id)
        if isinstance(found, FieldError):
            return found
        if found.paid_pence:
            return _paid_already(found.paid_pence)
        self._spend(found.round_id, -(found.awarded_pence or 0))
        return self._put(found, status="withdrawn", awarded_pence=None, reserved_pence=None)

    def pay(self, application_id: UUID, pence: int) -> Application | FieldError:
        found = self.allowed("account", application_id)
        if isinstance(found, FieldError):
            return found
        left = (found.awarded_pence or 0) - found.paid_pence
        if pence > left:
            return _over_award(left)
        return self._put(found, paid_pence=found.paid_pence + pence)

    def give_back(self, application_id: UUID, pence: int) -> Application | FieldError:
        """Takes back what was paid and not spent: the award is so much less, and the round has it again."""
        found = self.allowed("account", application_id)
        if isinstance(found, FieldError):
            return found
        if pence > found.paid_pence:
            return _over_paid(found.paid_pence)
        self._spend(found.round_id, -pence)
        left = (found.awarded_pence or 0) - pence
        return self._put(
            found,
            status="awarded" if left else "withdrawn",
            awarded_pence=left or None,
            paid_pence=found.paid_pence - pence,
        )

    def top_up(self, round_id: str, pence: int) -> Round | FieldError:
        round_ = self.rounds.get(round_id)
        if round_ is None:
            return NO_ROUND
        if round_.stage in {"finished", "cancelled"}:
            return wrong_stage(round_.stage)
        self.rounds[round_id] = replace(round_, budget_pence=round_.budget_pence + pence)
        return self.rounds[round_id]

    def move_up(self, round_ids: Iterable[str]) -> Sequence[Application]:
        """Awards the first of each reserve list for as long as the money reaches the next one in full."""
        moved: list[Application] = []
        for round_id in sorted(set(round_ids)):
            waiting = [a for a in self.applications.values() if a.round_id == round_id and a.status == "reserve"]
            for application in sorted(waiting, key=lambda each: each.rank):
                pence = application.reserved_pence or 0
                if self.rounds[round_id].stage != "deciding" or pence > self.rounds[round_id].remaining_pence:
                    break
                self._spend(round_id, pence)
                moved.append(self._put(application, status="awarded", awarded_pence=pence, reserved_pence=None))
        return moved

    def allowed(self, act: Act, application_id: UUID, by: str | None = None) -> Application | FieldError:
        """The application, where this act on it is allowed, and not by somebody who scored it."""
        application = self.applications.get(application_id)
        if application is None:
            return UNKNOWN_APPLICATION
        if wrong := not_allowed(act, application.status, self.rounds[application.round_id].stage):
            return wrong
        return SCORED_IT if by in application.scored_by else application

    def _promise(self, act: Act, application_id: UUID, pence: int, by: str) -> Application | FieldError:
        found = self.allowed(act, application_id, by)
        if isinstance(found, FieldError):
            return found
        round_ = self.rounds[found.round_id]
        if pence > found.amount_pence:
            return _over_asked(found.amount_pence)
        if act == "reserve":
            return self._put(found, status="reserve", reserved_pence=pence)
        if pence > round_.remaining_pence:
            return _over_budget(round_.remaining_pence)
        self._spend(found.round_id, pence)
        return self._put(found, status="awarded", awarded_pence=pence, reserved_pence=None)

    def _spend(self, round_id: str, pence: int) -> None:
        round_ = self.rounds[round_id]
        self.rounds[round_id] = replace(round_, awarded_pence=round_.awarded_pence + pence)

    def _put(self, application: Application, **changes: object) -> Application:
        after = replace(application, **changes)  # type: ignore[arg-type]  # fields of ours, checked where they are named
        self.applications[after.application_id] = after
        self.changed.add(after.application_id)
        return after


UNKNOWN_APPLICATION: Final = FieldError(
    field="application_id",
    rule="not-found",
    message="There is no such application.",
    mend="Use the id that was given when the application was submitted.",
)
SCORED_IT: Final = FieldError(
    field="application_id",
    rule="own-score",
    message="Whoever scored an application does not decide about it.",
    mend="Leave the decision to another approver.",
)


def _too_much(rule: str, message: str, mend: str) -> FieldError:
    return FieldError(field="amount_pence", rule=rule, message=message, mend=mend)


def _over_asked(pence: int) -> FieldError:
    return _too_much("over-asked", f"The application asks for {pounds(pence)}.", "Award that or less.")


def _over_budget(remaining_pence: int) -> FieldError:
    left = f"{pounds(remaining_pence)} of this round's budget is left."
    return _too_much("over-budget", left, "Award that or less, or raise the budget of the round.")


def _over_award(left: int) -> FieldError:
    message = f"{pounds(left)} of this award is not paid yet."
    return _too_much("over-award", message, "Pay that or less: payments never exceed the award.")


def _over_paid(paid: int) -> FieldError:
    return _too_much("over-paid", _paid(paid), "No more than that can come back.")


def _paid_already(paid: int) -> FieldError:
    return FieldError(
        field="application_id", rule="illegal-move", message=_paid(paid), mend="Record first what comes back of it."
    )


def _paid(pence: int) -> str:
    return f"{pounds(pence)} of this award was paid."
