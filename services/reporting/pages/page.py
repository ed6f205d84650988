"""The pages: the dashboard, one for funders and one for scrutiny."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from contracts.calendar import LONDON
from contracts.reporting import MetricPublished, TableCell
from services.reporting.domain.measures import Codes
from services.reporting.pages import catalogue, equity, figures, words
from services.reporting.pages.figures import Finding, Maker, Numbers, simple


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    title: str
    lead: str
    makers: Sequence[Maker]
    lists_measures: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    label: str
    text: str
    note: str


def _most(word: str, sentence: str, otherwise: str, at: int = -1) -> Finding:
    """A finding that names what there is most of."""

    def find(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
        most = figures.largest(numbers, cells, word, at)
        return sentence.format(most) if most else otherwise

    return find


def _longest(word: str) -> Finding:
    def find(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
        told = {codes: cell.value for codes, cell in cells.items() if cell.value is not None}
        if len(told) < 2:
            return "Too few were taken on to compare how long they waited"
        if len(set(told.values())) == 1:
            return f"Half were taken on within {words.days(next(iter(told.values())))}, whoever they are"
        slow, fast = max(told, key=lambda c: told[c]), min(told, key=lambda c: told[c])
        long, short = words.days(told[slow]), words.days(told[fast])
        who = (numbers.named(word, slow[0]), numbers.named(word, fast[0]))
        return f"Half were taken on within {long} ({who[0]}), and within {short} ({who[1]})"

    return find


WAIT_BY_BAND: Final = simple("wait-half", ("band",), _longest("band"))
WAIT_BY_DECILE: Final = simple("wait-half", ("decile",), _longest("decile"))
MOST_BY_BAND: Final = simple(
    "wait-most", ("band",), _most("band", "The longest waits are of those with {}", "Too few were taken on to tell")
)
FIRST_CONTACT: Final = simple(
    "first-contact",
    ("band",),
    _most("band", "Last to hear something from us: those with {}", "Too few were told something to compare"),
)
GAPS: Final = simple(
    "gaps", ("kind",), _most("kind", "What is missing most: {}", "No gap is large enough to be shown", at=0)
)
GAPS_BY_COMMITTEE: Final = simple(
    "gaps",
    ("kind", "committee"),
    _most("committee", "Help is missing most in {}", "No part of the city has a gap large enough to be shown"),
)
PASSED_OVER: Final = simple(
    "passed-over",
    ("kind",),
    _most("kind", "Most often passed over, because no place suited: {}", "Nobody, or hardly anybody, was passed over"),
)
GRANTS: Final = simple("grants", ("round", "money"), figures.granted)
APPLICATIONS: Final = simple(
    "applications", ("round", "state"), _most("state", "Most applications are: {}", "No applications yet")
)
BY_WARD: Final = simple(
    "grants-by-ward", ("ward",), _most("ward", "Most grant money goes to work in {}", "No grant money for a ward yet")
)
SCORES: Final = simple(
    "scores", ("round", "score", "state"), _most("score", "Most applications score {}", "No scores yet", at=1)
)
STOCK: Final = simple(
    "stock", ("kind", "became"), _most("became", "Devices and SIMs: most are {}", "Too few devices and SIMs to tell")
)
DIRECT: Final = simple(
    "direct-help",
    ("kind",),
    _most("kind", "Given on the spot most often: {}", "Too little was given on the spot to tell"),
)
ESCALATED: Final = simple(
    "escalated",
    ("kind",),
    _most("kind", "Most often declined, so that staff look: {}", "For nobody, or hardly anybody, staff had to look"),
)
CHAMPIONS: Final = simple(
    "champions", ("active",), _most("active", "Most Digital Champions are: {}", "Too few Digital Champions to tell")
)
RUNGS: Final = simple(
    "rungs", ("rung", "told"), _most("rung", "Most people hear from us by: {}", "Too few to tell", at=0)
)
STAGES: Final = simple(
    "stages",
    ("kind", "stage"),
    _most("stage", "Of those referred lately, most are here: {}", "Too few needs to say how far they have come"),
)
OUTCOMES: Final = simple(
    "outcomes", ("kind", "outcome"), _most("outcome", "Help ended most often with: {}", "Too few to say how help ended")
)
OFFERS: Final = simple("offers", ("end",), _most("end", "Offers are most often: {}", "Too few offers to tell"))
NOTIFICATIONS: Final = simple(
    "notifications", ("channel", "told"), _most("channel", "Most people hear from us: {}", "Too few to tell", at=0)
)
GOALS: Final = simple(
    "feedback",
    ("asked", "goal"),
    _most("goal", "Most who answered say: {}", "Too few answered to say whether goals are met"),
)
ONLINE: Final = simple(
    "feedback",
    ("asked", "online"),
    _most("online", "Most who answered are: {}", "Too few answered to say who is online"),
)
STALLED: Final = simple(
    "stalled", ("owner",), _most("owner", "Most promised days were let go by by: {}", "Hardly any promised day went by")
)
REFERRED_BY: Final = simple(
    "referrals", ("partner",), _most("partner", "Most referrals come from {}", "Too few referrals to tell")
)
NEEDS: Final = simple("needs", ("kind",), _most("kind", "Most often needed: {}", "Too few referrals to tell"))
CAPACITY: Final = simple("capacity", ("kind",), _most("kind", "Most places: {}", "No places are open"))

PAGES: Final = (
    Page(
        "/",
        "Help to get online: the numbers",
        "People who are offline are referred to us for a device, mobile data, a course or a Digital Champion. "
        "This page says who waits, for how long, and where help is missing.",
        (
            figures.waiting,
            WAIT_BY_BAND,
            WAIT_BY_DECILE,
            figures.areas,
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
        "For funders: where money is needed, and what it does",
        "Where people wait for help that nobody gives, what places there are, how help ends, and what was granted.",
        (
            GAPS,
            GAPS_BY_COMMITTEE,
            CAPACITY,
            CHAMPIONS,
            figures.areas,
            STOCK,
            DIRECT,
            OUTCOMES,
            GOALS,
            ONLINE,
            GRANTS,
            BY_WARD,
            APPLICATIONS,
            SCORES,
        ),
    ),
    Page(
        "/scrutiny",
        "For scrutiny: the financial year to date",
        "Are those furthest from being online served first? Who is referred, who is taken on, after how long, and "
        "from where nobody comes.",
        (
            equity.equity,
            equity.reach,
            WAIT_BY_BAND,
            MOST_BY_BAND,
            WAIT_BY_DECILE,
            PASSED_OVER,
            NEEDS,
            REFERRED_BY,
            OUTCOMES,
            GOALS,
            ONLINE,
            OFFERS,
            STALLED,
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
        headlines=_headlines(numbers),
        figures=figures.figures(numbers, page.makers),
        entries=catalogue.entries(numbers.tables, numbers.periods) if page.lists_measures else (),
        as_of=words.day(max(m.as_of for m in published).astimezone(LONDON)) if published else None,
        corrected=sorted({metric.period for metric in published if any(cell.corrected for cell in metric.cells)}),
    )


def _periods(published: Sequence[MetricPublished]) -> list[str]:
    """Now; then the year to date, the last month, and the month that is not over."""
    final = sorted({(m.ends_on, "-to-" in m.period, m.period) for m in published if m.final}, reverse=True)
    return ["now", *(name for _, _, name in final), "month-so-far"]


def _headlines(numbers: Numbers) -> list[Headline]:
    if not numbers.tables:
        return []
    waits, served = numbers.cells("waiting", ("kind",)), numbers.cells("served", ("kind",))
    (half, *_) = [*numbers.cells("wait-half").values(), None]
    (referred, *_) = [*numbers.cells("referrals").values(), None]
    return [
        Headline("Waits for help", _sum(waits), "now; a person may wait for several kinds"),
        Headline("People referred", words.value(referred, "people"), numbers.of("referrals", ())),
        Headline("Taken on by an organisation", _sum(served), numbers.of("served", ("kind",))),
        Headline(
            "Half taken on within",
            words.days(half.value) if half and half.value is not None else "too few to tell",
            numbers.of("wait-half", ()),
        ),
    ]


def _sum(cells: Mapping[Codes, TableCell]) -> str:
    told = sum(cell.value or 0 for cell in cells.values())
    if not any(cell.hidden for cell in cells.values()):
        return f"{told:,}"
    return f"{told:,} and a few more" if told else "a few"


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
