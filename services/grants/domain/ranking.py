"""The order in which applications are funded, and where the budget ends."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.grants.domain.awards import Application


@dataclass(frozen=True, slots=True)
class Ranked:
    """`running_pence` is what all down to here come to; `is_funded` says whether the budget reaches so far."""

    rank: int
    application: Application
    total: int
    running_pence: int
    is_funded: bool


def ranking(applications: Iterable[Application], budget_pence: int) -> list[Ranked]:
    """Those with a result, the best first. What is promised counts as promised, the rest as it is asked.

    The line is drawn at the first that the budget does not reach, whatever is smaller behind it.
    """
    judged = [a for a in applications if a.status in {"assessed", "awarded", "reserve"}]
    ranked: list[Ranked] = []
    running = 0
    for number, each in enumerate(sorted(judged, key=lambda application: application.rank), start=1):
        running += each.awarded_pence or each.reserved_pence or each.amount_pence
        ranked.append(Ranked(number, each, each.points + 100 * each.gap_points, running, running <= budget_pence))
    return ranked
