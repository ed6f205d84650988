"""A projection made anew from the log beside the live one: what differs is told, and the live one goes on."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from chassis.envelope import Event
from chassis.errors import Stopped, is_unavailable
from chassis.facts import Said
from chassis.postgres import connect, connect_pool
from chassis.projection import Compared
from chassis.rebuild import rebuild
from chassis.service import Service
from chassis.settings import DatabaseSettings
from contracts.matching import OfferAccepted
from contracts.message import Message
from contracts.referrals import NeedStatusChanged
from contracts.vocabulary import NeedStatus
from deploy.embedded.processes import alive
from deploy.kafka.admin import Topic
from deploy.provision import apply_topics
from services.reporting.settings import ReportingSettings
from services.reporting.store.editions import Editions
from tests.chassis.conftest import service_settings
from tests.reporting.builders import PROJECTIONS, a, moved, need_id, received, referral_id
from tests.reporting.rebuilding import PACKAGE, PARTITIONS, Live
from tests.support import Servers, eventually

NewDatabase = Callable[[str], Awaitable[DatabaseSettings]]
NEEDS = "select need_id, status from need order by need_id"


def facts(first: int, last: int, status: NeedStatus = "on-hold") -> list[Message]:
    """Of each of these referrals: what it is, how far it is, and an offer."""
    told: list[Message] = []
    for number in range(first, last):
        of = {"referral_id": referral_id(number), "need_id": need_id(number), "offer_id": need_id(number)}
        told += [received(number), moved(number, status), a(OfferAccepted, **of)]
    return told


@pytest_asyncio.fixture
async def live(servers: Servers, new_database: NewDatabase, tmp_path: Path) -> AsyncIterator[Live]:
    apply_topics(servers.admin)
    topic = f"facts-{secrets.token_hex(4)}"
    servers.admin.apply_topics([Topic(topic, PARTITIONS, {})])
    database = await new_database("reporting")
    owner = database.model_copy(update={"user": "reporting_owner"})
    given = dict(service_settings(database, servers))
    async with await connect_pool(database) as pool:
        yield Live(ReportingSettings(**given, publish_every_seconds=0.1), owner, pool, topic, tmp_path)


@contextlib.asynccontextmanager
async def having_read(live: Live, *told: Message) -> AsyncIterator[None]:
    """The live service, running, after it has read these facts and said what follows from them."""
    await live.write(*told)
    async with live.running():
        await eventually(live.unread, lambda left: left == 0, within=40)
        await eventually(lambda: quiet(live), bool)
        yield


async def quiet(live: Live) -> bool:
    (row,) = await live.rows(
        "select (select count(*) from due where key <> 'close') + (select count(*) from outbox) as waiting"
    )
    return bool(row["waiting"] == 0)


async def schemas(live: Live) -> list[str]:
    rows = await live.rows("select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$'")
    return sorted(row["nspname"] for row in rows)


async def damage(live: Live) -> None:
    """One row less, one too many, one otherwise."""
    await live.database.execute("delete from need where need_id = $1", need_id(1))
    await live.database.execute("update offer set state = 'expired' where offer_id = $1", need_id(2))
    await live.database.execute("insert into partner values ('nobody', 'Nobody')")


DAMAGED = {"need": Compared(30, missing=1), "offer": Compared(30, changed=1), "partner": Compared(0, extra=1)}


async def test_damage_is_told_table_by_table_and_mended_only_where_it_is_accepted(live: Live) -> None:
    async with having_read(live, *facts(1, 31)):
        true = await live.rows(NEEDS)
        await damage(live)
        seen = await live.rebuild()
        assert {name: table for name, table in seen.tables.items() if not table.same} == DAMAGED
        assert set(seen.tables) == set(PROJECTIONS)
        assert (seen.records, seen.switched) == (90, False)
        assert len(await live.rows(NEEDS)) == 29
        assert (await live.rebuild(accept=True)).switched
        assert await live.rows(NEEDS) == true
        assert await live.rows("select * from partner") == []
        assert {row["state"] for row in await live.rows("select state from offer")} == {"accepted"}
        assert await schemas(live) == ["public"]


async def test_counts_of_what_was_mended_are_published_anew(live: Live) -> None:
    async def waiting() -> int | None:
        async with live.database.acquire() as conn:
            (versions,) = (await Editions(conn).versions(["waiting/now/kind"])).values()
        (count,) = [cell.value for cell in versions[-1].cells if cell.codes == ["device"]]
        return count

    async with having_read(live, *facts(1, 31)):
        assert await waiting() == 30
        await live.database.execute("update need set status = 'entered-in-error'")
        await live.write(received(99))
        await eventually(waiting, lambda count: count != 30)
        assert (await live.rebuild(accept=True)).switched
        await eventually(waiting, lambda count: count == 30)


async def test_undamaged_all_is_the_same_and_nothing_is_said_again(live: Live) -> None:
    async with having_read(live, *facts(1, 31)):
        before = await live.rows("select position from said order by 1")
        assert before
        made = await live.rebuild()
        assert made.same
        assert made.switched
        assert await quiet(live)
        assert await live.rows("select position from said order by 1") == before


async def test_the_live_service_reads_and_is_read_all_the_while(live: Live) -> None:
    """Facts come and pages ask while tables are switched under them: none is lost, none fails."""
    seen: list[int] = []

    async def ask(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            async with live.database.acquire() as conn, conn.transaction():
                store = live.service.store(conn)
                counts = await store.counts.exact()
                seen.append(sum(counts["needs"].values()))
                await store.measures.names()

    async def write() -> None:
        for first in range(31, 331, 30):
            await live.write(*facts(first, first + 30))

    async with having_read(live, *facts(1, 31)):
        stopping = asyncio.Event()
        asking = asyncio.create_task(ask(stopping))
        writing = asyncio.create_task(write())
        for _ in range(2):
            assert (await live.rebuild()).switched
        await writing
        await eventually(live.unread, lambda left: left == 0)
        stopping.set()
        await asking
        assert min(seen) >= 30
        assert len(await live.rows(NEEDS)) == 330
        assert await live.rows("select kind from dead_letter") == []
        assert (await live.rebuild()).same


async def test_one_that_was_killed_leaves_the_live_tables_alone_and_the_next_begins_anew(live: Live) -> None:
    async with having_read(live, *facts(1, 31)):
        with live.rebuilding(FURTHEST_TEST_KILL_AT="after-database-commit") as victim:
            await eventually(lambda: asyncio.to_thread(alive, victim), lambda lives: not lives, within=40)
        assert await schemas(live) == ["public", "rebuild"]
        assert len(await live.rows("select 1 from rebuild.need")) > 0
        made = await live.rebuild()
        assert (made.records, made.same, made.switched) == (90, True, True)
        assert await schemas(live) == ["public"]


async def test_only_one_is_under_way_at_a_time(live: Live) -> None:
    async with having_read(live, *facts(1, 3)):
        both = await asyncio.gather(live.rebuild(), live.rebuild(), return_exceptions=True)
    refused = [str(each) for each in both if isinstance(each, BaseException)]
    assert refused == ["another rebuild of this service is under way: wait until it has ended"]


async def test_a_reader_that_takes_long_is_left_to_end(live: Live) -> None:
    async def waiting() -> int:
        return len(await live.rows("select 1 from pg_locks where not granted and relation = 'need'::regclass"))

    async with having_read(live, *facts(1, 3)), live.database.acquire() as reader:
        reading = reader.transaction()
        await reading.start()
        await reader.fetch("select * from need")
        making = asyncio.create_task(live.rebuild())
        await eventually(waiting, bool)
        await eventually(waiting, lambda n: n == 0)
        await live.write(*facts(3, 5))
        await eventually(live.unread, lambda left: left == 0)
        await reading.rollback()
        assert (await making).switched
    assert len(await live.rows(NEEDS)) == 4


def broken(service: Service, number: int) -> Service:
    """Fails on whatever becomes of the need of one referral."""
    right = service.handlers[NeedStatusChanged]

    async def on_need_status_changed(events: Sequence[Event[Any]], store: Any, at: datetime) -> Sequence[Said]:
        if need_id(number) in {event.data.need_id for event in events}:
            raise ValueError("a bug")
        return await right(events, store, at)

    return replace(service, handlers={**service.handlers, NeedStatusChanged: on_need_status_changed})


async def test_dead_letters_that_a_new_release_can_read_have_their_effect_and_are_settled(live: Live) -> None:
    await live.write(*facts(1, 4), moved(2, "offered"))
    async with live.running(broken(live.service, 2)):
        await eventually(live.unread, lambda left: left == 0, within=40)
    before = await live.rows("select kind from dead_letter where settled_at is null order by id")
    assert [letter["kind"] for letter in before][:2] == ["unexpected", "parked"]
    made = await live.rebuild(accept=True)
    assert (made.switched, made.dead_letters) == (True, 0)
    assert await live.rows("select status from need where need_id = $1", need_id(2)) == [{"status": "offered"}]
    assert {row["settled"] for row in await live.rows("select settled from dead_letter")} == {"replayed"}
    (audited,) = await live.rows("select who, done, cardinality(letters) as n from dead_letter_audit")
    assert audited == {"who": "rebuild", "done": "replayed", "n": len(before)}
    async with having_read(live, moved(2, "completed")):
        assert await live.rows("select status from need where need_id = $1", need_id(2)) == [{"status": "completed"}]


async def test_what_staff_discarded_stays_without_effect_and_what_fails_anew_is_kept_in_order(live: Live) -> None:
    poison = a(OfferAccepted, referral_id=referral_id(9)).model_copy(update={"offer_id": "no-uuid"})
    with pytest.warns(UserWarning, match="serializ"):
        await live.write(*facts(1, 3), poison, poison)
    async with live.running():
        await eventually(live.unread, lambda left: left == 0, within=40)
    first, second = await live.rows("select id, dead_at, record_offset from dead_letter order by id")
    await live.database.execute(
        "update dead_letter set settled = 'discarded', settled_at = now() where id = $1", first["id"]
    )
    made = await live.rebuild()
    assert (made.same, made.switched, made.dead_letters) == (True, True, 1)
    (kept,) = await live.rows("select dead_at, record_offset, consumer from dead_letter where settled_at is null")
    assert kept == {"dead_at": second["dead_at"], "record_offset": second["record_offset"], "consumer": "reporting"}


async def test_what_rests_on_a_live_table_is_named_and_nothing_is_switched(live: Live) -> None:
    async with having_read(live, *facts(1, 3)):
        owner = await connect(live.owner)
        await owner.execute("create view waiting as select * from need")
        await owner.close()
        with pytest.raises(Stopped, match="view waiting depends on table need"):
            await live.rebuild()
        assert len(await live.rows("select * from waiting")) == 2
        assert await schemas(live) == ["public"]


async def test_a_log_that_has_lost_what_was_read_is_not_enough(live: Live) -> None:
    async with having_read(live, *facts(1, 3)):
        pass
    await live.database.execute("update consumer_offset set next_offset = 1000 where partition = 1")
    with pytest.raises(Stopped, match=r"has read facts-\w+/1 from 0 to 1000, but the log goes from 0 to"):
        await live.rebuild(accept=True)
    assert len(await live.rows(NEEDS)) == 2


async def test_tables_of_another_release_are_not_replaced(live: Live) -> None:
    owner = await connect(live.owner)
    await owner.execute("insert into schema_migration values ('services.reporting/0099_pre_new.sql', '')")
    await owner.close()
    with pytest.raises(Stopped, match="another release"):
        await live.rebuild(accept=True)


async def test_only_a_projection_can_be_rebuilt(live: Live) -> None:
    decides = replace(live.service, not_from_facts=None)
    with pytest.raises(Stopped, match="reporting decides what stands in its tables"):
        await rebuild(decides, live.settings, live.owner, PACKAGE, accept=True)


async def test_a_statement_prepared_before_a_table_was_replaced_is_no_fault_of_the_event(live: Live) -> None:
    """Inside a transaction asyncpg cannot prepare it again: the batch has to be taken once more."""
    owner = await connect(live.owner)
    async with live.database.acquire() as conn:
        await conn.fetch("select * from partner")
        await owner.execute("alter table partner add column since date")
        await owner.close()
        with pytest.raises(asyncpg.InvalidCachedStatementError) as caught:
            async with conn.transaction():
                await conn.fetch("select * from partner")
        assert is_unavailable(caught.value)
        async with conn.transaction():
            await conn.fetch("select * from partner")
