"""A person's rights over a whole deployment: all that is held of them is shown, and then forgotten everywhere."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.postgres import connect
from contracts.message import SERVICES
from deploy.embedded.processes import recall, stop
from tests.built import built
from tests.deployment import Deployment
from tests.journeys.partners import a_body, answer, headers, outbox, post, somebody, write
from tests.journeys.search import as_administrator, find
from tests.referrals.builders import WARD
from tests.support import eventually

WHY = ("--reason", "asked for it", "--by", "ann")
NOBODY = "019aa0c4-0000-8000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who was referred. `mark` stands in all that was told of them."""

    mark: str
    reference: str
    referral_id: str
    need_ids: list[str]


async def refer(deployment: Deployment, **changes: Any) -> Known:
    """Somebody refers over Kafka a person of whom every field that may hold it holds a mark."""
    partner = deployment.partners["gp-armley"]
    mark, reference = f"Quillfeather{secrets.token_hex(4)}", f"GP-{secrets.randbelow(10**11):011d}"
    contact = {"channels": ["phone"], "through": f"{mark} neighbour", "hours": ["00:00", "23:59"]}
    person = {**somebody(), "name": f"{mark} Name", "notes": f"{mark} notes", "safe_contact": contact}
    submission = uuid4().hex
    body = a_body(partner, person, reference=reference, languages=["ur"], **changes)
    await write(partner, (json.dumps(body).encode(), headers(submission)))
    told = await answer(partner, submission)
    return Known(mark, reference, told["referral_id"], [need["need_id"] for need in told["needs"]])


async def offer_of(deployment: Deployment, need_id: str) -> dict[str, Any]:
    """What a provider is proposed for a need."""

    async def look() -> list[dict[str, Any]]:
        told = await outbox(deployment.partners["library-service"])
        return [each for each in told if each["type"] == "OfferProposed" and each["need_id"] == need_id]

    return (await eventually(look, bool, within=120))[0]


async def open_place(deployment: Deployment) -> None:
    async with deployment.client("matching", deployment.partners["library-service"]["api_key"]) as http:
        provider = {"name": "Armley Library"}
        place = {"provider_id": "for-erasure", "kind": "skills", "capacity": 50, "languages": ["ur"]}
        for path, body in (("providers/for-erasure", provider), ("places/for-erasure", place)):
            assert (await http.put(f"/v1/{path}", json=body)).status_code == 202


async def rows(deployment: Deployment, service: str, sql: str, *args: Any) -> list[Any]:
    conn = await connect(as_administrator(deployment, service))
    try:
        return [tuple(row) for row in await conn.fetch(sql, *args)]
    finally:
        await conn.close()


async def counted(deployment: Deployment) -> list[Any]:
    """How many needs of each kind and ward reporting counts."""
    by_area = "select kind, area, count(*) from need join referral using (referral_id) group by 1, 2 order by 1, 2"
    return await rows(deployment, "reporting", by_area)


def furthest(deployment: Deployment, *words: str, code: int = 0) -> Any:
    done = deployment.furthest("person", *words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def exported(deployment: Deployment, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = furthest(deployment, "export", *words, *WHY)
    return document


async def test_all_that_is_held_of_a_person_is_shown_and_then_forgotten_everywhere(deployment: Deployment) -> None:
    await open_place(deployment)
    gone, stays = [await refer(deployment, needs=[{"kind": "skills"}]) for _ in range(2)]
    offer = await offer_of(deployment, gone.need_ids[0])
    await offer_of(deployment, stays.need_ids[0])
    await accept(deployment, offer)
    await all_hear_of(deployment, gone)

    document = exported(deployment, "--referral", gone.referral_id)
    ref = document["person_ref"]
    assert document["person"]["name"] == f"{gone.mark} Name"
    assert document["person"]["notes"] == f"{gone.mark} notes"
    assert document["held"]["referrals"]["referral"][0]["reference"] == gone.reference
    assert document["held"]["matching"]["offer"][0]["offer_id"] == offer["offer_id"]
    assert document["held"]["matching"]["told"][0]["data"] == {k: v for k, v in offer.items() if k != "type"}
    assert document["held"]["notifications"]["message"]
    assert document["held"]["reporting"]["referral"][0]["area"] == WARD
    audit = document["held"]["referrals"]["person_audit"]
    assert [(line["done"], line["who"], line["why"]) for line in audit] == [("exported", "ann", "asked for it")]
    assert stays.mark not in str(document)
    assert stays.referral_id not in str(document)

    before = await counted(deployment)
    certificate = furthest(deployment, "erase", ref, *WHY, "--yes")
    (erased,) = certificate["referrals"]
    assert (erased["referral_id"], set(erased["confirmed"]), certificate["owed"]) == (
        gone.referral_id,
        set(SERVICES),
        [],
    )
    erased_at = datetime.fromisoformat(erased["erased_at"])
    assert datetime.fromisoformat(certificate["backups_lapse_at"]) == erased_at + timedelta(days=35)
    received_at = datetime.fromisoformat(document["held"]["referrals"]["referral"][0]["received_at"])
    assert datetime.fromisoformat(certificate["inbox_copies_lapse_at"]) == received_at + timedelta(days=7)
    assert await counted(deployment) == before

    doors = frozenset(p[box] for p in deployment.partners.values() for box in ("inbox", "outbox"))
    assert await find(deployment, gone.mark, besides=doors) == {gone.mark: set()}
    places = (await find(deployment, gone.reference, besides=doors))[gone.reference]
    assert {place for place in places if not place.startswith("file:postgres/")} == set()
    assert (await find(deployment, stays.reference, besides=doors))[stays.reference] >= {"database:referrals.referral"}
    assert exported(deployment, "--referral", stays.referral_id)["person"]["name"] == f"{stays.mark} Name"

    after = exported(deployment, ref)
    assert (after["person"], after["erased"]["owed"]) == (None, [])
    assert not {"offer", "support", "gap", "notification"} & after["held"]["reporting"].keys()
    assert not {"message", "call_task"} & after["held"]["notifications"].keys()
    assert furthest(deployment, "erase", "--status", ref) == certificate
    lines = deployment.furthest("person", "erase", "--status", ref).stdout.splitlines()
    assert [service for line in lines for service in SERVICES if f"{service} " in line] == list(SERVICES)
    assert lines[-1] == f"The last backups lapse on {erased_at + timedelta(days=35):%Y-%m-%d}."
    assert furthest(deployment, "erase", ref, *WHY, "--yes") == certificate


async def accept(deployment: Deployment, offer: dict[str, Any]) -> None:
    url = f"{deployment.url('matching')}/v1/offers/{offer['offer_id']}/answer"
    accepted = await post(deployment.partners["library-service"], url, {"answer": "accept"})
    assert accepted.status_code == 202


async def all_hear_of(deployment: Deployment, known: Known) -> None:
    """Every service has told, or counted, that help was accepted."""
    heard = {
        "reporting": """select 1 from referral join need using (referral_id) join offer using (need_id)
                        where offer.state = 'accepted' and need.referral_id = $1::text::uuid and area is not null""",
        "notifications": "select 1 from message where state <> 'waiting' and referral_id = $1::text::uuid",
    }

    async def look() -> list[Any]:
        return [await rows(deployment, service, sql, known.referral_id) for service, sql in heard.items()]

    await eventually(look, all, within=120)


async def test_the_partner_is_told_and_its_provider_too_and_a_late_answer_changes_nothing(
    deployment: Deployment,
) -> None:
    await open_place(deployment)
    known = await refer(deployment, needs=[{"kind": "skills"}])
    offer = await offer_of(deployment, known.need_ids[0])
    ref = exported(deployment, "--referral", known.referral_id)["person_ref"]
    furthest(deployment, "erase", ref, *WHY, "--yes")

    async def told(partner: str, kind: str, **fields: str) -> list[dict[str, Any]]:
        return [
            each
            for each in await outbox(deployment.partners[partner])
            if each["type"] == kind and all(each[name] == value for name, value in fields.items())
        ]

    (ended,) = await eventually(
        lambda: told("gp-armley", "ReferralProgressed", need_id=known.need_ids[0], status="cancelled"), bool
    )
    assert (ended["reason"], ended["reference"]) == ("erased", known.reference)
    closed = await eventually(lambda: told("library-service", "OfferClosed", offer_id=offer["offer_id"]), bool)
    assert closed[0]["reason"] == "withdrawn"
    url = f"{deployment.url('matching')}/v1/offers/{offer['offer_id']}/answer"
    late = await post(deployment.partners["library-service"], url, {"answer": "accept"})
    assert late.status_code == 409
    assert exported(deployment, ref)["held"]["referrals"]["need"][0]["status"] == "cancelled"


@pytest.fixture
def reporting_is_down(deployment: Deployment) -> Iterator[None]:
    process = recall(deployment.stack.dir, "reporting")
    assert process
    stop(process, 30)
    try:
        yield
    finally:
        deployment.stack.restart_dead()


async def test_what_a_service_owes_that_is_down_is_named_and_comes_when_it_runs(
    deployment: Deployment, reporting_is_down: None
) -> None:
    known = await refer(deployment)
    ref = exported(deployment, "--referral", known.referral_id)["person_ref"]
    certificate = furthest(deployment, "erase", ref, *WHY, "--yes", "--within", "3", code=1)
    assert "reporting" in certificate["owed"]
    deployment.stack.restart_dead()
    certificate = furthest(deployment, "erase", ref, "--within", "60")
    assert certificate["owed"] == []


async def test_an_older_database_forgets_again_by_the_log_and_by_the_list(
    deployment: Deployment, tmp_path: Path
) -> None:
    listed = tmp_path / "erasures.jsonl"
    known = await refer(deployment)
    ref = exported(deployment, "--referral", known.referral_id)["person_ref"]
    before = await snapshot(deployment, known.referral_id, ref)
    furthest(deployment, "erase", ref, *WHY, "--yes", "--list", str(listed))
    assert json.loads(listed.read_text())["referral_ids"] == [known.referral_id]
    assert listed.stat().st_mode & 0o777 == 0o600
    of_a_lost_log = str(uuid4())
    with listed.open("a") as file:
        file.write(
            json.dumps({"person_ref": str(uuid4()), "referral_ids": [of_a_lost_log]}) + '\n{"person_ref": "cut o'
        )
    for words, unknown in (((), []), (("--list", str(listed)), [of_a_lost_log])):
        await restore(deployment, known.referral_id, before)
        assert exported(deployment, ref)["person"]["name"] == f"{known.mark} Name"
        again = furthest(deployment, "erase", "--again", *words)
        assert {each["referral_id"] for each in again["referrals"]} == {known.referral_id, *unknown}
        assert again["owed"] == []
        assert exported(deployment, ref)["person"] is None
    assert furthest(deployment, "erase", "--again")["referrals"] == []


async def snapshot(deployment: Deployment, referral_id: str, ref: str) -> dict[str, str]:
    """The rows of a person as they are in a copy of referrals made now."""
    sql = {
        "person": ("select to_jsonb(t)::text from person t where person_ref = $1::text::uuid", ref),
        "referral": ("select to_jsonb(t)::text from referral t where id = $1::text::uuid", referral_id),
    }
    return {table: (await rows(deployment, "referrals", *asked))[0][0] for table, asked in sql.items()}


async def restore(deployment: Deployment, referral_id: str, before: dict[str, str]) -> None:
    """What of an older copy of referrals concerns one person."""
    for table in ("erasure", "erasure_confirmation"):
        await rows(deployment, "referrals", f"delete from {table} where referral_id = $1::text::uuid", referral_id)  # noqa: S608 - ours
    await rows(deployment, "referrals", "delete from forgotten where key = $1", referral_id)
    reference = json.loads(before["referral"])["reference"]
    await rows(
        deployment, "referrals", "update referral set reference = $2 where id = $1::text::uuid", referral_id, reference
    )
    person = "insert into person select * from jsonb_populate_record(null::person, $1::jsonb)"
    await rows(deployment, "referrals", person, before["person"])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("export", NOBODY, *WHY), 1, "There is no person"),
        (("export", "--referral", NOBODY, *WHY), 1, "There is no referral"),
        (("export", *WHY), 2, "Name the person"),
        (("export", NOBODY), 2, "--reason"),
        (("erase", "--status", NOBODY), 1, "There is no person"),
        (("erase",), 2, "Name the person"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    deployment: Deployment, words: tuple[str, ...], code: int, says: str
) -> None:
    done = deployment.furthest("person", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


async def test_nobody_is_erased_without_a_word(deployment: Deployment) -> None:
    known = await refer(deployment)
    ref = exported(deployment, "--referral", known.referral_id)["person_ref"]
    for words in (("--yes",), WHY):
        done = deployment.furthest("person", "erase", ref, *words)
        assert (done.returncode, done.stdout) == (2, "")
    assert exported(deployment, ref)["person"]


COLUMNS = """
    select distinct table_name from information_schema.columns
    where table_schema = 'public' and column_name in ('referral_id', 'need_id', 'offer_id', 'person_ref')
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_that_names_a_referral_is_in_what_is_shown(deployment: Deployment, service: str) -> None:
    tables = {table for (table,) in await rows(deployment, service, COLUMNS)}
    assert tables <= {*built(service).held, "person"}
