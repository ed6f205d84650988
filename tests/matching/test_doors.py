"""The HTTP doors of matching, in process, on a real database."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running
from contracts.access import KeyAdded
from contracts.catalogue import consumed_by
from contracts.matching import OfferMade
from contracts.vocabulary import KINDS, Role
from services.matching.events_in import EVENTS_IN
from tests.matching.builders import ARMLEY, HAREHILLS, SETTINGS, Matching, id_of, referral
from tests.support import NOON, said

PLACE: dict[str, Any] = {"provider_id": "armley", "kind": "device", "capacity": 1}


@dataclass(slots=True)
class Doors:
    """Callers named by `role principal`, such as `partner library`."""

    matching: Matching
    http: httpx2.AsyncClient
    access: Access
    known: set[str] = field(default_factory=set)

    async def call(self, who: str, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key_of(who)}"} | ({"Idempotency-Key": key} if key else {})
        return await self.http.request(method, f"/v1{path}", json=body, headers=headers)

    async def library(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        return await self.call("partner library", method, path, body, key=key)

    def _key_of(self, who: str) -> str:
        role, principal = who.split(" ")
        if who not in self.known:
            self.known.add(who)
            (as_role,) = [known for known in get_args(Role) if known == role]
            digest = hashlib.sha256(who.encode()).hexdigest()
            self.access.keys[digest] = KeyAdded(
                key_id=uuid4(), sha256=digest, role=as_role, principal=principal, expires_at=NOON + timedelta(days=9)
            )
        return who


@pytest_asyncio.fixture
async def doors(matching: Matching) -> AsyncIterator[Doors]:
    async for opened in _doors(matching):
        yield opened


async def _doors(matching: Matching) -> AsyncIterator[Doors]:
    put = matching.stage
    access = Access(SETTINGS.kafka, "matching", put.clock, read_to_the_end=True, heard_at=float("inf"))
    running = Running("matching", put.database, put.worker, Door(put.worker, put.clock), put.clock)
    app = build_app("matching", access, Health("matching", put.database), put.service.routers(running))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://matching") as http:
        yield Doors(matching, http, access)


def rule_of(response: Any) -> tuple[int, str, str]:
    error = response.json()["errors"][0]
    return response.status_code, error["field"], error["rule"]


def test_every_message_for_matching_has_a_handler() -> None:
    assert {model.spec.type: model for model in EVENTS_IN} == consumed_by("matching")


async def test_the_whole_way_of_an_offer_over_http(doors: Doors) -> None:
    accepted = {"status": "accepted"}
    provider = await doors.library("PUT", "/providers/otley", {"name": "Otley Library"})
    place = await doors.library("PUT", "/places/tablets", {**PLACE, "provider_id": "otley"})
    assert [(r.status_code, r.json()) for r in (provider, place)] == [(202, accepted)] * 2
    made = await doors.matching.offered(referral(1, languages=("ur",)))
    (offer,) = (await doors.library("GET", "/offers")).json()["offers"]
    assert offer == {
        "offer_id": str(made.offer_id),
        "need_id": str(id_of(1)),
        "place_id": "tablets",
        "kind": "device",
        "ward": ARMLEY,
        "languages": ["ur"],
        "requirements": [],
        "days": [],
        "expires_at": "2026-11-27T12:00:00Z",
    }
    answer = await doors.library("POST", f"/offers/{made.offer_id}/answer", {"answer": "accept"})
    start = await doors.library("POST", f"/needs/{id_of(1)}/support", {"state": "started"})
    end = await doors.library("POST", f"/needs/{id_of(1)}/support", {"state": "ended", "outcome": "helped"})
    assert [(r.status_code, r.json()) for r in (answer, start, end)] == [(202, accepted)] * 3
    assert (await doors.library("GET", "/offers")).json() == {"offers": []}
    assert await doors.matching.state(1) == "ended"


async def test_a_request_sent_again_is_done_once_and_answered_the_same(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", PLACE)
    made = await doors.matching.offered(referral(1))
    path, body = f"/offers/{made.offer_id}/answer", {"answer": "accept"}
    first = await doors.library("POST", path, body, key="a1")
    again = await doors.library("POST", path, body, key="a1")
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (202, {"status": "accepted"})
    assert rule_of(await doors.library("POST", path, body, key="a2")) == (409, "answer", "illegal-move")


async def test_what_is_refused_says_which_field_and_rule(doors: Doors) -> None:
    unknown = await doors.library("PUT", "/places/tablets", {**PLACE, "provider_id": "nobody"})
    assert rule_of(unknown) == (422, "provider_id", "unknown-provider")
    wrong = await doors.library("PUT", "/places/tablets", {**PLACE, "requirements": ["a-pony"]})
    assert rule_of(wrong) == (422, "requirements.0", "literal-error")
    assert "a-pony" not in wrong.text


async def test_another_partners_offer_is_not_found_and_not_listed(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", PLACE)
    made = await doors.matching.offered(referral(1))
    theirs = await doors.call("partner food-bank", "POST", f"/offers/{made.offer_id}/answer", {"answer": "accept"})
    assert rule_of(theirs) == (404, "offer_id", "not-found")
    assert (await doors.call("partner food-bank", "GET", "/offers")).json() == {"offers": []}


async def test_staff_see_who_waits_in_order_with_coarse_reasons(doors: Doors) -> None:
    await doors.matching.hear(
        referral(1), referral(2, score=30, ward=HAREHILLS), referral(3, score=10), referral(4, kind="champion")
    )
    everybody = (await doors.call("staff ann", "GET", "/queue?kind=device")).json()["queue"]
    assert [(one["position"], one["need_id"]) for one in everybody] == [
        (1, str(id_of(2))),
        (2, str(id_of(3))),
        (3, str(id_of(1))),
    ]
    assert everybody[0] == {
        "position": 1,
        "need_id": str(id_of(2)),
        "kind": "device",
        "ward": HAREHILLS,
        "lane": "routine",
        "rank_key": "2026-10-21T12:00:00Z",
        "score": 30,
        "groups": 2,
        "area_step": 10,
        "policy": "leeds-1",
        "days_waited": 0,
        "places": 0,
        "declines": 0,
        "gap": {"since": "2026-11-20T12:00:00Z", "reasons": ["no-place-of-kind"], "lacks": []},
    }
    of_ward = (await doors.call("staff ann", "GET", f"/queue?kind=device&ward={ARMLEY}&limit=1&offset=1")).json()
    assert [(one["position"], one["need_id"]) for one in of_ward["queue"]] == [(3, str(id_of(1)))]
    assert {one["kind"] for one in (await doors.call("staff ann", "GET", "/queue")).json()["queue"]} < set(KINDS)


async def test_staff_see_what_must_come_free_for_somebody_to_move(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", PLACE)
    await doors.library("PUT", "/places/later", {**PLACE, "opens_on": "2026-12-01"})
    await doors.library("PUT", "/places/elsewhere", {**PLACE, "wards": [HAREHILLS]})
    await doors.matching.hear(referral(1, received_at=NOON - timedelta(days=3)))
    await doors.matching.hear(referral(2, received_at=NOON - timedelta(days=9), score=4))
    (waiting,) = (await doors.call("staff ann", "GET", "/queue")).json()["queue"]
    assert (waiting["need_id"], waiting["places"], waiting["gap"]) == (str(id_of(2)), 2, None)
    assert (waiting["days_waited"], waiting["score"]) == (9, 4)


async def test_staff_see_who_was_declined_so_often_that_they_look_themselves(doors: Doors) -> None:
    for name in ("tablets", "laptops"):
        await doors.library("PUT", f"/places/{name}", {**PLACE, "capacity": 5})
    await doors.matching.hear(referral(2))
    made = await doors.matching.offered(referral(1))
    (again,) = said(await doors.matching.decline(made), OfferMade)
    await doors.matching.decline(again)

    async def declined(times: int) -> list[tuple[str, int]]:
        found = (await doors.call("staff ann", "GET", f"/queue?declines={times}")).json()["queue"]
        return [(one["need_id"], one["declines"]) for one in found]

    assert await declined(2) == [(str(id_of(1)), 2)]
    assert await declined(3) == []


async def test_staff_see_why_a_match_was_made_and_who_was_passed_over(doors: Doors) -> None:
    await doors.matching.hear(
        referral(1, score=90, ward=HAREHILLS), referral(2, score=30), referral(3), referral(4, languages=("ur",))
    )
    body = {**PLACE, "wards": [ARMLEY], "languages": ["en"]}
    await doors.library("PUT", "/places/tablets", body)
    (offer,) = (await doors.library("GET", "/offers")).json()["offers"]
    await doors.library("PUT", "/places/tablets", {**body, "wards": []})
    path = f"/decisions/{offer['offer_id']}"
    decision = (await doors.call("staff ann", "GET", path)).json()
    assert {name: decision[name] for name in ("need_id", "decision", "provider", "place_id", "score", "policy")} == {
        "need_id": str(id_of(2)),
        "decision": 1,
        "provider": "library",
        "place_id": "tablets",
        "score": 30,
        "policy": "leeds-1",
    }
    reasons = {side: [(o["need_id"], o["reasons"]) for o in decision[side]] for side in ("before", "after")}
    assert reasons == {
        "before": [(str(id_of(1)), ["ward-not-served"])],
        "after": [(str(id_of(3)), []), (str(id_of(4)), ["language"])],
    }
    one = (await doors.call("staff ann", "GET", f"{path}?limit=1")).json()
    assert (len(one["after"]), one["after_in_all"], one["before_in_all"]) == (1, 2, 1)
    assert (await doors.call("staff ann", "GET", f"/decisions/{id_of(9)}")).status_code == 404


async def test_who_declined_this_place_before_is_told_so(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", PLACE)
    made = await doors.matching.offered(referral(1, score=50))
    await doors.matching.hear(referral(2))
    (again,) = said(await doors.matching.decline(made), OfferMade)
    decision = (await doors.call("staff ann", "GET", f"/decisions/{again.offer_id}")).json()
    assert [(one["need_id"], one["reasons"]) for one in decision["before"]] == [(str(id_of(1)), ["declined"])]


async def test_staff_see_what_no_place_has_and_how_many_wait_for_it(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", PLACE)
    await doors.matching.hear(referral(1, requirements=["large-screen"]), referral(2, kind="champion"))
    doors.matching.stage.clock.forward(timedelta(days=1))
    await doors.matching.hear(referral(3, requirements=["large-screen"]), referral(4))
    gaps = (await doors.call("staff ann", "GET", "/gaps")).json()["gaps"]
    assert gaps[0] == {
        "kind": "device",
        "area": ARMLEY,
        "needs": 2,
        "since": "2026-11-20T12:00:00Z",
        "reasons": ["requirement"],
        "lacks": ["large-screen"],
    }
    assert [gap["kind"] for gap in gaps[1:]] == ["champion"]
    await doors.library("PUT", "/places/screens", {**PLACE, "requirements": ["large-screen"]})
    assert (await doors.call("staff ann", "GET", f"/gaps?kind=device&area={ARMLEY}")).json() == {"gaps": []}


async def test_staff_confirm_over_http_what_is_held_for_them(confirming: Matching) -> None:
    async for doors in _doors(confirming):
        await doors.library("PUT", "/places/friends", {**PLACE, "kind": "champion"})
        await doors.matching.hear(referral(1, kind="champion"))
        assert (await doors.library("GET", "/offers")).json() == {"offers": []}
        (held,) = (await doors.call("staff ann", "GET", "/confirmations")).json()["offers"]
        path = f"/offers/{held['offer_id']}/confirmation"
        assert (await doors.library("POST", path, {"answer": "confirm"})).status_code == 403
        assert (await doors.call("staff ann", "POST", path, {"answer": "confirm"})).status_code == 202
        assert (await doors.call("staff ann", "GET", "/confirmations")).json() == {"offers": []}
        assert len((await doors.library("GET", "/offers")).json()["offers"]) == 1
        assert rule_of(await doors.call("staff ann", "POST", path, {"answer": "maybe"}))[0] == 422
        assert rule_of(await doors.call("staff ann", "POST", path, {"answer": "keep-back"}))[0] == 409


async def test_help_given_directly_and_loans_over_http(doors: Doors) -> None:
    await doors.library("PUT", "/places/tablets", {**PLACE, "capacity": 2, "loan_days": 5})
    body = {"kind": "device", "count": 1, "given_on": "2026-11-20"}
    assert (await doors.library("POST", "/places/tablets/direct-help", body)).status_code == 202
    assert rule_of(await doors.library("POST", "/places/tablets/direct-help", {**body, "count": 0}))[0] == 422
    await doors.matching.accept(await doors.matching.offered(referral(1)))
    await doors.matching.support(1, "ended", outcome="helped")
    loan: dict[str, Any] = {"need_id": str(id_of(1)), "place_id": "tablets", "kind": "device", "until": "2026-11-25"}
    loan |= {"overdue": False, "unwiped": False, "serial": None}
    assert (await doors.library("GET", "/loans")).json() == {"loans": [loan]}
    doors.matching.stage.clock.forward(timedelta(days=6))
    assert (await doors.library("GET", "/loans")).json() == {"loans": [{**loan, "overdue": True}]}
    assert (await doors.call("partner food-bank", "GET", "/loans")).json() == {"loans": []}
    path = f"/needs/{id_of(1)}/loan"
    lost = await doors.library("POST", path, {"state": "lost", "wiped": True})
    assert rule_of(lost) == (422, "state", "only-returned")
    assert (await doors.library("POST", path, {"state": "returned"})).status_code == 202
    assert (await doors.library("GET", "/loans")).json() == {"loans": [{**loan, "unwiped": True}]}
    assert (await doors.library("POST", path, {"state": "returned", "wiped": True})).status_code == 202
    assert (await doors.library("GET", "/loans")).json() == {"loans": []}


@pytest.mark.parametrize("query", ["limit=0", "limit=1000", "offset=-1", "kind=pony", "ward=Armley"])
async def test_the_queue_cannot_be_asked_for_without_bounds(doors: Doors, query: str) -> None:
    assert (await doors.call("staff ann", "GET", f"/queue?{query}")).status_code == 422


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [
        ("partner library", "GET", "/queue"),
        ("partner library", "GET", "/gaps"),
        ("partner library", "GET", "/confirmations"),
        ("partner library", "GET", "/decisions/019aa0c4-0000-7000-8000-000000000002"),
        ("staff ann", "GET", "/loans"),
        ("staff ann", "GET", "/offers"),
        ("staff ann", "PUT", "/places/tablets"),
        ("reader eve", "PUT", "/providers/armley"),
    ],
)
async def test_each_door_opens_only_to_its_role(doors: Doors, who: str, method: str, path: str) -> None:
    assert (await doors.call(who, method, path, PLACE)).status_code == 403


async def test_a_partner_cannot_write_as_another(doors: Doors) -> None:
    """The partner is taken from the key: what the body says of it is an unknown field."""
    sent = await doors.library("PUT", "/providers/armley", {"name": "Armley", "partner": "food-bank"})
    assert rule_of(sent)[::2] == (422, "unknown-field")
    assert not said(await doors.matching.hear(referral(1)), OfferMade)


async def test_the_docs_show_the_bodies(doors: Doors) -> None:
    paths = (await doors.http.get("/openapi.json")).json()["paths"]
    body = paths["/v1/places/{place_id}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert "capacity" in body["required"]
    assert "place_id" not in body["properties"]
