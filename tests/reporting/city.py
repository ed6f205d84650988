"""All that would be published of a made-up year in Leeds, for those who look at pages."""

import csv
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from contracts.reporting import MetricPublished
from contracts.vocabulary import KINDS
from services.referrals.domain.people import CIRCUMSTANCES, MONITORED
from services.referrals.domain.priority import Policy
from services.referrals.handlers.people import circumstances, monitoring
from services.reporting import events_out
from services.reporting.domain import periods
from services.reporting.domain.families import Sort, Told, family_of
from services.reporting.domain.measure import BANDS, By, Codes, Measure
from services.reporting.domain.measures import MEASURES, members
from services.reporting.domain.periods import Period
from services.reporting.domain.tables import Geography, table
from services.reporting.handlers.editions import Edition
from services.reporting.handlers.people import _metric

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONTH = periods.month_of(AT.date().replace(month=10))
MONTHS = periods.year_so_far(MONTH)
_WARDS = Path(__file__).parents[2] / "deploy" / "data" / "leeds_wards.csv"
_ROWS = list(csv.DictReader(_WARDS.read_text(encoding="utf-8").splitlines()))
LEEDS = Geography(
    [row["code"] for row in _ROWS],
    {row["code"]: row["decile"] for row in _ROWS},
    {row["code"]: row["committee"] for row in _ROWS},
)
NAMES: dict[str, str] = {row["code"]: row["name"] for row in _ROWS}
NAMES |= {f"decile of {row['code']}": row["decile"] for row in _ROWS}
NAMES |= {f"part of {row['code']}": row["committee"] for row in _ROWS}
NAMES |= {"gp-armley": "Armley Medical Practice", "food-bank": "Leeds South Food Bank", "housing": "Leeds Housing"}
NAMES |= {"winter-2026": "Digital inclusion fund 2026: winter-2026"}
CODES: Mapping[str, tuple[str, ...]] = {
    "month": tuple(month.name for month in MONTHS),
    "partner": ("gp-armley", "food-bank", "housing"),
    "band": tuple(BANDS),
    "kind": KINDS,
    "ward": tuple(row["code"] for row in _ROWS for _ in range(11 - int(row["decile"]))),
    "stage": ("waiting", "on-offer", "taken-on", "being-helped", "helped", "ended-without-help"),
    "outcome": ("helped", "helped", "partly-helped", "failed", "cancelled"),
    "end": ("accepted", "accepted", "expired", "declined-too-far", "declined-no-capacity"),
    "channel": ("phone", "letter", "via-referrer", "email"),
    "told": ("sent",),
    "asked": ("closing", "3-months", "6-months"),
    "goal": ("yes", "partly", "no"),
    "online": ("yes", "no"),
    "owner": ("provider", "staff"),
    "rung": ("1", "2"),
    "became": ("renewed", "returned"),
    "active": ("helping", "free"),
}
PEOPLE = {"referrals": 300, "served": 200, "outcomes": 100, "waiting": 200, "stages": 300, "offers": 100}


def published() -> list[MetricPublished]:
    made: list[MetricPublished] = []
    for base in MEASURES:
        if base.counts_people and base.within is None:
            made += _people(base)
        elif not base.counts_people:
            made += [_other(base, period, by) for period, tables in _periods(base) for by in tables]
    return made + _who()


def _who() -> list[MetricPublished]:
    """As referrals counts people, and reporting passes it on."""
    chance, policy = random.Random("who"), Policy()  # noqa: S311 - made-up people
    told = Counter(("leeds-1", frozenset(chance.sample(CIRCUMSTANCES, chance.randrange(4)))) for _ in range(300))
    counted = [circumstances(MONTH.name, told, {"leeds-1": policy})]
    for word, codes in MONITORED.items():
        of_word = Counter(chance.choices(codes, range(1, len(codes) + 1), k=300))
        counted.append(monitoring(MONTH.name, word, {code: of_word[code] for code in codes}))
    return [_metric(each, AT) for each in counted]


def _periods(measure: Measure) -> list[tuple[Period, tuple[By, ...]]]:
    year = periods.year_to(MONTH)
    if measure.stands:
        return [(periods.now(AT), measure.tables)]
    return [(periods.so_far(AT), measure.open_tables), (year, (*measure.tables, *measure.in_year))]


def _people(base: Measure) -> list[MetricPublished]:
    made: list[MetricPublished] = []
    chance = random.Random(base.name)  # noqa: S311 - made-up people
    people = Counter(_sort(base, chance) for _ in range(PEOPLE.get(base.name, 200)))
    for period, _ in _periods(base):
        edition = Edition(people, LEEDS)
        for measure in members(base):
            tables = dict(_periods(measure))[period]
            edition.tables += [(Told(measure, period.name, by), period) for by in tables]
        made += edition.published(family_of(base), AT)
    if base.name == "waiting":
        made += [_as_it_was(made[0], month, share) for share, month in enumerate(MONTHS, 2)]
    return made


def _as_it_was(now: MetricPublished, month: Period, tenths: int) -> MetricPublished:
    cells = [cell.model_copy(update={"value": (cell.value or 0) * tenths // 10}) for cell in now.cells]
    new = {"name": f"waiting/{month.name}/kind", "period": month.name, "ends_on": month.ends_on, "final": True}
    return now.model_copy(update={**new, "cells": cells})


def _sort(base: Measure, chance: random.Random) -> Sort:
    some = chance.choice(KINDS)
    return tuple(
        chance.choice(CODES[word])
        if word in CODES
        else "yes"
        if word == f"needs:{some}" or chance.random() < 0.2
        else ""
        for word in family_of(base)
    )


def _other(measure: Measure, period: Period, by: By) -> MetricPublished:
    if measure.quantile:
        codes: list[Codes] = [(code,) for word in by for code in (LEEDS.codes(word) or ())] or [()]
        rows = {each: (5 + 4 * nth, 5 + 5 * nth) for nth, each in enumerate(codes)}
        return events_out.metric(measure, period, by, events_out.days(rows), AT)
    things: dict[str, dict[Codes, int]] = {
        "capacity": {(kind, ward): 3 + nth % 9 for nth, ward in enumerate(LEEDS.wards) for kind in KINDS[:2]},
        "scores": {("winter-2026", "50-74", "awarded"): 12, ("winter-2026", "25-49", "submitted"): 30},
        "grants-by-ward": {(ward,): 1_000_00 * nth for nth, ward in enumerate([*LEEDS.wards[:9], "city-wide"])},
        "applications": {("winter-2026", "awarded"): 12, ("winter-2026", "submitted"): 30},
        "grants": {
            ("winter-2026", "budget"): 10_000_000,
            ("winter-2026", "asked"): 42_000_000,
            ("winter-2026", "awarded"): 9_800_000,
        },
    }
    return events_out.metric(
        measure, period, by, events_out.exact(table(things[measure.name], measure.grain, by, LEEDS)), AT
    )
