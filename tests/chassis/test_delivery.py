"""One poll, one transaction, one effect: on real Kafka and PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.dead_letters import DeadLetter
from chassis.decode import Decoder
from chassis.delivery import Advance
from chassis.errors import Fenced
from chassis.sealing import Sealer
from chassis.work import Batch, Worker
from contracts.catalogue import partner_topics
from contracts.referrals import ReferralClosed, ReferralWithdrawn
from deploy.embedded.processes import alive
from deploy.kafka.admin import Topic
from tests.chassis.conftest import Toy, headers
from tests.support import NOON, SEALING_KEY, Clock, eventually, fact_event, read_topic


def withdrawn(referral: UUID) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral, need_ids=[], reason="other")


def closed(referral: UUID) -> ReferralClosed:
    return ReferralClosed(referral_id=referral, at=NOON)


@pytest.mark.invariant(1)
async def test_every_fact_has_one_effect_and_what_it_says_is_sent(toy: Toy) -> None:
    referrals = [uuid4() for _ in range(50)]
    await toy.write(*(withdrawn(r) for r in referrals))
    async with toy.running():
        await eventually(toy.effects, lambda seen: len(seen) >= 50)
        said = await eventually(toy.said, lambda keys: {str(r) for r in referrals} <= set(keys))
    assert sorted(key for key, _ in await toy.effects()) == sorted(str(r) for r in referrals)
    assert sorted(key for key in said if UUID(key) in referrals) == sorted(str(r) for r in referrals)


@pytest.mark.invariant(1)
async def test_a_fact_that_a_relay_sent_twice_has_one_effect(toy: Toy) -> None:
    referral, event_id = uuid4(), str(uuid4())
    await toy.write(withdrawn(referral), withdrawn(referral), ids=[event_id, event_id])
    last = uuid4()
    async with toy.running():
        await toy.write(
            withdrawn(referral), closed(referral), withdrawn(last), ids=[event_id, str(uuid4()), str(uuid4())]
        )
        await eventually(toy.effects, lambda seen: len(seen) >= 3)
    effects = await toy.effects()
    assert [kind for key, kind in effects if key == str(referral)] == ["ReferralWithdrawn", "ReferralClosed"]


async def test_a_key_keeps_its_order_across_types(toy: Toy) -> None:
    referrals = [uuid4() for _ in range(20)]
    await toy.write(*(m for r in referrals for m in (withdrawn(r), closed(r), withdrawn(r))))
    async with toy.running():
        effects = await eventually(toy.effects, lambda seen: len(seen) >= 60)
    for referral in referrals:
        kinds = [kind for key, kind in effects if key == str(referral)]
        assert kinds == ["ReferralWithdrawn", "ReferralClosed", "ReferralWithdrawn"]


async def test_unreadable_records_are_dead_letters_and_the_next_good_one_goes_through(toy: Toy) -> None:
    good = uuid4()
    kind = ReferralWithdrawn.spec.type
    await toy.write_raw(
        (b"a", b"{not json", headers(kind, str(uuid4()))),
        (b"b", b'{"referral_id": 7, "Jane Marker": 1}', headers(kind, str(uuid4()))),
        (b"c", b"{}", [("ce_type", b"\xff\xfe")]),
        (b"d", None, headers(kind, str(uuid4()))),
        (b"e", withdrawn(good).model_dump_json().encode(), headers(kind, "not-a-uuid")),
        (str(good).encode(), withdrawn(good).model_dump_json().encode(), headers(kind, str(uuid4()))),
    )
    async with toy.running():
        await eventually(toy.effects, lambda seen: [key for key, _ in seen] == [str(good)])
        letters = await eventually(toy.letters, lambda seen: len(seen) == 5)
    assert {letter["kind"] for letter in letters} == {"unreadable"}
    assert "Jane" not in str(letters)


async def test_what_fails_unexpectedly_stands_alone_and_only_its_key_waits_behind_it(toy: Toy) -> None:
    good, bad = [uuid4() for _ in range(30)], uuid4()
    toy.handlers.fails_on = {str(bad)}
    await toy.write(*(withdrawn(r) for r in good[:15]), withdrawn(bad), closed(bad), *(withdrawn(r) for r in good[15:]))
    async with toy.running():
        await eventually(toy.effects, lambda seen: len(seen) == 30)
        await toy.write(closed(bad))
        letters = await eventually(toy.letters, lambda seen: len(seen) == 3)
    assert [letter["kind"] for letter in letters] == ["unexpected", "parked", "parked"]
    assert {letter["key"] for letter in letters} == {str(bad)}
    assert {UUID(key) for key, _ in await toy.effects()} == set(good)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("point", ["after-database-commit", "before-offset-commit", "after-kafka-acknowledgement"])
async def test_killed_at_the_worst_moment_every_fact_still_has_one_effect(toy: Toy, point: str) -> None:
    referrals = [uuid4() for _ in range(40)]
    await toy.write(*(withdrawn(r) for r in referrals))
    with toy.process(FURTHEST_TEST_KILL_AT=point) as victim:
        await eventually(lambda: asyncio.to_thread(alive, victim), lambda lives: not lives, within=40)
    with toy.process("again"):
        await eventually(toy.effects, lambda seen: len(seen) >= 40, within=40)
        await eventually(toy.said, lambda keys: {str(r) for r in referrals} <= set(keys), within=40)
        await eventually(toy.unsent, lambda rows: rows == 0)
    assert sorted(key for key, _ in await toy.effects()) == sorted(str(r) for r in referrals)
    ids = await toy.said_ids({str(r) for r in referrals})
    assert len(set(ids)) == 40
    assert len(ids) > 40 or point != "after-kafka-acknowledgement", "the relay was to say it twice"


@pytest.mark.invariant(1)
async def test_a_zombie_that_still_holds_a_partition_changes_nothing(toy: Toy) -> None:
    first, second = uuid4(), uuid4()
    await toy.write(withdrawn(first))
    zombie = Worker("toy", toy.database, {}, lambda conn: conn, Sealer(SEALING_KEY), Clock())
    async with toy.running():
        await eventually(toy.effects, lambda seen: len(seen) == 1)
    offsets = await toy.database.fetch("select partition, next_offset from consumer_offset where next_offset > 0")
    (partition, offset) = offsets[0]
    late = Batch("toy", [fact_event(withdrawn(second))], advances={(toy.topic, partition): Advance(0, offset)})
    with pytest.raises(Fenced):
        await zombie.run(late)
    assert len(await toy.effects()) == 1
    assert (await toy.database.fetchval("select count(*) from inbox")) == 1


async def test_an_offset_beyond_the_end_of_the_log_stops_the_consumer_with_a_reason(toy: Toy) -> None:
    await toy.database.execute("insert into consumer_offset values ('toy', $1, 0, 1000)", toy.topic)
    with toy.process() as stopped:
        await eventually(lambda: asyncio.to_thread(alive, stopped), lambda lives: not lives, within=40)
    log = (toy.folder / "logs" / "toy.log").read_text()
    assert "up to 1000, but the log goes from 0 to 0" in log


async def test_a_partition_whose_stored_offset_could_not_be_had_is_asked_for_again(toy: Toy) -> None:
    """When Postgres is away while partitions are assigned, nothing may be passed over in silence."""
    async with toy.consuming() as consumer:
        await toy.write(closed(uuid4()))
        await eventually(toy.effects, lambda seen: len(seen) == 1)
        consumer.positions.clear()
        await toy.write(*(closed(uuid4()) for _ in range(5)))
        await eventually(toy.effects, lambda seen: len(seen) == 6)


async def test_a_record_on_which_our_own_code_fails_does_not_hold_up_those_behind_it(toy: Toy) -> None:
    class Broken(ReferralClosed):
        @classmethod
        def model_validate_json(cls, *_: Any, **__: Any) -> Any:
            raise RuntimeError("a bug")

    decoder = Decoder({ReferralClosed.spec.type: Broken}, Sealer(SEALING_KEY))
    await toy.write(closed(uuid4()))
    (record,) = await read_topic(toy.servers.kafka, toy.topic, 2)
    letter = decoder.decode(record)
    assert isinstance(letter, DeadLetter)
    assert letter.rule.startswith("RuntimeError at ")
    assert "a bug" not in letter.rule


async def test_a_backlog_larger_than_the_door_takes_at_once_is_sent(toy: Toy) -> None:
    """Kafka's limit of a topic holds for a whole batch: after an outage a thousand rows wait together."""
    outbox = Topic(f"partners.{uuid4().hex[:8]}.outbox", 1, partner_topics("any")[1].config)
    toy.servers.admin.apply_topics([outbox])
    await toy.database.execute(
        """insert into outbox (topic, key, headers, value, said_at)
           select $1, 'k'::bytea, repeat(E'\n', 8), $2, now() from generate_series(1, 1000)""",
        outbox.name,
        b"x" * 700,
    )
    async with toy.running():
        await eventually(toy.unsent, lambda rows: rows == 0)
    assert len(await read_topic(toy.servers.kafka, outbox.name)) == 1000


async def test_a_fact_that_kafka_would_not_take_holds_back_its_cause_and_not_the_relay(toy: Toy) -> None:
    good, bad = uuid4(), uuid4()
    toy.handlers.too_long = {str(bad)}
    await toy.write(withdrawn(bad), withdrawn(good))
    async with toy.running():
        await eventually(toy.said, lambda keys: str(good) in keys)
        (letter,) = await eventually(toy.letters, bool)
    assert (letter["key"], letter["kind"]) == (str(bad), "unexpected")
    assert letter["rule"].startswith("TooLarge at ")
    assert [key for key, _ in await toy.effects()] == [str(good)]
