"""The pages: the dashboard, one for funders and one for scrutiny."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from contracts.calendar import LONDON
from contracts.reporting import MetricPublished
from services.reporting.pages import catalogue, equity, figures, findings, waits, words
from services.reporting.pages.figures import Maker, Numbers, crossed, simple
from services.reporting.pages.findings import monitored, most, within
from services.reporting.pages.headlines import headlines


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    title: str
    lead: str
    makers: Sequence[Maker]
    lists_measures: bool = False


WAIT_BY_BAND: Final = simple("wait-half", ("band",), within("band", "Half were taken on"))
WAIT_BY_DECILE: Final = simple("wait-half", ("decile",), within("decile", "Half were taken on"))
MOST_BY_BAND: Final = simple("wait-most", ("band",), within("band", "Nine in ten were taken on"))
FIRST_CONTACT: Final = simple("first-contact", ("band",), within("band", "Half first heard from us"))
GAPS: Final = simple("gaps", ("kind",), most("kind", "What is missing most: {}", "No gap is large enough to be shown"))
GAPS_BY_COMMITTEE: Final = simple(
    "gaps",
    ("kind", "committee"),
    most("committee", "Help is missing most in {}", "No part of the city has a gap large enough to be shown"),
)
PASSED_OVER: Final = simple(
    "passed-over",
    ("kind",),
    most(
        "kind",
        "Most often passed over, as no free place suited: who waits for {}",
        "Hardly anybody is known to be passed over",
    ),
)
GRANTS: Final = simple("grants", ("round", "money"), findings.granted)
APPLICATIONS: Final = simple("applications", ("round", "state"), findings.awarded)
BY_WARD: Final = simple("grants-by-ward", ("ward",), findings.for_wards)
SCORES: Final = crossed(
    "scores",
    ("round", "score", "state"),
    "score",
    "state",
    most("score", "Applications most often score {}", "No scores yet", at=1),
)
HANDED_OVER: Final = simple("handed-over", ("kind",), findings.handed_over)
LOANS: Final = simple(
    "loans",
    ("kind", "became"),
    most("became", "What most often became of what was lent: {}", "Too little was lent to say what became of it"),
)
DIRECT: Final = simple(
    "direct-help",
    ("kind",),
    most("kind", "Given on the spot most often: {}", "Too little was given on the spot to tell"),
)
ESCALATED: Final = simple(
    "escalated",
    ("kind",),
    most("kind", "Most often declined, so that staff look: {}", "Hardly anybody is known for whom staff had to look"),
)
CHAMPIONS: Final = simple(
    "champions",
    ("active",),
    most("active", "Digital Champions are most often: {}", "Too few Digital Champions to tell"),
)
TOLD: Final = ("channel", "rung", "told")
RUNGS: Final = crossed(
    "notifications",
    TOLD,
    "rung",
    "told",
    most("rung", "People hear from us most often by {}", "Too few were told something to compare the ways", at=1),
)
STAGES: Final = simple(
    "stages",
    ("kind", "stage"),
    most("stage", "How far help has most often come: {}", "Too few needs to say how far they have come"),
)
OUTCOMES: Final = simple(
    "outcomes", ("kind", "outcome"), most("outcome", "How help most often ended: {}", "Too few to say how help ended")
)
OFFERS: Final = simple(
    "offers", ("end",), most("end", "What most often becomes of an offer: {}", "Too few offers to tell")
)
NOTIFICATIONS: Final = crossed(
    "notifications",
    TOLD,
    "channel",
    "told",
    most("channel", "People hear from us most often {}", "Too few were told something to say how", at=0),
)
GOALS: Final = simple(
    "feedback",
    ("asked", "goal"),
    most("goal", "Those who answered say most often: {}", "Too few answered to say whether goals are met"),
)
ONLINE: Final = simple(
    "feedback",
    ("asked", "online"),
    most("online", "Those who answered are most often: {}", "Too few answered to say who is online"),
)
STALLED: Final = simple(
    "stalled",
    ("owner",),
    most("owner", "Who let promised days go by most often: {}", "Hardly any promised day is known to have gone by"),
)
REFERRED_BY: Final = simple(
    "referrals",
    ("partner",),
    most("partner", "Referrals come most often from {}", "Too few referrals to say who refers"),
)
NEEDS: Final = simple(
    "needs", ("kind",), most("kind", "Most often needed: {}", "Too few referrals to say what is needed")
)
CIRCUMSTANCES: Final = simple(
    "people",
    ("circumstance",),
    most("circumstance", "What most often makes it harder to be online: {}", "Too few to say what makes it harder"),
    "What is recorded of those who were referred. One person may have several of these.",
)
WHO: Final = (
    CIRCUMSTANCES,
    *(
        simple("people", (word,), monitored(word, what), "What those who were referred chose to tell. Nobody has to.")
        for word, what in {
            "age": "their age",
            "sex": "their sex",
            "ethnicity": "their ethnic group",
            "disability": "whether a lasting condition limits them",
        }.items()
    ),
)

PAGES: Final = (
    Page(
        "/",
        "Help to get online: the numbers",
        "People who are offline are referred to us for a device, mobile data, a course or a Digital Champion. "
        "This page says who waits, for how long, and where help is missing.",
        (
            waits.waiting,
            WAIT_BY_BAND,
            WAIT_BY_DECILE,
            waits.areas,
            GAPS,
            GAPS_BY_COMMITTEE,
            equity.equity,
            STAGES,
            equity.conversion,
            GRANTS,
        ),
    ),
    Page(
        "/funders",
        "For funders: what money does, and where it is needed",
        "What was granted and where it works, what it came to, who is helped, and where people wait for help that "
        "nobody gives.",
        (
            GRANTS,
            APPLICATIONS,
            BY_WARD,
            SCORES,
            OUTCOMES,
            GOALS,
            ONLINE,
            HANDED_OVER,
            LOANS,
            DIRECT,
            *WHO,
            GAPS,
            GAPS_BY_COMMITTEE,
            waits.areas,
            waits.capacity,
            CHAMPIONS,
        ),
    ),
    Page(
        "/scrutiny",
        "For scrutiny: the financial year to date",
        "Are those furthest from being online served first? Who is referred, who is taken on, after how long, and "
        "from where nobody comes.",
        (
            equity.equity,
            WAIT_BY_BAND,
            MOST_BY_BAND,
            WAIT_BY_DECILE,
            PASSED_OVER,
            equity.reach,
            REFERRED_BY,
            NEEDS,
            *WHO,
            OUTCOMES,
            GOALS,
            ONLINE,
            STALLED,
            OFFERS,
            ESCALATED,
            FIRST_CONTACT,
            NOTIFICATIONS,
            RUNGS,
        ),
    ),
    Page(
        "/measures",
        "All measures",
        "Everything that is counted, what it means, and where each table is.",
        (),
        lists_measures=True,
    ),
)


def render(page: Page, published: Sequence[MetricPublished], names: Mapping[str, str]) -> str:
    numbers = Numbers({metric.name: metric for metric in published}, names, _periods(published))
    return _TEMPLATE.render(
        page=page,
        pages=PAGES,
        style=STYLE_PATH,
        headlines=headlines(numbers),
        figures=figures.figures(numbers, page.makers),
        entries=catalogue.entries(numbers.tables, numbers.periods) if page.lists_measures else (),
        as_of=words.day(max(m.as_of for m in published).astimezone(LONDON)) if published else None,
        corrected=words.listed(sorted({figures.time(m) for m in published if any(cell.corrected for cell in m.cells)})),
    )


def _periods(published: Sequence[MetricPublished]) -> list[str]:
    """Now; then the year to date, the last month, and the month that is not over."""
    final = sorted({(m.ends_on, "-to-" in m.period, m.period) for m in published if m.final}, reverse=True)
    return ["now", *(name for _, _, name in final), "month-so-far"]


def _text(name: str) -> str:
    return (files(__package__ or "") / name).read_text(encoding="utf-8")


STYLE: Final = _text("govuk-frontend-6.3.0.css") + _text("page.css")
STYLE_PATH: Final = f"/assets/{sha256(STYLE.encode()).hexdigest()[:16]}.css"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TEMPLATE: Final = Environment(
    loader=ChoiceLoader(
        [
            PackageLoader("services.reporting", "pages"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    ),
    autoescape=True,
    undefined=ChainableUndefined,  # the macros of GOV.UK Frontend ask for what nobody gave
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("page.html")
