"""The numbers at the top of a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.reporting import TableCell
from services.reporting.domain.measure import Codes
from services.reporting.pages import words
from services.reporting.pages.figures import Numbers


@dataclass(frozen=True, slots=True)
class Headline:
    label: str
    text: str
    note: str


def headlines(numbers: Numbers) -> list[Headline]:
    if not numbers.tables:
        return []
    waiting, served = numbers.cells("waiting", ("kind",)), numbers.cells("served", ("kind",))
    (half, *_) = [*numbers.cells("wait-half").values(), None]
    (referred, *_) = [*numbers.cells("referrals").values(), None]
    return [
        Headline("Waits for help", _sum(waiting), "Now. Somebody may wait for several kinds."),
        Headline("People referred", words.value(referred, "people"), numbers.of("referrals", ())),
        Headline("Taken on by an organisation", _sum(served), numbers.of("served", ("kind",))),
        Headline(
            "Half were taken on",
            words.within(half.value) if half and half.value is not None else "too few to tell",
            numbers.of("wait-half", ()),
        ),
    ]


def _sum(cells: Mapping[Codes, TableCell]) -> str:
    told = sum(cell.value or 0 for cell in cells.values())
    if not any(cell.hidden for cell in cells.values()):
        return f"{told:,}"
    return f"{told:,} and some more" if told else "not shown"
