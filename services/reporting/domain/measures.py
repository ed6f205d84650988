"""What is counted: which measures there are, and which counts each of them lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from contracts.vocabulary import KINDS, NeedStatus

Measure = Literal["needs-by-status", "needs-by-kind", "needs-by-ward"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
STATUSES: Final[tuple[NeedStatus, ...]] = tuple(s for s in get_args(NeedStatus) if s != "entered-in-error")
"""Those that are published: a need entered in error was nobody's, and stands in no measure."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many needs have a code, and of how many people they are. A referral stands for a person."""

    code: str
    needs: int
    people: int


def name_of(measure: Measure) -> str:
    """The name under which a measure is published, for the one period that there is."""
    return f"{measure}/all"


def measure_of(name: str) -> Measure:
    return next(measure for measure in MEASURES if name_of(measure) == name)


def complete(measure: Measure, counts: Iterable[Count], wards: Sequence[str]) -> list[Count]:
    """Every code of the measure in a fixed order, zeros included, then codes that no list has."""
    listed = {"needs-by-status": STATUSES, "needs-by-kind": KINDS, "needs-by-ward": wards}[measure]
    found = {count.code: count for count in counts}
    others = sorted(set(found) - set(listed))
    return [found.get(code, Count(code, 0, 0)) for code in (*listed, *others)]
