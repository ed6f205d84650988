"""Of what an applicant may still be told: nobody is written to of what was overtaken meanwhile."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from contracts.applicants import About
from services.grants.domain.states import Status

OVERTAKEN: Final = "overtaken"
_HELD: Final[frozenset[Status]] = frozenset({"awarded"})
_WHILE: Final[Mapping[About, Collection[Status]]] = {
    "changes": {"changes-requested"},
    "withdrawn": {"withdrawn"},
    "awarded": _HELD,
    "reserved": {"reserve"},
    "declined": {"declined"},
    "report-due": _HELD,
    "report-overdue": _HELD,
}
"""In which states of an application this is still news; of what is not here, in all."""


def withheld(about: About, status: Status, day: date | None, owed: Collection[date]) -> str | None:
    """Why nobody is written to of this any more, or none. `owed` are the days of reports that have not come."""
    if status not in _WHILE.get(about, {status}):
        return OVERTAKEN
    if about in {"report-due", "report-overdue"} and day not in owed:
        return OVERTAKEN
    return None
