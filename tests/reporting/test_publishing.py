"""Tables of counts are said soon after they change, seldom enough, and never tell of 1 to 7 people."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.facts import Later, Said
from chassis.service import Service
from contracts.message import Message
from contracts.reporting import Cell, MetricPublished
from contracts.vocabulary import KINDS, Kind, NeedStatus
from services.reporting.domain.measures import MEASURES, STATUSES, name_of
from services.reporting.handlers.publishing import PublishMetrics
from services.reporting.store.publication import Publication
from services.reporting.store.tally import COUNT_ALL, Tally
from tests.reporting.builders import ARMLEY, GIPTON, areas, empty, moved, received, referral_id, reporting
from tests.support import NOON, Stage, said

Put = Callable[[Service], Awaitable[Stage]]
ALL = [name_of(measure) for measure in MEASURES]


def scheduled(those: Sequence[Said]) -> list[Later]:
    return [each for each in those if isinstance(each, Later)]


async def publish(on: Stage) -> list[MetricPublished]:
    return said(await on.result(PublishMetrics(names=ALL)), MetricPublished)


def cells(metrics: Sequence[MetricPublished], measure: str) -> dict[str, int | None]:
    (found,) = [metric for metric in metrics if metric.measure == measure]
    return {code(cell): cell.count for cell in found.cells}


def code(cell: Cell) -> str:
    (only,) = [each for each in (cell.status, cell.kind, cell.area) if each is not None]
    return only


@pytest_asyncio.fixture
async def on(stage: Put) -> Stage:
    return await stage(reporting())


async def test_the_rows_of_publications_are_the_measures(on: Stage) -> None:
    assert {row["name"] for row in await on.rows("select name from publication")} == set(ALL)


async def test_many_facts_schedule_one_count(on: Stage) -> None:
    first = scheduled(await on.hear(*(received(number) for number in range(20)), moved(3, "on-hold")))
    assert [(later.at, later.data) for later in first] == [
        (NOON + timedelta(seconds=2), PublishMetrics(names=sorted(ALL)))
    ]
    assert scheduled(await on.hear(received(21))) == []


async def test_what_is_scheduled_is_due_once_and_then_may_be_scheduled_again(on: Stage) -> None:
    await on.hear(received(1))
    await publish(on)
    assert len(scheduled(await on.hear(received(2)))) == 1


async def test_new_areas_count_only_the_wards_again(on: Stage) -> None:
    (later,) = scheduled(await on.hear(areas(E05011400="Gipton & Harehills")))
    assert later.data == PublishMetrics(names=["needs-by-ward/all"])


async def test_a_table_that_did_not_change_is_not_said_again(on: Stage) -> None:
    await on.hear(*(received(number) for number in range(10)))
    assert {metric.name for metric in await publish(on)} == set(ALL)
    on.clock.forward(timedelta(seconds=2))
    await on.hear(received(10))  # 11 is 10 to the nearest 5
    assert await publish(on) == []


async def test_counts_are_rounded_hidden_or_nought(on: Stage) -> None:
    await on.hear(areas(E05011400="Gipton & Harehills", E05011387="Armley", E05011549="Otley & Yeadon"))
    await on.hear(*(received(number) for number in range(13)), received(13, area=ARMLEY))
    wards = cells(await publish(on), "needs-by-ward")
    assert wards == {GIPTON: 15, ARMLEY: None, "E05011549": 0}


async def test_needs_entered_in_error_are_counted_nowhere(on: Stage) -> None:
    await on.hear(*(received(number) for number in range(10)))
    await on.hear(*(moved(number, "entered-in-error") for number in range(10)))
    metrics = await publish(on)
    assert {count for measure in MEASURES for count in cells(metrics, measure).values()} == {0}


async def test_a_count_waits_for_changes_under_way_so_that_none_is_forgotten(stage: Put) -> None:
    """A batch marks, and is not committed, while the count begins: the count must see it or be made again."""
    on = await stage(reporting())
    await on.hear(received(1))
    async with on.database.acquire() as conn:
        batch = conn.transaction()
        await batch.start()
        assert await Publication(conn).mark(ALL, NOON) == []  # already marked: nothing new is scheduled
        async with Tally(conn).following(others := [uuid4() for _ in range(9)]):
            await conn.execute(
                "insert into need (need_id, referral_id, kind, area, status) "
                "select gen_random_uuid(), other, 'device', 'protected', 'requested' from unnest($1::uuid[]) as other",
                others,
            )
        counting = asyncio.create_task(publish(on))
        await _blocked(on)
        await batch.commit()
    assert cells(await counting, "needs-by-ward")["protected"] == 10


async def _blocked(on: Stage) -> None:
    """Returns when somebody waits for a lock."""
    async with asyncio.timeout(10):
        while not await on.rows("select 1 from pg_locks where not granted"):
            pass


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from([GIPTON, ARMLEY, "protected"]),
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
        st.sampled_from([*STATUSES, "entered-in-error"]),
    ),
    max_size=60,
)
People = list[tuple[str, list[Kind], NeedStatus]]


def facts_of(people: People, first: int) -> list[Message]:
    facts: list[Message] = []
    for number, (area, kinds, status) in enumerate(people, first):
        facts.append(received(number, kinds, area))
        facts += [moved(number, status, nth, kind, area) for nth, kind in enumerate(kinds) if status != "requested"]
    return facts


def truth(people: People) -> dict[str, tuple[int, int]]:
    """People and needs behind each code, counted from what was sent and not from any table."""
    needs, persons = Counter[str](), Counter[str]()
    for area, kinds, status in people:
        if status != "entered-in-error":
            needs.update([*kinds, *[area] * len(kinds), *[status] * len(kinds)])
            persons.update({*kinds, area, status})
    return {code: (persons[code], needs[code]) for code in needs}


@pytest.mark.invariant(7)
@given(batches=st.lists(PEOPLE, min_size=1, max_size=3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_subscriber_never_sees_a_count_of_1_to_7_people(on: Stage, batches: list[People]) -> None:
    await empty(on)
    view: dict[str, MetricPublished] = {}
    everybody: People = []
    for batch in batches:
        await on.hear(*facts_of(batch, first=len(everybody) + 1))
        everybody += batch
        view |= {metric.key(): metric for metric in await publish(on)}
        true = truth(everybody)
        for cell in (cell for metric in view.values() for cell in metric.cells):
            people, needs = true.get(code(cell), (0, 0))
            assert (cell.count is None) == (1 <= people <= 7)
            assert cell.count is None or (cell.count % 5 == 0 and abs(cell.count - needs) <= 2)
    assert str(referral_id(1)) not in str(view)


MOVES = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([*STATUSES, "entered-in-error"])), max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.integers(1, 6), max_size=4), MOVES), min_size=1, max_size=5))
async def test_the_tally_is_what_a_count_of_all_needs_comes_to(
    on: Stage, batches: list[tuple[set[int], list[tuple[int, NeedStatus]]]]
) -> None:
    """Referrals come and needs move in any order, moves of unknown needs included."""
    await empty(on)
    for new, moves in batches:
        await on.hear(*(received(number) for number in sorted(new)), *(moved(*move) for move in moves))
        counted = await on.rows(f"{COUNT_ALL} order by 1, 2")
        assert await on.rows("select * from tally order by 1, 2") == counted
