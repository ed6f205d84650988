"""What is counted: one table of measures. A new one is a row here, and a statement in `store/measures.py`."""

from typing import Final

from services.reporting.domain.measure import By, Measure

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
        elsewhere=(("kind", "ended-well"),),
    ),
    Measure(
        "waiting",
        "People waiting",
        "How many people wait for each kind of help, offered or not, until an organisation takes them on.",
        "people",
        tables=(*EQUITY, ("kind", "committee"), ("kind", "ward")),
        stands=True,
        recalled=True,
    ),
    Measure(
        "passed-over",
        "People waiting while somebody behind them was offered help",
        "People who wait although the same kind of help was since offered to somebody who comes after them, because "
        "no place that was free suited them.",
        "people",
        tables=(("kind",), ("kind", "band")),
        stands=True,
        recalled=True,
        within="waiting",
    ),
    Measure(
        "gaps",
        "People whom no place can help",
        "People who wait for help that nobody gives where they live, in their language or in the form that they need.",
        "people",
        tables=(("kind",), ("kind", "committee"), ("kind", "ward")),
        stands=True,
        recalled=True,
        within="waiting",
    ),
    Measure(
        "stages",
        "How far help has come",
        "People referred in this financial year and the one before, by how far the help for each need has come.",
        "people",
        tables=(("kind", "stage"),),
        elsewhere=(("kind",), ("kind", "waits")),
        stands=True,
    ),
    Measure(
        "wait-half",
        "Days until half were taken on",
        "Of the people taken on: in how many days after the day of referral half of them were. Told of 8 or more.",
        "days",
        tables=((), ("kind",), ("band",), ("decile",)),
        open_tables=((), ("kind",), ("band",), ("decile",)),
        quantile=0.5,
    ),
    Measure(
        "wait-most",
        "Days until nine in ten were taken on",
        "Of the people taken on: in how many days after the day of referral nine in ten were. Told of 8 or more.",
        "days",
        tables=((), ("kind",), ("band",), ("decile",)),
        open_tables=((), ("kind",), ("band",), ("decile",)),
        within="wait-half",
        quantile=0.9,
    ),
    Measure(
        "first-contact",
        "Days until half were first told something",
        "Of the people whom we told something for the first time: in how many days after the day of referral half "
        "of them were.",
        "days",
        tables=((), ("band",)),
        open_tables=((), ("band",)),
        quantile=0.5,
        fades=True,
    ),
    Measure(
        "offers",
        "What became of offers",
        "People for whom an offer was accepted, declined and why, let expire, or withdrawn.",
        "people",
        tables=(("end",),),
        repeats=True,
        fades=True,
    ),
    Measure(
        "notifications",
        "How people were told",
        "People whom we told something, or could not, by which channel, and which way of telling them it was: the "
        "first, the second.",
        "people",
        tables=(("channel", "rung", "told"),),
        repeats=True,
        fades=True,
    ),
    Measure(
        "handed-over",
        "Devices and data SIMs handed over",
        "People to whom a device or mobile data was handed over, given or lent, by the day on which they first got "
        "one.",
        "people",
        tables=(("kind",),),
        fades=True,
    ),
    Measure(
        "loans",
        "What became of devices and data SIMs that were lent",
        "People who kept what they were lent for longer, returned it, have it still although it was due, or lost it.",
        "people",
        tables=(("kind", "became"),),
        repeats=True,
        fades=True,
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
        fades=True,
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
        fades=True,
    ),
    Measure(
        "stalled",
        "Promised days that went by",
        "People for whom nobody acted by the day that was promised, by who should have.",
        "people",
        tables=(("owner",),),
        repeats=True,
        fades=True,
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
        "Money awarded to projects, by the ward that they work in. What a project for several wards has is divided "
        "equally among them; what is for the whole city stands by itself. So all of it adds up to what was awarded.",
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
BASES: Final = tuple(measure for measure in MEASURES if measure.within is None)
PUBLISHED: Final = (*MEASURES, WHO)
BY_NAME: Final = {measure.name: measure for measure in PUBLISHED}


def members(base: Measure) -> list[Measure]:
    """A measure, and those within it."""
    return [base, *(measure for measure in MEASURES if measure.within == base.name)]


def name_of(measure: str, period: str, by: By) -> str:
    """Under which a table is published: its measure, its period, and what it counts by."""
    return f"{measure}/{period}/{'-by-'.join(by) or 'all'}"
