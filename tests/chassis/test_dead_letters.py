"""Dead letters are settled in place and in order, each once, whatever else goes on meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import dead_letters
from chassis.envelope import Event
from chassis.letter_rows import Which
from chassis.settle import Act, Order, plan
from chassis.tidy import Tidy
from chassis.work import Batch
from contracts.door import ReferralWithdrawalRequested
from contracts.referrals import ReferralClosed
from tests.chassis.letters import INBOX, TOPIC, WARRANT, Line, Reminder, closed, number_of
from tests.support import NOON, eventually

MENDED = (WARRANT.who, WARRANT.why)


async def dead(line: Line, key: UUID, *numbers: int) -> list[int]:
    """Lets the first of these fail, which parks the others behind it; mends the bug; returns their ids."""
    line.toy.poison = {(str(key), numbers[0])}
    await line.poll(*(closed(key, number) for number in numbers))
    line.toy.poison = set()
    return await line.ids(Which(key=str(key)))


@pytest.mark.invariant(1)
async def test_a_key_is_replayed_in_order_with_what_is_parked_behind_and_goes_on(line: Line) -> None:
    key, other = uuid4(), uuid4()
    ids = await dead(line, key, 1, 2)
    await line.poll(closed(key, 3), closed(other, 1))
    (settled,) = await line.settle("replay", ids[0])
    await line.poll(closed(key, 4))
    assert await line.of(key) == [1, 2, 3, 4]
    assert settled.replayed == [*ids, ids[-1] + 1]
    assert settled.said == {"GapClosed": 3}
    assert await line.said() == 5
    assert await line.letters() == []
    assert await line.audit() == [(*MENDED, "replayed", settled.replayed)]


async def test_one_that_is_parked_is_replayed_with_those_before_it(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2, 3)
    await line.settle("replay", ids[1])
    assert await line.of(key) == [1, 2, 3]


async def test_where_one_fails_again_nothing_of_its_key_is_changed_and_it_is_named(line: Line) -> None:
    key, other = uuid4(), uuid4()
    ids, others = await dead(line, key, 1, 2, 3), await dead(line, other, 1)
    line.toy.poison = {(str(key), 2)}
    first, second = await line.settle("replay", *ids, *others)
    assert (first.failed, first.replayed, second.replayed) == (ids[1], (), others)
    assert (first.rule or "").startswith("ValueError at ")
    assert await line.effects() == [(str(other), 1)]
    assert [(letter["kind"], letter["attempts"]) for letter in await line.letters()] == [
        ("unexpected", 2),
        ("unexpected", 1),
        ("parked", 0),
    ]
    assert (*MENDED, "failed", [ids[1]]) in await line.audit()
    line.toy.poison = set()
    await line.settle("replay", ids[1])
    assert await line.of(key) == [1, 2, 3]


async def test_what_is_parked_behind_a_discarded_letter_is_replayed(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2, 3)
    (settled,) = await line.settle("discard", ids[0])
    assert (settled.discarded, settled.replayed) == (ids[:1], ids[1:])
    assert await line.of(key) == [2, 3]
    assert [(done, letters) for _, _, done, letters in await line.audit()] == [
        ("discarded", ids[:1]),
        ("replayed", ids[1:]),
    ]


async def test_with_parked_all_behind_it_are_discarded_and_the_key_goes_on(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2, 3)
    (settled,) = await line.settle("discard", ids[0], with_parked=True)
    await line.poll(closed(key, 4))
    assert settled.discarded == ids
    assert await line.of(key) == [4]


async def test_nothing_is_discarded_where_what_is_behind_fails(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2)
    line.toy.poison = {(str(key), 2)}
    (settled,) = await line.settle("discard", ids[0])
    assert settled.failed == ids[1]
    assert await line.ids() == ids
    await line.settle("discard", *ids)
    assert await line.letters() == []
    assert await line.effects() == []


def test_what_is_parked_waits_while_a_dead_letter_holds_the_key() -> None:
    rows = [(1, "unexpected"), (2, "parked"), (3, "unexpected"), (4, "parked"), (5, "unreadable")]
    discard, replay = Order("discard", WARRANT), Order("replay", WARRANT)
    assert plan(rows, {1}, discard) == ([1], [])
    assert plan(rows, {3}, discard) == ([3], [])
    assert plan(rows, {1, 3}, discard) == ([1, 3], [2, 4])
    assert plan(rows, {3}, Order("discard", WARRANT, with_parked=True)) == ([3, 4], [])
    assert plan(rows, {5}, discard) == ([5], [])
    assert plan(rows, {4}, replay) == ([], [1, 2, 3, 4])
    assert plan(rows, {5}, replay) == ([], [1, 2, 3, 4, 5])
    assert plan([(1, "unreadable"), (2, "unexpected")], {1}, replay) == ([], [1])
    assert plan(rows, {9}, replay) == ([], [])
    assert plan(rows, {9}, discard) == ([], [])


async def test_a_rehearsal_tells_what_would_come_of_it_and_changes_nothing(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2)
    before = await line.letters()
    (well,) = await line.settle("replay", *ids, rehearse=True)
    line.toy.poison = {(str(key), 2)}
    (badly,) = await line.settle("replay", *ids, rehearse=True)
    assert (well.replayed, well.said, badly.failed) == (ids, {"GapClosed": 2}, ids[1])
    assert (await line.letters(), await line.effects(), await line.said(), await line.audit()) == (before, [], 0, [])


@pytest.mark.invariant(1)
async def test_replayed_twice_or_by_two_at_once_it_has_one_effect(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2)
    line.toy.waits_at = 1
    first = asyncio.create_task(line.settle("replay", *ids))
    await asyncio.wait_for(line.toy.waits.wait(), 20)
    second = asyncio.create_task(line.settle("replay", *ids))
    await eventually(line.waiting_for_a_lock, lambda waiting: waiting == 1)
    line.toy.may_go.set()
    assert [len(await first), await second, await line.settle("replay", *ids)] == [1, [], []]
    assert await line.of(key) == [1, 2]


@pytest.mark.invariant(1)
async def test_a_record_that_comes_while_its_key_is_replayed_waits_for_it_and_takes_effect_after(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1, 2)
    line.toy.waits_at = 1
    replay = asyncio.create_task(line.settle("replay", *ids))
    await asyncio.wait_for(line.toy.waits.wait(), 20)
    poll = asyncio.create_task(line.poll(closed(key, 3)))
    await eventually(line.waiting_for_a_lock, lambda waiting: waiting == 1)
    line.toy.may_go.set()
    await asyncio.gather(replay, poll)
    assert await line.of(key) == [1, 2, 3]
    assert await line.letters() == []


@pytest.mark.invariant(1)
async def test_a_record_that_is_being_parked_when_a_replay_begins_is_replayed_with_it(line: Line) -> None:
    key, other = uuid4(), uuid4()
    ids = await dead(line, key, 1)
    line.toy.waits_at = 7
    poll = asyncio.create_task(line.poll(closed(key, 2), closed(other, 7)))
    await asyncio.wait_for(line.toy.waits.wait(), 20)
    replay = asyncio.create_task(line.settle("replay", *ids))
    await eventually(line.waiting_for_a_lock, lambda waiting: waiting == 1)
    line.toy.may_go.set()
    await asyncio.gather(replay, poll)
    assert await line.of(key) == [1, 2]
    assert await line.letters() == []


@pytest.mark.invariant(1)
async def test_what_a_release_could_not_read_the_next_one_replays_once(line: Line) -> None:
    key, event_id = uuid4(), str(uuid4())
    good = closed(key, 1).model_dump_json().encode()
    kind = ReferralClosed.spec.type
    await line.records(TOPIC, (str(key).encode(), b"{not json", kind, str(uuid4())))
    await line.records(TOPIC, *[(str(key).encode(), b"\xff" + good, kind, event_id)] * 2)
    bad, *twins = await line.ids()
    sealed = line.worker.sealer.seal(good)
    await line.database.execute("update dead_letter set body = $1 where id = any($2)", sealed, twins)
    results = await line.settle("replay", bad, *twins)
    assert [(r.failed, r.replayed) for r in results] == [(bad, ()), (None, twins[:1]), (None, twins[1:])]
    assert results[0].rule == "json-invalid"
    assert await line.of(key) == [1]
    assert await line.ids() == [bad]


async def test_one_that_could_not_be_read_does_not_overtake_its_key(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1)
    await line.records(TOPIC, (str(key).encode(), b"{", ReferralClosed.spec.type, str(uuid4())))
    (unreadable,) = await line.ids(Which(kind="unreadable"))
    sealed = line.worker.sealer.seal(closed(key, 2).model_dump_json().encode())
    await line.database.execute("update dead_letter set body = $1 where id = $2", sealed, unreadable)
    (settled,) = await line.settle("replay", unreadable)
    assert settled.replayed == [*ids, unreadable]
    assert await line.of(key) == [1, 2]


async def test_a_partner_is_answered_when_its_message_is_replayed_and_its_id_is_then_used_up(line: Line) -> None:
    request = ReferralWithdrawalRequested(referral_id=uuid4(), reason="other")
    record = (b"Jane", request.model_dump_json().encode(), request.spec.type, "withdrawal-1")
    line.toy.poison = {(request.key(), 1)}
    await line.records(INBOX, record)
    line.toy.poison = set()
    ids = await line.ids()
    (settled,) = await line.settle("replay", *ids)
    assert settled.said == {"ReferralAcknowledged": 1}
    await line.records(INBOX, record)
    answers = await line.database.fetch("select convert_from(value, 'UTF8') as value from outbox")
    assert len(answers) == 2
    assert len({row["value"] for row in answers}) == 1
    assert await line.effects() == [(request.key(), 1)]


async def test_a_partner_whose_message_turns_out_to_be_wrong_is_told_so(line: Line) -> None:
    request = ReferralWithdrawalRequested(referral_id=uuid4(), reason="other")
    line.toy.poison = {(request.key(), 1)}
    await line.records(INBOX, (b"k", request.model_dump_json().encode(), request.spec.type, "w"))
    sealed = line.worker.sealer.seal(b'{"reason": "other"}')
    await line.database.execute("update dead_letter set body = $1", sealed)
    (settled,) = await line.settle("replay", *await line.ids())
    assert (settled.failed, settled.said) == (None, {"MessageRefused": 1})
    assert await line.effects() == []


async def test_due_work_that_failed_is_replayed_too(line: Line) -> None:
    line.toy.poison = {("k", 5)}
    await line.database.execute(
        "insert into due (type, key, value, correlation, due_at) values ('Reminder', 'k', '{}', 'c', $1)", NOON
    )
    event = Event("1", "/furthest/toy/due", "Reminder", NOON, "k", "k", Reminder(number=5), "c")
    await line.worker.run(Batch("due", [event], rows_of="due"))
    line.toy.poison = set()
    assert [letter["kind"] for letter in await line.letters()] == ["unexpected"]
    await line.settle("replay", *await line.ids())
    assert await line.effects() == [("k", 5)]


async def test_a_letter_of_which_too_little_was_kept_is_left_as_it_is(line: Line) -> None:
    ids = await dead(line, uuid4(), 1)
    await line.database.execute("update dead_letter set envelope = null")
    (settled,) = await line.settle("replay", *ids)
    assert (settled.failed, settled.rule) == (ids[0], "kept-without-envelope")


async def test_a_filter_picks_by_topic_kind_rule_key_and_time(line: Line) -> None:
    key, other = uuid4(), uuid4()
    old = await dead(line, key, 1, 2)
    line.clock.forward(timedelta(hours=1))
    new = await dead(line, other, 1)
    assert await line.ids(Which(topic="matching")) == []
    assert await line.ids(Which(topic=TOPIC, kind="parked")) == old[1:]
    assert await line.ids(Which(rule="ValueError")) == [old[0], *new]
    assert await line.ids(Which(key=str(other))) == new
    assert await line.ids(Which(since=NOON + timedelta(hours=1))) == new
    assert await line.ids(Which(until=NOON + timedelta(hours=1))) == old


async def test_what_was_written_down_cannot_be_changed(line: Line) -> None:
    await line.settle("discard", *await dead(line, uuid4(), 1))
    for sql in ("update dead_letter_audit set who = 'bob'", "delete from dead_letter_audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await line.database.execute(sql)


async def test_one_that_nobody_settled_in_time_is_written_down_and_its_key_waits_for_those_behind(line: Line) -> None:
    key = uuid4()
    ids = await dead(line, key, 1)
    line.clock.forward(timedelta(days=20))
    await line.poll(closed(key, 2))
    line.clock.forward(timedelta(days=11))
    assert await Tidy(line.database, line.clock).once() == 2
    await line.poll(closed(key, 3))
    assert [(done, letters) for _, _, done, letters in await line.audit()] == [("expired", ids)]
    assert await line.effects() == []
    await line.settle("replay", *await line.ids())
    assert await line.of(key) == [2, 3]


async def test_a_partners_own_key_is_in_no_row(line: Line) -> None:
    record = (b"Jane Marker", b"{}", "", "")
    letter = dead_letters.unreadable(line.worker.sealer, _record(INBOX, *record[:2]), None, "rule", "field")
    assert "Jane" not in str(letter)


def _record(topic: str, key: bytes, value: bytes) -> dead_letters.KeptRecord:
    return dead_letters.KeptRecord(topic, 0, 0, 0, key, value, ())


@dataclass(slots=True)
class History:
    """Polls with poison and twins in them, and what operations do, by the dice."""

    line: Line
    dice: Random
    keys: Sequence[UUID]
    sent: list[tuple[ReferralClosed, str]] = field(default_factory=list)

    async def poll(self) -> None:
        fresh = [self._fact() for _ in range(self.dice.randint(1, 6))]
        if self.dice.random() < 0.3:
            fresh.append(self.dice.choice(self.sent))
        await self.line.poll(*(fact for fact, _ in fresh), ids=[event_id for _, event_id in fresh])

    def _fact(self) -> tuple[ReferralClosed, str]:
        key, number = self.dice.choice(self.keys), len(self.sent) + 1
        if self.dice.random() < 0.3:
            self.line.toy.poison.add((str(key), number))
        self.sent.append((closed(key, number), str(uuid4())))
        return self.sent[-1]

    async def settle(self) -> None:
        ids = await self.line.ids()
        picked = self.dice.sample(ids, min(len(ids), self.dice.randint(1, 3)))
        act: Act = self.dice.choice(["replay", "replay", "discard"])
        with_parked, rehearse = self.dice.random() < 0.3, self.dice.random() < 0.2
        await self.line.settle(act, *picked, with_parked=with_parked, rehearse=rehearse)

    def mend(self) -> None:
        self.line.toy.poison -= {at for at in sorted(self.line.toy.poison) if self.dice.random() < 0.2}

    async def discarded(self) -> set[tuple[str, int]]:
        """What had no effect by somebody's decision, as the rows tell."""
        rows = await self.line.database.fetch("select key, body from dead_letter where settled = 'discarded'")
        opened = [(row["key"], self.line.worker.sealer.open(row["body"])) for row in rows]
        return {(key, number_of(ReferralClosed.model_validate_json(body))) for key, body in opened}


@pytest.mark.invariant(1)
@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_settled_when_each_key_has_its_effects_once_and_in_order(line: Line, seed: int) -> None:
    history = History(line, Random(seed), [uuid4() for _ in range(3)])  # noqa: S311 - the same in every run
    for _ in range(25):
        history.mend()
        match history.dice.randint(0, 2):
            case 0:
                await history.poll()
            case 1:
                await history.settle()
            case _:
                await asyncio.gather(history.poll(), history.settle(), history.settle())
    line.toy.poison = set()
    await line.settle("replay", *await line.ids())
    discarded = await history.discarded()
    expected = [(fact.key(), number_of(fact)) for fact, _ in history.sent]
    for key in history.keys:
        assert [(str(key), n) for n in await line.of(key)] == [
            e for e in expected if e[0] == str(key) and e not in discarded
        ]
    assert await line.letters() == []
    assert await line.said() == len(expected) - len(discarded)
