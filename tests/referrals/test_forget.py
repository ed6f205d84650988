"""A person who is erased is gone at once; what is left of their referrals says nothing of them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.service import Service
from contracts import grants, matching, notifications, reporting
from contracts import referrals as own
from contracts.door import ReferralAcknowledged, ReferralProgressed, ReferralWithdrawalRequested
from contracts.erasure import Confirmation
from contracts.matching import OfferMade
from contracts.referrals import ErasureConfirmed, NeedStatusChanged, PersonErased, ReferralClosed, ReferralReceived
from contracts.refusal import MessageRefused
from services.referrals.domain.areas import Area
from services.referrals.handlers.partners import LoadAreas
from services.referrals.handlers.persons import EraseAgain, ErasePerson, ReadPerson, erasures
from tests.referrals.builders import WARD, a_referral, referrals
from tests.support import Stage, said

TABLES = ("referral", "need", "person", "door", "due", "errand", "outbox", "said", "dead_letter")


@pytest_asyncio.fixture
async def on_stage(stage: Callable[[Service], Awaitable[Stage]]) -> Stage:
    put = await stage(referrals)
    await put.result(LoadAreas(version="test", areas=[Area(WARD, "Gipton & Harehills", 1)]))
    return put


async def refer(stage: Stage, submission_id: str = "a1", **changes: Any) -> ReferralReceived:
    told = await stage.receive("gp-armley", a_referral(**changes), submission_id=submission_id)
    return said(told, ReferralReceived)[0]


async def kept(stage: Stage, *tables: str) -> str:
    """All rows of these tables as one text."""
    rows = [row for table in tables for row in await stage.rows(f"select t::text as t from {table} t")]  # noqa: S608 - ours
    return "\n".join(str(row["t"]) for row in rows)


def erase(ref: UUID) -> ErasePerson:
    return ErasePerson(person_ref=ref, by="ann", reason="asked for it")


def offered(received: ReferralReceived) -> OfferMade:
    need = received.needs[0]
    changes = {"referral_id": received.referral_id, "need_id": need.need_id, "kind": need.kind}
    return OfferMade.model_validate({**OfferMade.example, **changes})


async def test_person_and_key_go_and_of_the_referral_stay_ids_partner_times_and_states(on_stage: Stage) -> None:
    received = await refer(on_stage, reference="GP-99271", languages=["ur"])
    other = await refer(on_stage, "a2", reference="GP-55512")
    before = await on_stage.rows("select * from referral where id = $1", other.referral_id)
    await on_stage.result(erase(received.person_ref))
    assert [row["person_ref"] for row in await on_stage.rows("select person_ref from person")] == [other.person_ref]
    left = await kept(on_stage, *TABLES)
    assert "GP-99271" not in left
    assert "GP-55512" in left
    assert await on_stage.rows("select * from referral where id = $1", other.referral_id) == before
    (row,) = await on_stage.rows("select * from referral where id = $1", received.referral_id)
    assert (row["partner"], row["received_at"], row["closed_at"]) == ("gp-armley", on_stage.clock(), on_stage.clock())
    assert (row["ward"], row["area"], row["agreement_by"], row["score"]) == (None, "erased", "erased", 0)


async def test_open_needs_are_cancelled_and_the_referrer_and_everybody_are_told(on_stage: Stage) -> None:
    received = await refer(on_stage)
    told = await on_stage.result(erase(received.person_ref))
    assert {(n.status, n.reason) for n in said(told, NeedStatusChanged)} == {("cancelled", "erased")}
    assert {(n.reference, n.status, n.reason) for n in said(told, ReferralProgressed)} == {
        ("GP-1042", "cancelled", "erased")
    }
    assert said(told, ReferralClosed)
    assert said(told, PersonErased) == [PersonErased(referral_id=received.referral_id)]


async def test_what_is_heard_of_an_erased_referral_later_has_no_effect(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.result(erase(received.person_ref))
    before = await kept(on_stage, *TABLES, "need_history")
    assert await on_stage.hear(offered(received)) == []
    assert await kept(on_stage, *TABLES, "need_history") == before


async def test_the_same_submission_does_not_bring_the_person_back(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.result(erase(received.person_ref))
    again = await on_stage.receive("gp-armley", a_referral(), submission_id="a1")
    assert said(again, MessageRefused)[0].errors[0].rule == "erased"
    anew = await refer(on_stage, "a2")
    assert anew.referral_id != received.referral_id


async def test_a_database_that_is_older_than_the_submission_does_not_take_it_up_again(on_stage: Stage) -> None:
    received = await refer(on_stage)
    for table in ("need", "referral", "person", "door"):
        await on_stage.rows(f"delete from {table}")  # noqa: S608 - a name of ours
    await on_stage.hear(PersonErased(referral_id=received.referral_id))
    again = await on_stage.receive("gp-armley", a_referral(), submission_id="a1")
    assert said(again, MessageRefused)[0].errors[0].rule == "erased"
    assert await on_stage.rows("select * from person") == []


async def test_a_database_that_is_older_than_the_erasure_forgets_by_the_fact_and_says_nothing_else(
    on_stage: Stage,
) -> None:
    received, other = await refer(on_stage), await refer(on_stage, "a2")
    told = await on_stage.hear(PersonErased(referral_id=received.referral_id))
    rows = await on_stage.rows("select headers from outbox where convert_from(value, 'UTF8') like '%erased%'")
    assert rows == []
    assert said(told, ErasureConfirmed)[0].referral_id == received.referral_id
    assert [row["person_ref"] for row in await on_stage.rows("select person_ref from person")] == [other.person_ref]
    states = await on_stage.rows("select distinct status from need where referral_id = $1", received.referral_id)
    assert states == [{"status": "cancelled"}]


async def test_every_service_confirms_for_itself_and_the_last_time_counts(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.result(erase(received.person_ref))
    at = on_stage.clock()

    def confirmed(model: type[Confirmation], minutes: int = 0) -> Confirmation:
        return model(referral_id=received.referral_id, at=at + timedelta(minutes=minutes))

    every = (own, matching, notifications, grants)
    await on_stage.hear(*(confirmed(module.ErasureConfirmed) for module in every))
    await on_stage.hear(confirmed(matching.ErasureConfirmed, 2))
    await on_stage.hear(confirmed(matching.ErasureConfirmed, 1))
    async with on_stage.database.acquire() as conn:
        (erasure,) = await erasures(conn, [received.referral_id])
    assert erasure.owed == ["reporting"]
    assert erasure.confirmed["matching"] == at + timedelta(minutes=2)
    await on_stage.hear(confirmed(reporting.ErasureConfirmed))
    async with on_stage.database.acquire() as conn:
        (erasure,) = await erasures(conn, [received.referral_id])
    assert erasure.owed == []


async def test_erased_again_all_are_to_confirm_anew_also_what_is_not_known_here(on_stage: Stage) -> None:
    received, unknown = await refer(on_stage), uuid4()
    await on_stage.hear(grants.ErasureConfirmed(referral_id=received.referral_id, at=on_stage.clock()))
    told = await on_stage.result(EraseAgain(referral_ids=[received.referral_id, unknown]))
    assert {fact.referral_id for fact in said(told, PersonErased)} == {received.referral_id, unknown}
    assert await on_stage.rows("select * from person") == []
    async with on_stage.database.acquire() as conn:
        found = await erasures(conn, [received.referral_id, unknown])
    assert [each.confirmed for each in found] == [{}, {}]


async def test_who_asked_and_why_is_kept_and_the_service_cannot_change_it(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.result(ReadPerson(person_ref=received.person_ref, by="bob", reason="a question of theirs"))
    await on_stage.result(erase(received.person_ref))
    rows = await on_stage.rows("select person_ref, done, who, why from person_audit order by id")
    assert [tuple(row.values()) for row in rows] == [
        (received.person_ref, "exported", "bob", "a question of theirs"),
        (received.person_ref, "erased", "ann", "asked for it"),
    ]
    for sql in ("update person_audit set why = 'x'", "delete from person_audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await on_stage.rows(sql)


async def test_a_withdrawal_of_what_is_erased_is_answered(on_stage: Stage) -> None:
    received = await refer(on_stage)
    await on_stage.result(erase(received.person_ref))
    asked = ReferralWithdrawalRequested(referral_id=received.referral_id, reason="other")
    told = await on_stage.receive("gp-armley", asked)
    assert said(told, MessageRefused)[0].errors[0].rule == "illegal-move"
    assert not said(told, ReferralAcknowledged)
