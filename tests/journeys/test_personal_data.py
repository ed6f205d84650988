"""A person is known in one place, sealed. This is shown by looking, and first by proving that the looking finds."""

import json
import secrets
from typing import Any
from uuid import uuid4

from chassis.postgres import connect
from tests.deployment import Deployment
from tests.journeys.partners import a_body, answer, headers, post, somebody, write
from tests.journeys.search import as_administrator, find, forms
from tests.support import eventually


def a_mark() -> str:
    """A name that nobody has."""
    return f"Quillfeather{secrets.token_hex(4)}"


async def test_the_search_finds_what_is_planted_in_each_kind_of_place(deployment: Deployment) -> None:
    planted = {a_mark(): form for form in range(len(forms("x" * 12)))}
    partner = deployment.partners["library-service"]
    note = deployment.stack.dir / "logs" / "planted.log"
    conn = await connect(as_administrator(deployment, "matching"))
    try:
        for mark, form in planted.items():
            dressed = forms(mark)[form]
            await write(partner, (b'{"a": "' + dressed + b'"}', headers(uuid4().hex)), compression_type="gzip")
            await write(partner, (b"{}", [*headers(uuid4().hex), ("x-note", dressed)]))
            note.write_bytes((note.read_bytes() if note.exists() else b"") + b" something " + dressed)
            await conn.execute("insert into provider values ('planted', $1, $2, '{}')", uuid4().hex, dressed.decode())
            await conn.execute("insert into door values ('planted', $1, $2, null, null, now())", uuid4().hex, dressed)
        found = await find(deployment, *planted)
        places = {
            f"kafka:{partner['inbox']}",
            "database:matching.provider",
            "database:matching.door",
            "file:logs/planted.log",
        }
        assert {mark: places - seen for mark, seen in found.items()} == {mark: set() for mark in planted}
    finally:
        note.unlink(missing_ok=True)
        await conn.execute("delete from provider where partner = 'planted'")
        await conn.execute("delete from door where partner = 'planted'")
        await conn.close()


def a_marked_person(mark: str) -> dict[str, Any]:
    return {
        **somebody(),
        "name": f"{mark} Name {uuid4().hex}",
        "address": [f"{mark} Street"],
        "email": f"{mark}@example.org",
        "goal": f"{mark} goal",
        "notes": f"{mark} notes",
        "safe_contact": {"channels": ["email"]},
    }


async def test_a_person_is_nowhere_but_sealed_in_referrals(deployment: Deployment) -> None:
    mark = a_mark()
    kafka, http = deployment.partners["gp-armley"], deployment.partners["food-bank"]
    url = f"{deployment.url('referrals')}/v1/referrals"
    person, submission = a_marked_person(mark), uuid4().hex
    await write(kafka, (json.dumps(a_body(kafka, person)).encode(), headers(submission)))
    assert (await answer(kafka, submission))["type"] == "ReferralAcknowledged"
    in_clear = {**a_body(http, person_jwe=...), "person": a_marked_person(mark)}
    assert (await post(http, url, in_clear)).status_code == 202
    through = {**a_marked_person(mark), "safe_contact": {"channels": ["via-referrer"], "through": f"{mark} neighbour"}}
    assert (await post(http, url, {**in_clear, "person": through})).status_code == 202

    async def mailed() -> int:
        received = deployment.stack.dir / "mail" / "received.jsonl"
        return sum(mark in line for line in received.read_text().splitlines()) if received.exists() else 0

    await eventually(mailed, lambda mails: mails >= 2, within=120)
    assert await find(deployment, mark) == {mark: set()}


async def test_what_is_sent_wrong_is_not_kept_in_clear_either(deployment: Deployment) -> None:
    mark = a_mark()
    partner = deployment.partners["food-bank"]
    url = f"{deployment.url('referrals')}/v1/referrals"
    person = a_marked_person(mark)
    wrong: list[Any] = [
        a_body(partner, reference=mark),
        a_body(partner, ward=mark),
        {**a_body(partner), mark: 1},
        {**a_body(partner, person_jwe=...), "person": {**person, "phone": mark}},
        {**a_body(partner, person_jwe=...), "person": {**person, "circumstances": {mark: "yes"}}},
        {**a_body(partner, person_jwe=...), "person": {**person, "monitoring": {"ethnicity": mark}}},
        {**a_body(partner, person_jwe=...), "person": {**person, mark: mark}},
        a_body(partner, {**person, "born": mark}),
        mark.encode(),
    ]
    for body in wrong:
        response = await post(partner, url, body)
        assert response.status_code in {400, 422}
        assert mark not in response.text
    assert (await post(partner, url, a_body(partner), submission_id=f"{mark} x")).status_code == 400
    kafka = deployment.partners["gp-armley"]
    records = [(body if isinstance(body, bytes) else json.dumps(body).encode(), headers(uuid4().hex)) for body in wrong]
    last = uuid4().hex
    await write(
        kafka,
        *records,
        (b"{}", headers(mark + " x")),
        (b"{}", headers("x", f"furthest.partner.{mark}.v1")),
        (json.dumps(a_body(kafka)).encode(), headers(last)),
    )
    assert (await answer(kafka, last))["type"] == "ReferralAcknowledged"
    own_inbox = frozenset({kafka["inbox"]})  # what the partner itself wrote there in clear lapses with it
    assert await find(deployment, mark, besides=own_inbox) == {mark: set()}, (
        "beside what the partner itself wrote in its inbox"
    )
