"""What is published of a made-up autumn is what whoever counts its facts one by one comes to."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chassis.disclosure import published
from chassis.service import Service
from contracts.referrals import AreasLoaded, NeedStatusChanged, ReferralReceived
from contracts.reporting import MetricPublished
from contracts.vocabulary import KINDS, Kind, NeedStatus
from tests.reporting.builders import MONTH, YEAR, a, close_the_month, moved, received, reporting
from tests.support import NOON, Stage

WARDS: Final = {"E05011400": (1, "Inner"), "E05011387": (1, "Outer"), "E05011390": (7, "Outer")}
SCORES: Final = {15: "0-20", 40: "21-40", 55: "41-60", 70: "61-and-more"}
PATHS: Final[Sequence[Sequence[NeedStatus]]] = (
    ("on-hold",),
    ("on-hold", "offered"),
    ("on-hold", "offered", "accepted"),
    ("offered", "accepted", "in-progress"),
    ("offered", "accepted", "in-progress", "completed"),
    ("offered", "accepted", "on-hold", "offered", "accepted", "in-progress", "completed"),
    ("on-hold", "cancelled"),
    ("entered-in-error",),
)
FIRST: Final = datetime.fromisoformat("2026-10-05T08:00:00+00:00")
LONDON: Final = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Need:
    """One kind of help for one person, and when it was what."""

    person: int
    kind: Kind
    ward: str
    score: int
    received_at: datetime
    moves: Sequence[tuple[NeedStatus, datetime]]

    def when(self, status: NeedStatus) -> datetime | None:
        return next((at for each, at in self.moves if each == status), None)


def made_up() -> Iterator[tuple[list[ReferralReceived | NeedStatusChanged], list[Need]]]:
    chance = random.Random("autumn")  # noqa: S311 - made-up people
    for number in range(240):
        at, ward, score = (
            FIRST + chance.random() * timedelta(days=40),
            chance.choice([*WARDS]),
            chance.choice([*SCORES]),
        )
        kinds = tuple(chance.sample(KINDS, chance.choice((1, 1, 2))))
        priority = {"score": score, "groups": 1, "area_step": 0, "policy": "leeds-1"}
        facts: list[ReferralReceived | NeedStatusChanged] = [
            received(number, kinds, ward, received_at=at, priority=priority)
        ]
        needs = []
        for nth, kind in enumerate(kinds):
            path, then, moves = chance.choice(PATHS), at, []
            for status in path:
                then += chance.random() * timedelta(days=2)
                moves.append((status, then))
            ended = {"outcome": "helped"} if path[-1] == "completed" else {}
            facts += [moved(number, status, nth, kind, ward, at=when, **ended) for status, when in moves]
            needs.append(Need(number, kind, ward, score, at, moves))
        yield facts, needs


def in_november(at: datetime | None) -> bool:
    return at is not None and f"{at.astimezone(LONDON):%Y-%m}" == MONTH


def days(need: Need) -> int:
    taken_on = need.when("accepted") or need.received_at
    return (taken_on.astimezone(LONDON).date() - need.received_at.astimezone(LONDON).date()).days


def told(metric: MetricPublished) -> Mapping[str, int | None]:
    """What is told of each row, but for what is kept back for others."""
    return {",".join(cell.codes): cell.value for cell in metric.cells if cell.hidden != "kept-back"}


def assert_counted(metric: MetricPublished, expected: Mapping[str, int]) -> None:
    shown = told(metric)
    assert any(shown.values()), f"something is told by {metric.name}"
    assert shown == {codes: published(expected.get(codes, 0)) for codes in shown}, metric.name
    assert expected.keys() <= {",".join(cell.codes) for cell in metric.cells}


async def test_tables_are_what_whoever_counts_the_facts_comes_to(stage: Callable[[Service], Awaitable[Stage]]) -> None:
    on = await stage(reporting())
    of_wards = [
        {"code": code, "name": code, "decile": decile, "step": 0, "committee": committee}
        for code, (decile, committee) in WARDS.items()
    ]
    everybody = list(made_up())
    await on.hear(a(AreasLoaded, areas=of_wards))
    await on.hear(*(fact for facts, _ in everybody for fact in facts))
    on.clock.at = NOON
    made = await close_the_month(on)

    needs = [need for _, those in everybody for need in those if not need.when("entered-in-error")]
    assert_who_was_referred(made, needs)
    assert_what_became_of_it(made, needs)


def assert_who_was_referred(made: Mapping[str, MetricPublished], needs: Sequence[Need]) -> None:
    people = list({need.person: need for need in needs}.values())
    in_month = [need for need in people if in_november(need.received_at)]
    assert_counted(made[f"referrals/{MONTH}/all"], {"": len(in_month)})
    assert_counted(made[f"referrals/{MONTH}/band"], Counter(SCORES[need.score] for need in in_month))
    assert_counted(made[f"referrals/{YEAR}/ward"], Counter(need.ward for need in people))
    by_decile = Counter(f"{need.kind},{WARDS[need.ward][0]}" for need in needs)
    assert_counted(made[f"needs/{YEAR}/kind-by-decile"], by_decile)
    by_committee = Counter(f"{n.kind},{WARDS[n.ward][1]}" for n in needs if in_november(n.received_at))
    assert_counted(made[f"needs/{MONTH}/kind-by-committee"], by_committee)


def assert_what_became_of_it(made: Mapping[str, MetricPublished], needs: Sequence[Need]) -> None:
    served = [need for need in needs if in_november(need.when("accepted"))]
    assert_counted(made[f"served/{MONTH}/kind"], Counter(need.kind for need in served))
    ended = [(n, *n.moves[-1]) for n in needs if n.moves[-1][0] in {"completed", "cancelled"}]
    outcomes = Counter(
        f"{need.kind},{'helped' if status == 'completed' else status}" for need, status, at in ended if in_november(at)
    )
    assert_counted(made[f"outcomes/{MONTH}/kind-by-outcome"], outcomes)
    waiting = [need for need in needs if need.moves[-1][0] in {"on-hold", "offered"}]
    assert_counted(made[f"waiting/{MONTH}/kind-by-band"], Counter(f"{n.kind},{SCORES[n.score]}" for n in waiting))

    of_kind = {kind: sorted(days(need) for need in served if need.kind == kind) for kind in KINDS}
    assert told(made[f"wait-half/{MONTH}/kind"]) == {kind: d[(len(d) - 1) // 2] for kind, d in of_kind.items()}
    assert told(made[f"wait-most/{MONTH}/kind"]) == {kind: d[-(-9 * len(d) // 10) - 1] for kind, d in of_kind.items()}
