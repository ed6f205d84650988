"""Random histories on a real database: nobody is passed over, no place stands idle, nothing is promised twice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.due import DueWork
from contracts.champion import Champion
from contracts.door import PlaceUpdated
from contracts.message import Message
from contracts.offers import OfferAnswered, SupportReported
from contracts.referrals import NeedAnswered, ReferralReceived
from contracts.stock import LoanReported
from services.matching.events_out import Due
from tests.matching import checks
from tests.matching.builders import (
    ARMLEY,
    HAREHILLS,
    Matching,
    amended,
    champion,
    direct_help,
    id_of,
    place,
    provider,
    referral,
    withdrawal,
)
from tests.matching.log import must_replay
from tests.support import NOON, Stage, usual

Draw = Callable[[st.SearchStrategy[Any]], Any]
PARTNERS = ["library", "food-bank"]
KINDS = st.sampled_from(["device", "device", "champion"])
WARDS = st.sampled_from([[], [], [ARMLEY], [HAREHILLS]])
LANGUAGES = st.sampled_from([[], [], ["en"], ["ur"]])
FORMATS = st.sampled_from([[], [], [], ["video"], ["in-person"]])
SCREEN = st.sampled_from([[], [], ["large-screen"]])
OPEN_TO = st.sampled_from([[], [], [], ["gp-armley"]])
DAYS = st.sampled_from([None, None, None, None, -1, 0, 1, 3])
LOANS = st.sampled_from([None, None, 1, 3])
WEEK = st.sampled_from([[], [], [], ["mon"], ["mon", "sat"]])
SERIALS = ["s1", "s2", "s3", "s4"]
SCHEME = st.sampled_from([None, None, None, "scheme:databank"])


@dataclass(slots=True)
class History:
    """What happens to the service in a test."""

    matching: Matching
    draw: Draw
    sent: int = 0
    referrals: list[ReferralReceived] = field(default_factory=list)
    described: dict[tuple[str, str], PlaceUpdated] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    units: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        return self.matching.stage

    @property
    def today(self) -> date:
        return self.stage.clock().date()

    def day(self) -> date | None:
        ahead = self.draw(DAYS)
        return None if ahead is None else self.today + timedelta(days=ahead)

    def referral(self) -> ReferralReceived:
        self.sent += 1
        told = referral(
            self.sent,
            kind=self.draw(KINDS),
            score=10 * self.draw(st.integers(0, 2)),
            ward=self.draw(st.sampled_from([ARMLEY, HAREHILLS, None])),
            partner=self.draw(st.sampled_from(["gp-armley", "food-bank"])),
            received_at=self.stage.clock() - timedelta(days=self.draw(st.integers(0, 20))),
            not_before=self.day(),
            schemes=self.draw(st.sampled_from([(), ("scheme:databank",)])),
            lane=self.draw(st.sampled_from(["routine", "routine", "routine", "urgent"])),
            requirements=self.draw(SCREEN),
            languages=tuple(self.draw(LANGUAGES)),
            formats=self.draw(FORMATS),
            days=self.draw(WEEK),
        )
        self.referrals.append(told)
        return told

    def place(self, partner: str) -> PlaceUpdated:
        """A place described for the first time, or again with some of it changed."""
        name = self.draw(st.sampled_from(["device-1", "device-2", "champion-1"]))
        opens, closes = sorted([self.day(), self.day()], key=lambda day: day or date.min)
        new = place(
            name,
            kind=name.split("-")[0],
            capacity=self.draw(st.sampled_from([0, 1, 2, 3, 6])),
            wards=self.draw(WARDS),
            languages=self.draw(LANGUAGES),
            formats=self.draw(FORMATS),
            requirements=self.draw(SCREEN),
            open_to=self.draw(OPEN_TO),
            scheme=self.draw(SCHEME),
            opens_on=opens,
            closes_on=closes,
            days=self.draw(WEEK),
            **(self._of_stock(name) if name.startswith("device") else {}),
        )
        old = self.described.get((partner, name))
        if old and self.draw(st.booleans()):
            changed = self.draw(
                st.sampled_from(["capacity", "wards", "languages", "requirements", "open_to", "scheme"])
            )
            new = old.model_copy(update={changed: getattr(new, changed)})
        self.described[partner, name] = new
        return new

    def _of_stock(self, name: str) -> dict[str, Any]:
        """One of the places for devices names its units."""
        named = st.lists(st.sampled_from(SERIALS), max_size=4, unique=True) if name == "device-1" else st.none()
        return {"loan_days": self.draw(LOANS), "serials": self.draw(named)}

    def serial(self) -> Any:
        return self.draw(st.sampled_from([None, *SERIALS]))

    async def some_offers(self, *states: str) -> Sequence[dict[str, Any]]:
        rows = await self.stage.rows(
            "select * from offer where state = any($1::text[]) order by kind, decision", list(states)
        )
        return self.draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []

    async def refer(self) -> None:
        await self.stage.hear(*(self.referral() for _ in range(self.draw(st.integers(1, 7)))))

    async def supply(self) -> None:
        partner = self.draw(st.sampled_from(PARTNERS))
        await self.stage.receive(partner, *(self.place(partner) for _ in range(self.draw(st.integers(1, 2)))))

    async def answer(self) -> None:
        offers = await self.some_offers("open", "open", "expired", "accepted")
        how = [self.draw(st.sampled_from(["accept", "accept", "decline"])) for _ in offers]
        await self._from_partners(
            [
                (offer["partner"], OfferAnswered(offer_id=offer["offer_id"], answer=answer, reason="other"))
                for offer, answer in zip(offers, how, strict=True)
            ]
        )

    async def help(self) -> None:
        offers = await self.some_offers("accepted", "in-progress", "open")
        reports = st.sampled_from([("started", None), ("ended", "helped"), ("handed-back", None)])
        told = [self.draw(reports) for _ in offers]
        await self._from_partners(
            [
                (
                    offer["partner"],
                    SupportReported(
                        need_id=offer["need_id"], state=state, outcome=outcome, serial=outcome and self.serial()
                    ),
                )
                for offer, (state, outcome) in zip(offers, told, strict=True)
            ]
        )

    async def _from_partners(self, messages: Sequence[tuple[str, Message]]) -> None:
        for partner in PARTNERS:
            theirs = [message for sender, message in messages if sender == partner]
            if theirs:
                await self.stage.receive(partner, *theirs)
                await self.check()

    async def give(self) -> None:
        """Help given directly, sometimes more than there is, sometimes of a place that is not there."""
        partner, name = self.draw(st.sampled_from(PARTNERS)), self.draw(st.sampled_from(["device-1", "device-2"]))
        one = st.lists(st.sampled_from(SERIALS), max_size=3, unique=True) if name == "device-1" else st.just([])
        serials: list[list[str]] = self.draw(st.lists(one, min_size=1, max_size=2))
        told = [direct_help(name, len(named) or self.draw(st.integers(1, 3)), serials=named) for named in serials]
        await self.stage.receive(partner, *told)

    async def lend(self) -> None:
        offers = await self.some_offers("lent", "lent", "unwiped", "ended")
        how = [self.draw(st.sampled_from(["renewed", "returned", "lost"])) for _ in offers]
        await self._from_partners(
            [
                (
                    offer["partner"],
                    LoanReported(
                        need_id=offer["need_id"],
                        state=state,
                        wiped=state == "returned" and self.draw(st.booleans()),
                        faulty=state == "returned" and self.draw(st.booleans()),
                    ),
                )
                for offer, state in zip(offers, how, strict=True)
            ]
        )

    async def confirm(self) -> None:
        for offer in await self.some_offers("awaiting", "open"):
            await self.matching.confirm(
                offer["offer_id"], self.draw(st.sampled_from(["confirm", "confirm", "keep-back"]))
            )
            await self.check()

    async def champions(self) -> None:
        """All champions of an organisation, some of them new, changed, away, or gone."""
        partner = self.draw(st.sampled_from(PARTNERS))
        some = [self.champion(ref) for ref in self.draw(st.sets(st.sampled_from(["ann", "bob", "cas"])))]
        told = provider(champions=some, host=self.draw(st.booleans()))
        await self.stage.receive(partner, told)

    def champion(self, ref: str) -> Champion:
        return champion(
            ref,
            training=self.draw(st.sampled_from(["starter", "trained", "advanced"])),
            caseload=self.draw(st.integers(0, 3)),
            wards=self.draw(WARDS),
            languages=self.draw(LANGUAGES),
            away=self.day(),
        )

    async def withdraw(self) -> None:
        await self.stage.hear(withdrawal(self.draw(st.integers(1, self.sent + 2))))

    async def amend(self) -> None:
        """Of some referral, a pause begins or ends, the person moves, a provider is barred, or it becomes urgent."""
        told = self.draw(st.sampled_from(self.referrals)) if self.referrals else self.referral()
        barred = self.draw(st.sampled_from([[], [], [], [PARTNERS[0]]]))
        await self.stage.hear(
            amended(
                told,
                paused=self.draw(st.sampled_from([False, False, True])),
                barred=barred,
                ward=self.draw(st.sampled_from([ARMLEY, HAREHILLS, None])),
                lane=self.draw(st.sampled_from(["routine", "routine", "urgent"])),
                requirements=self.draw(SCREEN),
            )
        )

    async def refuse(self) -> None:
        for offer in await self.some_offers("open", "accepted", "in-progress"):
            ids = {"referral_id": offer["referral_id"], "need_id": offer["need_id"]}
            await self.stage.hear(NeedAnswered(**ids, answer="no", at=self.stage.clock()))
            await self.check()

    async def wait(self) -> None:
        self.stage.clock.forward(timedelta(days=self.draw(st.sampled_from([1, 2, 7]))))
        await DueWork(self.stage.worker, {"Due": (Due, None)}, self.stage.clock).once()

    async def check(self) -> None:
        await checks.all_holds(self.stage, self.today, self.decided)
        self.units = await checks.nobody_has_what_is_with_another(self.stage, self.units)
        self.decided = await checks.last_decisions(self.stage)


STEPS: dict[str, Callable[[History], Awaitable[None]]] = {
    "refer": History.refer,
    "supply": History.supply,
    "answer": History.answer,
    "help": History.help,
    "give": History.give,
    "lend": History.lend,
    "confirm": History.confirm,
    "champions": History.champions,
    "withdraw": History.withdraw,
    "amend": History.amend,
    "refuse": History.refuse,
    "wait": History.wait,
}
COMMON = ["refer", "refer", "supply", "supply", "answer", "answer", "help", "confirm", *STEPS]


TABLES = ("declined", "unit", "offer", "direct_help", "need", "withdrawal", "place", "due", "outbox", "door")
EMPTY = ";".join(
    [*(f"delete from {table}" for table in TABLES), "update kind_lock set decision = 0"]  # noqa: S608 - names of our own
)


async def empty(matching: Matching) -> None:
    """One database serves all histories: what they share is that both partners have a provider."""
    await matching.stage.database.execute(EMPTY)
    matching.stage.clock.at = NOON


@pytest_asyncio.fixture
async def histories(confirming: Matching) -> Matching:
    await confirming.stage.receive("food-bank", provider())
    return confirming


@pytest.mark.invariant(2)
@pytest.mark.invariant(3)
@pytest.mark.invariant(8)
@settings(
    max_examples=usual(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=st.lists(st.sampled_from(COMMON), min_size=10, max_size=30), data=st.data())
async def test_in_every_history_places_go_to_the_first_and_are_never_promised_twice(
    histories: Matching, steps: list[str], data: st.DataObject
) -> None:
    await empty(histories)
    history = History(histories, data.draw)
    for step in steps:
        await STEPS[step](history)
        await history.check()
    await checks.what_was_said_is_what_is(history.stage)
    await must_replay(history.stage)


@pytest.mark.invariant(2)
@pytest.mark.invariant(3)
@pytest.mark.invariant(8)
async def test_several_replicas_at_once_keep_the_order_and_every_promise(matching: Matching) -> None:
    """Four replicas refer, supply, answer and withdraw at the same time; each kind is decided by one at a time."""
    await matching.stage.receive("food-bank", provider())

    async def replica(number: int) -> None:
        dice = Random(number)  # noqa: S311 - the same in every run
        for turn in range(15):
            await matching.stage.hear(*(_some_referral(1000 * number + 10 * turn + n, dice) for n in range(3)))
            partner = PARTNERS[number % 2]
            await matching.stage.receive(partner, _some_place(f"p{number}", dice), _some_place("shared", dice))
            rows = await matching.stage.rows("select * from offer where state = 'open' and partner = $1", partner)
            for offer in rows[:3]:
                how: Any = dice.choice(["accept", "accept", "decline"])
                told = OfferAnswered(offer_id=offer["offer_id"], answer=how, reason="other")
                await matching.stage.receive(partner, told)
            await matching.stage.receive(partner, direct_help("shared", dice.randint(1, 2)))
            here = [champion(ref, caseload=dice.randint(1, 4)) for ref in dice.sample(["ann", "bob", "cas"], 2)]
            await matching.stage.receive(partner, provider(champions=here, host=True))
            await matching.stage.hear(withdrawal(1000 * number + 10 * turn))

    await asyncio.gather(*(replica(number) for number in (1, 2, 3, 4)))
    await checks.nothing_is_promised_twice(matching.stage)
    await checks.no_place_is_idle(matching.stage, NOON.date())
    await checks.gaps_are_those_whom_nothing_can_meet(matching.stage, NOON.date())
    await must_replay(matching.stage)
    assert len(await matching.stage.rows("select from offer")) > 50


def _some_referral(number: int, dice: Random) -> ReferralReceived:
    kind: Any = dice.choice(["device", "champion"])
    return referral(number, kind=kind, score=dice.choice([0, 15, 30]), ward=dice.choice([ARMLEY, HAREHILLS]))


def _some_place(name: str, dice: Random) -> PlaceUpdated:
    kind = "device" if name == "shared" else dice.choice(["device", "champion"])
    return place(name, kind=kind, capacity=dice.randint(5, 20), wards=dice.choice([[], [ARMLEY]]))


async def test_the_checks_can_find_what_they_look_for(matching: Matching) -> None:
    """An idle place, a wrong gap, and somebody passed over, each made by hand."""
    await matching.open(place(capacity=2))
    await matching.hear(referral(1), referral(2, score=10))
    await matching.stage.database.execute("update need set state = 'waiting' where need_id = $1", id_of(2))
    await matching.stage.database.execute("update offer set state = 'withdrawn' where need_id = $1", id_of(2))
    for check in (
        checks.nothing_is_promised_twice(matching.stage),
        checks.nobody_is_passed_over(matching.stage, NOON.date(), {}),
        checks.what_was_said_is_what_is(matching.stage),
    ):
        with pytest.raises(AssertionError):
            await check
    await matching.stage.database.execute("update place set held = 1")
    await matching.stage.database.execute("update need set is_gap = true where state = 'waiting'")
    with pytest.raises(AssertionError):
        await checks.no_place_is_idle(matching.stage, NOON.date())
    with pytest.raises(AssertionError):
        await checks.gaps_are_those_whom_nothing_can_meet(matching.stage, NOON.date())
