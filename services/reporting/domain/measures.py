"""What is counted: one table of measures. A new one is a row here, and a statement in `store/measures.py`.

A measure counts things of one unit, in tables. A table is named by what it counts by: (`kind`, `ward`) has a count for
each kind of help in each ward. Those that count by parts of a whole (a person has one ward) add up; those that count by
labels (a person may need two kinds of help) do not.
"""

from dataclasses import dataclass
from typing import Final, Literal

By = tuple[str, ...]
Codes = tuple[str, ...]
Unit = Literal["people", "days", "places", "applications", "pence"]

PARTS: Final = ("partner", "band", "decile", "committee", "ward")
"""Of these a person has one each: their counts add up. `decile` and `committee` are those of the ward."""
OF_WARD: Final = ("decile", "committee")
UNKNOWN: Final = "not-known"

BANDS: Final = {"0-20": 0, "21-40": 21, "41-60": 41, "61-and-more": 61}
"""Bands of priority scores, by the lowest score of each."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is published of it: `tables` of every closed month and of the year to date; `in_year` of the latter alone;
    `open_tables` of the month that is not over. What `stands` is counted as it is at a moment: now, and at the end of
    each month. `within` names a measure of whose people these are some. What `repeats` may be told of somebody in
    several months, so that months do not add up to a year. A `quantile` is of days, not a count.
    """

    name: str
    title: str
    explanation: str
    unit: Unit
    tables: tuple[By, ...]
    in_year: tuple[By, ...] = ()
    open_tables: tuple[By, ...] = ()
    stands: bool = False
    within: str | None = None
    repeats: bool = False
    quantile: float | None = None

    @property
    def counts_people(self) -> bool:
        return self.unit == "people"

    @property
    def is_of_people(self) -> bool:
        return self.unit in {"people", "days"}

    @property
    def grain(self) -> By:
        """All that its tables count by, but for what follows from the ward."""
        named = dict.fromkeys(word for by in (*self.tables, *self.in_year) for word in by)
        needs_ward = any(word in named for word in OF_WARD)
        return tuple(dict.fromkeys([*(w for w in named if w not in OF_WARD), *(["ward"] if needs_ward else [])]))


EQUITY: Final[tuple[By, ...]] = (("kind",), ("kind", "band"), ("kind", "decile"))

MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        "referrals",
        "People referred",
        "How many people were referred for help, by the day on which we took the referral.",
        "people",
        tables=((), ("band",), ("decile",), ("committee",), ("partner",)),
        in_year=(("ward",),),
        open_tables=((),),
    ),
    Measure(
        "needs",
        "What people were referred for",
        "How many people were referred for each kind of help. Somebody who needs two kinds is counted in both.",
        "people",
        tables=(*EQUITY, ("kind", "committee")),
        in_year=(("kind", "ward"),),
        open_tables=(("kind",),),
        within="referrals",
    ),
    Measure(
        "served",
        "People whom an organisation took on",
        "How many people were first taken on by an organisation that helps, by the day it said yes.",
        "people",
        tables=EQUITY,
        in_year=(("kind", "committee"),),
        open_tables=(("kind",),),
    ),
    Measure(
        "outcomes",
        "How help ended",
        "How many people's help ended and how: helped, partly helped or not helped, could not be reached or helped, "
        "withdrawn.",
        "people",
        tables=(("kind", "outcome"),),
    ),
    Measure(
        "waiting",
        "People waiting",
        "How many people wait for each kind of help, offered or not, until an organisation takes them on.",
        "people",
        tables=(*EQUITY, ("kind", "committee"), ("kind", "ward")),
        stands=True,
    ),
    Measure(
        "passed-over",
        "People waiting while somebody behind them was offered help",
        "People who wait although the same kind of help was since offered to somebody who comes after them, because "
        "no place that was free suited them.",
        "people",
        tables=(("kind",), ("kind", "band")),
        stands=True,
        within="waiting",
    ),
    Measure(
        "gaps",
        "People whom no place can help",
        "People who wait for help that nobody gives where they live, in their language or in the form that they need.",
        "people",
        tables=(("kind",), ("kind", "committee"), ("kind", "ward")),
        stands=True,
        within="waiting",
    ),
    Measure(
        "stages",
        "How far help has come",
        "People referred in this financial year and the one before, by how far the help for each need has come.",
        "people",
        tables=(("kind", "stage"),),
        stands=True,
    ),
    Measure(
        "wait-half",
        "Days until half were taken on",
        "Of the people taken on: the days from referral within which half of them were. Told of 8 people or more.",
        "days",
        tables=((), ("kind",), ("band",), ("decile",)),
        open_tables=((), ("kind",), ("band",), ("decile",)),
        quantile=0.5,
    ),
    Measure(
        "wait-most",
        "Days until nine in ten were taken on",
        "Of the people taken on: the days from referral within which nine in ten of them were. Told of 8 or more.",
        "days",
        tables=((), ("kind",), ("band",), ("decile",)),
        open_tables=((), ("kind",), ("band",), ("decile",)),
        quantile=0.9,
    ),
    Measure(
        "first-contact",
        "Days until half were first told something",
        "Of the people whom we told something for the first time: the days from referral within which half were.",
        "days",
        tables=((), ("band",)),
        open_tables=((), ("band",)),
        quantile=0.5,
    ),
    Measure(
        "offers",
        "What became of offers",
        "People for whom an offer was accepted, declined and why, let expire, or withdrawn.",
        "people",
        tables=(("end",),),
        repeats=True,
    ),
    Measure(
        "notifications",
        "How people were told",
        "People whom we told something, or could not, and by which channel.",
        "people",
        tables=(("channel", "told"),),
        repeats=True,
    ),
    Measure(
        "rungs",
        "How many ways it took to tell people",
        "People whom we told something, or could not, by which way of telling them it was: the first, the second.",
        "people",
        tables=(("rung", "told"),),
        repeats=True,
    ),
    Measure(
        "stock",
        "Devices and data SIMs handed over, and what became of those lent",
        "People to whom a device or mobile data was handed over, given or lent; and of what was lent: kept for longer, "
        "returned, overdue, or lost.",
        "people",
        tables=(("kind", "became"),),
        repeats=True,
    ),
    Measure(
        "direct-help",
        "Help given on the spot",
        "How many people organisations helped on the spot, without a referral, as they report it.",
        "people",
        tables=(("kind",), ("kind", "committee")),
        in_year=(("kind", "ward"),),
    ),
    Measure(
        "escalated",
        "People for whom staff looked for help themselves",
        "People whose need so many organisations declined that staff were asked to look for help.",
        "people",
        tables=(("kind",),),
        repeats=True,
    ),
    Measure(
        "champions",
        "Digital Champions",
        "Digital Champions by whether they help somebody now, are free, or are away.",
        "people",
        tables=(("active",),),
        stands=True,
    ),
    Measure(
        "feedback",
        "What people say afterwards",
        "Of those who answered when help had ended, and 3 and 6 months later: whether the goal was met, and whether "
        "they are online.",
        "people",
        tables=(("asked", "goal"), ("asked", "online")),
    ),
    Measure(
        "stalled",
        "Promised days that went by",
        "People for whom nobody acted by the day that was promised, by who should have.",
        "people",
        tables=(("owner",),),
        repeats=True,
    ),
    Measure(
        "capacity",
        "Help that is open",
        "Places that organisations keep open: devices, data SIMs, seats in courses, people a champion can help.",
        "places",
        tables=(("kind",), ("kind", "ward")),
        stands=True,
    ),
    Measure(
        "applications",
        "Grant applications",
        "Applications of organisations for grants, by round and what became of them.",
        "applications",
        tables=(("round", "state"),),
        stands=True,
    ),
    Measure(
        "scores",
        "How grant applications scored",
        "Applications by round, what they scored and what became of them.",
        "applications",
        tables=(("round", "score", "state"),),
        stands=True,
    ),
    Measure(
        "grants-by-ward",
        "Where grant money goes",
        "Money awarded to projects that work in each ward. A project that works in several is counted in each, one for "
        "the whole city in none.",
        "pence",
        tables=(("ward",),),
        stands=True,
    ),
    Measure(
        "grants",
        "Grant money",
        "Money of each round: its budget, what was asked for, what was awarded, what was paid. Each award, with who "
        "has it, is published in the 360Giving standard.",
        "pence",
        tables=(("round", "money"),),
        stands=True,
    ),
)
WHO: Final = Measure(
    "people",
    "Who was referred",
    "What is recorded of the people who were referred in a month: their circumstances, of which one person may have "
    "several; and their age, sex, ethnicity and disability, which nobody has to tell.",
    "people",
    tables=(("circumstance",), ("age",), ("sex",), ("ethnicity",), ("disability",)),
)
"""Not counted here: it is published as it comes."""
PUBLISHED: Final = (*MEASURES, WHO)
BY_NAME: Final = {measure.name: measure for measure in PUBLISHED}


def members(base: Measure) -> list[Measure]:
    """A measure, and those within it."""
    return [base, *(measure for measure in MEASURES if measure.within == base.name)]


def name_of(measure: str, period: str, by: By) -> str:
    """Under which a table is published: its measure, its period, and what it counts by."""
    return f"{measure}/{period}/{'-by-'.join(by) or 'all'}"
