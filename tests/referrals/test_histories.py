"""Whatever happens to referrals, none is without an owner and a dated next action, and every such day is looked at."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from chassis.due import DueWork
from contracts.changes import PersonAnswered, ReferralAmendmentRequested
from contracts.door import ReferralWithdrawalRequested
from contracts.matching import (
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferHeld,
    OfferMade,
    OfferWithdrawn,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.referrals import ReferralReceived
from services.referrals.handlers.staff import (
    AnswerForPerson,
    BarProvider,
    ClearHomeVisit,
    MarkError,
    PauseNeed,
    RejectNeed,
    ResumeNeed,
    SetLane,
)
from tests.referrals.acting import BY_STAFF
from tests.referrals.builders import a_person, a_referral
from tests.support import NOON, Stage, said, usual

Draw = Callable[[st.SearchStrategy[Any]], Any]
OPEN = "status not in ('completed', 'failed', 'rejected', 'cancelled', 'entered-in-error')"


@dataclass(slots=True)
class History:
    stage: Stage
    draw: Draw
    referred: list[ReferralReceived] = field(default_factory=list)

    def later(self) -> Any:
        return self.stage.clock().date() + timedelta(days=self.draw(st.integers(1, 40)))

    def one(self) -> dict[str, Any]:
        received = self.draw(st.sampled_from(self.referred))
        need = self.draw(st.sampled_from(received.needs))
        return {"referral_id": received.referral_id, "need_id": need.need_id, "kind": need.kind}

    async def refer(self) -> None:
        today, draw = self.stage.clock().date(), self.draw
        needs = draw(st.lists(st.sampled_from(["device", "connectivity", "champion"]), min_size=1, unique=True))
        visit = {"requirements": ["home-visit"]} if draw(st.booleans()) else {}
        until = draw(st.sampled_from([None, str(self.later())]))
        told = a_referral(
            a_person(name=draw(st.sampled_from(["Ann Lee", "Bo Kay"]))),
            needs=[{"kind": kind, **(visit if kind == "champion" else {})} for kind in needs],
            not_before=draw(st.sampled_from([None, str(self.later())])),
            agreement={"by": "person", "given_on": str(today), "until": until},
        )
        self.referred += said(await self.stage.receive("gp-armley", told), ReferralReceived)

    async def matching(self) -> None:
        """Facts in any order, also such as could not follow each other: they crossed something."""
        told, at = self.one(), self.stage.clock()
        need = {"referral_id": told["referral_id"], "need_id": told["need_id"]}
        offer = {**need, "offer_id": uuid4(), "place_id": "p", "provider": "library"}
        made = {"kind": told["kind"], "rank_key": NOON, "expires_at": NOON, "decision": 1}
        support = {**need, "provider": "library", "at": at}
        facts: list[Message] = [
            NeedWaiting(**need, kind=told["kind"], rank_key=NOON),
            GapRecorded(**need, kind=told["kind"], area="E05011400", reasons=["language"]),
            OfferHeld(**offer, **made),
            OfferMade(**offer, **made),
            OfferMade(**offer, **made),
            OfferAccepted(**offer),
            OfferAccepted(**offer),
            OfferDeclined(**offer),
            OfferWithdrawn(**offer),
            SupportStarted(**support),
            SupportEnded(**support, outcome="helped"),
            SupportEnded(**support, handed_back=True),
        ]
        await self.stage.hear(*self.draw(st.lists(st.sampled_from(facts), min_size=1, max_size=4)))

    async def ask(self) -> None:
        told, draw = self.one(), self.draw
        need, referral = {"need_id": told["need_id"]}, {"referral_id": told["referral_id"]}
        answer = draw(st.sampled_from(["yes", "no", "not-now"]))
        requests: list[dict[str, Any]] = [
            {"model": PersonAnswered, **need, "answer": answer, "until": self.later() if answer == "not-now" else None},
            {"model": ReferralAmendmentRequested, **referral, "needs": [{"kind": "skills"}]},
            {"model": ReferralAmendmentRequested, **referral, "not_before": str(self.later())},
            {
                "model": ReferralAmendmentRequested,
                **referral,
                "agreement": {"by": "person", "given_on": "2026-11-20", "until": str(self.later())},
            },
            {"model": ReferralWithdrawalRequested, **referral, "reason": "died"},
            {"model": ReferralWithdrawalRequested, **referral, **need, "reason": "other"},
        ]
        request = draw(st.sampled_from(requests))
        await self.stage.receive("gp-armley", request.pop("model").model_validate(request))

    async def staff(self) -> None:
        told, draw = self.one(), self.draw
        need, referral = {"need_id": told["need_id"]}, {"referral_id": told["referral_id"]}
        acts: list[BaseModel] = [
            PauseNeed.model_validate({**BY_STAFF, **need, "until": draw(st.sampled_from([None, self.later()]))}),
            ResumeNeed.model_validate({**BY_STAFF, **need}),
            ClearHomeVisit.model_validate({**BY_STAFF, **need}),
            BarProvider.model_validate({**BY_STAFF, **need, "provider": "library"}),
            AnswerForPerson.model_validate({**BY_STAFF, **need, "answer": "no"}),
            SetLane.model_validate({**BY_STAFF, **referral, "lane": "urgent", "until": self.later()}),
            RejectNeed.model_validate({**BY_STAFF, **need, "reason": "not-eligible"}),
            MarkError.model_validate({**BY_STAFF, **referral, "reason": "wrong-person"}),
        ]
        await self.stage.result(draw(st.sampled_from(acts)))

    async def wait(self) -> None:
        self.stage.clock.forward(timedelta(days=self.draw(st.sampled_from([1, 3, 8, 30]))))
        due = DueWork(
            self.stage.worker, {model.__name__: (model, None) for model in self.stage.service.due}, self.stage.clock
        )
        while await due.once():
            pass

    async def check(self) -> None:
        today = self.stage.clock().date()
        needs = await self.stage.rows(f"select * from need where {OPEN}")  # noqa: S608 - a constant of ours
        assert all(need["next_by"] and need["next_on"] and need["next_what"] for need in needs)
        assert all(need["next_on"] >= today for need in needs), "nobody looked when a day went by"
        assert all(need["hold"] is None or need["status"] == "on-hold" for need in needs)
        awaited = [need["next_by"] for need in needs if need["reason"] == "awaits-confirmation"]
        assert set(awaited) <= {"programme"}, "staff confirm what was found"
        planned = {row["key"] for row in await self.stage.rows("select key from due where type = 'CheckDay'")}
        days = {str(need["next_on"] + timedelta(days=1)) for need in needs}
        assert days <= planned, "somebody looks on the day after"
        apart = await self.stage.rows(
            f"""select r.id from referral r where (r.closed_at is null)
                <> exists (select from need n where n.referral_id = r.id and {OPEN})"""  # noqa: S608 - a constant of ours
        )
        assert not apart, "a referral is closed when every need has ended"


STEPS: dict[str, Callable[[History], Awaitable[None]]] = {
    "refer": History.refer,
    "matching": History.matching,
    "ask": History.ask,
    "staff": History.staff,
    "wait": History.wait,
}


@pytest_asyncio.fixture
async def clean(on_stage: Stage) -> Callable[[], Awaitable[Stage]]:
    async def cleaned() -> Stage:
        for table in ("need", "referral", "person", "due", "day_check", "outbox", "door", "possible_duplicate"):
            await on_stage.database.execute(f"delete from {table}")  # noqa: S608 - names of our own
        on_stage.clock.at = NOON
        return on_stage

    return cleaned


@pytest.mark.invariant(4)
@settings(max_examples=usual(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(["matching", "matching", *STEPS]), min_size=5, max_size=25), data=st.data())
async def test_in_every_history_an_open_need_has_an_owner_and_a_day_that_is_looked_at(
    clean: Callable[[], Awaitable[Stage]], steps: Sequence[str], data: st.DataObject
) -> None:
    history = History(await clean(), data.draw)
    await history.refer()
    for step in steps:
        await STEPS[step](history)
        await history.check()
