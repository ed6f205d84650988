"""What referrals counted of people is published as it comes, and tells nothing together with all other tables."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.disclosure import NOT_SMALL, SMALL, bounds
from chassis.service import Service
from chassis.worlds import UNTOLD, Bounds
from contracts.people import PeopleCounted
from contracts.reporting import MetricPublished, TableCell
from services.referrals.domain.people import MONITORED
from services.referrals.domain.priority import Policy
from services.referrals.handlers.people import circumstances, monitoring
from services.reporting.domain import periods
from services.reporting.domain.families import Told, family_of
from services.reporting.domain.measures import BY_NAME, WHO
from services.reporting.domain.tables import Geography
from services.reporting.handlers.editions import Edition
from services.reporting.handlers.people import _metric
from services.reporting.pages import words
from services.reporting.store.editions import Editions
from tests.attacker import Solver
from tests.reporting.builders import a, received, reporting
from tests.reporting.builders import published as made_tables
from tests.support import NOON, Stage, said, usual

Put = Callable[[Service], Awaitable[Stage]]
MONTH = periods.month_of(NOON.date())
CITY = Geography(["W1", "W2"], {"W1": "1", "W2": "5"}, {"W1": "Inner", "W2": "Outer"})
REFERRALS = replace(BY_NAME["referrals"], tables=((), ("band",), ("ward",)))
POLICY = Policy(
    groups={
        "money": frozenset({"low-income", "urgent-money-need"}),
        "isolation": frozenset({"offline", "no-support-network"}),
    }
)
CODES = ("low-income", "urgent-money-need", "offline", "no-support-network")
Sort = tuple[str, frozenset[str], str]
"""From which ward, with which circumstances, and what they told of their sex."""
SORTS: list[Sort] = [
    (ward, frozenset(code for n, code in enumerate(CODES) if bits >> n & 1), sex)
    for ward in CITY.wards
    for bits in range(16)
    for sex in MONITORED["sex"]
]


def band(ward: str, told: frozenset[str]) -> str:
    groups = sum(1 for codes in POLICY.groups.values() if codes & told)
    return "21-40" if 15 * groups + (10 if ward == "W1" else 5) > 20 else "0-20"


def published(people: Mapping[Sort, int]) -> list[MetricPublished]:
    """Both what reporting counts and what referrals does."""
    seen, of_told, of_sex = Counter[tuple[str, ...]](), Counter[tuple[str, frozenset[str]]](), Counter[str]()
    for (ward, told, sex), number in people.items():
        at_its_place = {"month": MONTH.name, "band": band(ward, told), "ward": ward, "needs:device": "yes"}
        seen[tuple(at_its_place.get(word, "") for word in family_of(REFERRALS))] += number
        of_told["leeds-1", told] += number
        of_sex[sex] += number
    edition = Edition(seen, CITY)
    edition.tables = [(Told(REFERRALS, MONTH.name, by, frozenset({MONTH.name})), MONTH) for by in REFERRALS.tables]
    by_sex = {code: of_sex[code] for code in MONITORED["sex"]}
    counted = [circumstances(MONTH.name, of_told, {"leeds-1": POLICY}), monitoring(MONTH.name, "sex", by_sex)]
    return [*edition.published(family_of(REFERRALS), NOON), *(_metric(each, NOON) for each in counted)]


def cells(tables: list[MetricPublished]) -> Iterator[tuple[MetricPublished, TableCell, list[Sort]]]:
    for metric in tables:
        for cell in metric.cells:
            wanted = dict(zip(metric.by, cell.codes, strict=True))
            yield metric, cell, [sort for sort in SORTS if counts(wanted, *sort)]


def counts(wanted: Mapping[str, str], ward: str, told: frozenset[str], sex: str) -> bool:
    of = {"ward": ward, "band": band(ward, told), "sex": sex}
    return all(code in told if word == "circumstance" else of[word] == code for word, code in wanted.items())


def is_all_kept_back(metric: MetricPublished, cell: TableCell) -> bool:
    """A table, or a group of circumstances, of which nothing at all is told."""
    group = next((codes for codes in POLICY.groups.values() if cell.codes[-1:] and cell.codes[-1] in codes), None)
    those = [each for each in metric.cells if group is None or each.codes[-1] in group]
    return all(each.hidden == "kept-back" for each in those)


def known(metric: MetricPublished, cell: TableCell, count: int) -> Bounds:
    """Whoever looks knows even what is kept back for the sake of others; of a table that says nothing, nothing."""
    if cell.hidden == "small":
        return SMALL[0], SMALL[-1]
    if cell.hidden:
        return NOT_SMALL if count >= SMALL.stop and not is_all_kept_back(metric, cell) else UNTOLD
    return bounds(cell.value or 0)


@pytest.mark.invariant(7)
@settings(max_examples=usual(15))
@given(st.dictionaries(st.sampled_from(SORTS), st.integers(1, 14), min_size=1, max_size=12))
def test_with_what_referrals_counted_no_table_tells_a_small_count(people: Mapping[Sort, int]) -> None:
    tables = list(cells(published(people)))
    true = [sum(people.get(sort, 0) for sort in sorts) for _, _, sorts in tables]
    told = [(sorts, known(metric, cell, n)) for (metric, cell, sorts), n in zip(tables, true, strict=True)]
    solver = Solver(SORTS, told)
    for (metric, cell, sorts), number in zip(tables, true, strict=True):
        if number in SMALL:
            least, most = solver.extremes(sorts)
            assert most - least >= 2, f"{metric.name} {cell.codes}: {least} to {most}"


async def test_it_is_published_as_it_comes_and_the_month_is_still_closed(stage: Put) -> None:
    on = await stage(reporting())
    await on.hear(*(received(n, received_at=NOON) for n in range(10)))
    on.clock.at = periods.closes_at(MONTH)
    (made,) = said(await on.hear(a(PeopleCounted)), MetricPublished)
    assert (made.name, made.measure, made.final) == ("people/2026-11/sex", "people", True)
    assert [(cell.codes, cell.value, cell.hidden) for cell in made.cells] == [
        (["female"], 45, None),
        (["male"], 30, None),
        (["prefer-not-to-say"], None, "small"),
        (["not-told"], 20, None),
    ]
    closed = said(await made_tables(on), MetricPublished)
    assert {metric.name for metric in closed} >= {"referrals/2026-11/all"}
    assert not [metric for metric in closed if metric.measure == "people"]
    kept = await on.rows("select name from edition where measure = 'people'")
    assert kept == [{"name": "people/2026-11/sex"}]
    await on.hear(a(PeopleCounted, month="2026-12"))
    async with on.database.acquire() as conn:
        shown = {metric.name for metric in await Editions(conn).for_pages() if metric.final}
    assert shown >= {"people/2026-12/sex", "referrals/2026-11/all"}, "until December is closed November is shown"
    assert "people/2026-11/sex" not in shown


def test_every_code_is_in_words() -> None:
    assert {by for (by,) in WHO.tables} == {"circumstance", *MONITORED}
    for word, codes in MONITORED.items():
        assert words.CODES[word].keys() == set(codes)
    assert words.CODES["circumstance"].keys() == {code for codes in Policy().groups.values() for code in codes}
