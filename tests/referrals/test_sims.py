"""A data SIM is written down by who gave it, sealed with the key of the person, and shown to nobody else."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from chassis.sealing import Vault
from contracts.matching import OfferAccepted, SupportEnded
from contracts.referrals import ReferralReceived
from services.referrals.handlers.persons import ErasePerson
from services.referrals.handlers.sims import numbers_of
from tests.referrals.acting import TODAY, amend, ids, refer
from tests.referrals.builders import a_person, sealed, settings
from tests.support import NOON, Stage

NUMBER = "+447400123456"
SIM: dict[str, Any] = {
    "network": "O2",
    "number": "07400 123456",
    "iccid": "8944110000000000001",
    "activated_on": str(TODAY),
    "expires_on": str(TODAY + timedelta(days=180)),
}
SHOWN = {**SIM, "number": NUMBER, "provider": "library", "written_at": "2026-11-20T12:00:00Z"}
SIM_NEED = [{"kind": "connectivity"}, {"kind": "device"}]


async def helped(stage: Stage, needs: list[dict[str, Any]] = SIM_NEED) -> ReferralReceived:
    """Somebody whose first need the library helps with."""
    received = await refer(stage, needs=needs)
    offer = {"referral_id": received.referral_id, "need_id": received.needs[0].need_id}
    await stage.hear(OfferAccepted.model_validate({**OfferAccepted.example, **offer, "provider": "library"}))
    return received


def path(received: ReferralReceived, nth: int = 0) -> str:
    return f"needs/{received.needs[nth].need_id}/sim"


async def put(doors: httpx2.AsyncClient, to: str, body: dict[str, Any], who: str = "library") -> httpx2.Response:
    return await doors.put(f"/v1/{to}", json=body, headers={"Authorization": f"Bearer {who}"})


async def look(doors: httpx2.AsyncClient, at: str, who: str = "library", **asked: str) -> httpx2.Response:
    return await doors.get(f"/v1/{at}", params=asked, headers={"Authorization": f"Bearer {who}"})


async def test_who_gave_it_writes_it_down_corrects_it_and_sees_it_and_every_look_is_kept(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    received = await helped(on_stage)
    assert (await put(doors, path(received), {**SIM, "network": "Three", "iccid": None})).status_code == 202
    await on_stage.hear(SupportEnded(**ids(received), provider="library", at=NOON, outcome="helped"))
    assert (await put(doors, path(received), SIM)).status_code == 202
    assert (await look(doors, path(received))).json() == {**SHOWN, "need_id": str(received.needs[0].need_id)}
    looks = await on_stage.rows("select asked_by, purpose, decision from contact_audit")
    assert looks == [{"asked_by": "library", "purpose": "sim", "decision": "send"}]


async def test_staff_write_it_for_the_provider_and_see_it_and_all_of_that_is_kept(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    received = await helped(on_stage)
    of_staff = f"staff/{path(received)}"
    assert (await put(doors, of_staff, SIM, "ann")).json()["errors"][0]["field"] == "why"
    assert (await put(doors, of_staff, {**SIM, "why": "they rang"}, "ann")).status_code == 202
    assert (await look(doors, of_staff, "ann")).status_code == 422
    assert (await look(doors, of_staff, "ann", reason="a lost SIM")).json()["number"] == NUMBER
    assert (await look(doors, path(received))).json()["number"] == NUMBER
    acts = await on_stage.rows("select act, who, why, need_id from staff_act order by id")
    told = [("WriteSimForProvider", "they rang"), ("read-sim", "a lost SIM")]
    need = received.needs[0].need_id
    assert acts == [{"act": act, "who": "ann", "why": why, "need_id": need} for act, why in told]


async def test_nobody_else_writes_or_sees_it_or_hears_that_it_is_there(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    received = await helped(on_stage)
    await put(doors, path(received), SIM)
    for who in ("food-bank", "gp-armley"):
        assert (await put(doors, path(received), SIM, who)).status_code == 404
        assert (await look(doors, path(received), who)).status_code == 404
    assert (await put(doors, f"staff/{path(received)}", {**SIM, "why": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"number": "0113 496 0000"}, "no-mobile-number"),
        ({"number": "+33612345678"}, "no-mobile-number"),
        ({"number": "07400 123456 x12"}, "no-mobile-number"),
        ({"number": "call me"}, "no-mobile-number"),
        ({"iccid": "1234"}, "string-pattern-mismatch"),
        ({"expires_on": str(TODAY)}, "value-error"),
        ({"activated_on": str(TODAY + timedelta(days=1))}, "in-future"),
        ({"by": "ann"}, "unknown-field"),
    ],
)
async def test_what_is_no_sim_is_refused_by_a_rule_and_not_repeated(
    on_stage: Stage, doors: httpx2.AsyncClient, changes: dict[str, Any], rule: str
) -> None:
    answer = await put(doors, path(await helped(on_stage)), {**SIM, **changes})
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule)
    assert not any(str(value) in answer.text for value in changes.values())
    assert await on_stage.rows("select * from sim") == []


async def test_a_need_that_is_for_something_else_or_not_helped_yet_has_no_sim(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    device = await helped(on_stage, [{"kind": "device"}, {"kind": "connectivity"}])
    answers = [
        await put(doors, path(device), SIM),
        await put(doors, path(device, 1), SIM),
        await put(doors, f"staff/{path(device, 1)}", {**SIM, "why": "x"}, "ann"),
    ]
    told = [(answer.status_code, answer.json()["errors"][0]["rule"]) for answer in answers]
    assert told == [(422, "no-data-sim"), (404, "not-found"), (409, "illegal-move")]


async def test_the_number_is_sealed_with_the_key_of_the_person_also_when_that_is_made_anew_and_goes_with_them(
    on_stage: Stage, doors: httpx2.AsyncClient
) -> None:
    received = await helped(on_stage)
    await put(doors, path(received), SIM)
    (before,) = await on_stage.rows("select sealed from sim")
    await amend(on_stage, received, person_jwe=sealed(a_person(name="Another Person")))
    (after,) = await on_stage.rows("select s.*, wrapped_key from sim s join person using (person_ref)")
    assert before["sealed"] != after["sealed"]
    assert (await look(doors, path(received))).json()["number"] == NUMBER
    tables = ("sim", "person", "outbox", "said", "door", "need", "staff_act", "dead_letter")
    kept = [await on_stage.rows(f"select * from {table}") for table in tables]  # noqa: S608 - ours
    assert "7400123456" not in str(kept)
    async with on_stage.database.acquire() as conn:
        (shown,) = await numbers_of(conn, Vault(settings().programme_key), received.person_ref)
    assert (shown["number"], shown["iccid"]) == (NUMBER, SIM["iccid"])
    await on_stage.result(ErasePerson(person_ref=received.person_ref, by="ann", reason="asked for it"))
    assert await on_stage.rows("select * from sim") == []
    assert (await put(doors, f"staff/{path(received)}", {**SIM, "why": "x"}, "ann")).status_code == 404
