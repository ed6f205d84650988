"""A whole grant round: from needs that nobody meets, by 150 applications, to the place that a pound opened."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from chassis.service import act
from contracts.vocabulary import Role
from deploy.demo.story import subjects
from deploy.keys import add_key, new_api_key
from services.referrals.service import build
from tests.deployment import Deployment
from tests.grants.test_publication import problems
from tests.journeys.partners import a_body, post
from tests.referrals.builders import WARD
from tests.support import eventually

GROUPS = [f"GB-CHC-{3_000_000 + n}" for n in range(150)]
ASSESSORS = ["bea", "cat", "dan", "eve", "fay"]
LARGE = 10
"""So many ask for a sum that two assessors judge; the others for one that one assessor and an approver do."""
BUDGET = 20_000_00


@dataclass(slots=True)
class Office:
    """Everybody at the doors of grants, each with their own key."""

    deployment: Deployment
    http: httpx2.AsyncClient
    round_id: str
    keys: dict[tuple[Role, str], str] = field(default_factory=dict)

    async def ask(self, role: Role, who: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.keys[role, who]}", "Idempotency-Key": uuid4().hex}
        return await self.http.request(method, path, json=body, headers=headers)

    async def done(self, role: Role, who: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.ask(role, who, method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def command(self, *words: str) -> Any:
        """`furthest grants ... --json`, as staff run it."""
        done = await asyncio.to_thread(self.deployment.furthest, "grants", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def apply(self, group: str) -> httpx2.Response:
        nth = GROUPS.index(group)
        body = {
            "round_id": self.round_id,
            "title": f"Project {nth}",
            "amount_pence": 5_000_00 if nth < LARGE else 400_00,
            "kinds": ["champion"],
            "wards": [WARD],
            "organisation": {"id": group, "name": f"Group {nth}"},
            "email": f"{self.round_id}-{nth}@example.org",
            "places": [{"kind": "champion", "capacity": 30}],
            "delivers_as": {"partner": "library-service", "provider_id": "funded-hall"},
        }
        return await self.ask("applicant", group, "POST", "/v1/applications", body)


@asynccontextmanager
async def office(deployment: Deployment, round_id: str) -> AsyncIterator[Office]:
    who: list[tuple[Role, str]] = [
        ("staff", "ann"),
        ("approver", "zoe"),
        *(("assessor", name) for name in ASSESSORS),
        *(("applicant", group) for group in GROUPS),
    ]
    keys = {each: new_api_key() for each in who}
    settings = deployment.stack.site.settings("referrals")
    now = datetime.now(UTC)
    await act(build(settings), settings, *(add_key(key, role, name, now) for (role, name), key in keys.items()))
    async with deployment.client("grants") as http:
        there = Office(deployment, http, round_id, keys)
        await eventually(
            lambda: there.ask("applicant", GROUPS[-1], "GET", "/v1/rounds"), lambda seen: seen.status_code == 200, 120
        )
        yield there


async def open_round(there: Office, folder: Path, closes_at: datetime, why: str | None = None) -> None:
    rules = {
        "criteria": [{"code": "need", "title": "Meets a need", "weight": 1, "most": 10}],
        "one_assessor_below_pence": 500_00,
    }
    file = folder / "round.json"
    asked = {
        "fund": {"fund_id": "journey", "name": "A fund"},
        "round": {
            "round_id": there.round_id,
            "budget_pence": BUDGET,
            "maximum_pence": 5_000_00,
            "opens_at": "2026-01-01T09:00:00Z",
            "closes_at": closes_at.isoformat(),
            "rules": rules,
            "why": why,
        },
    }
    await asyncio.to_thread(file.write_text, json.dumps(asked))
    await there.command("open", str(file), "--json")


async def gaps(deployment: Deployment) -> tuple[int, int]:
    """How many needs of champions here are gaps, and how many were."""
    conn = await asyncpg.connect(deployment.database("grants"))
    try:
        row = await conn.fetchrow(
            """select count(*) filter (where is_open) as open, count(*) filter (where closed_by is not null) as closed
               from open_gap where kind = 'champion' and area = $1""",
            WARD,
        )
        return (row["open"], row["closed"]) if row else (0, 0)
    finally:
        await conn.close()


async def refer_people_whom_nobody_can_help(deployment: Deployment, number: int) -> None:
    gp, url = deployment.partners["gp-armley"], f"{deployment.url('referrals')}/v1/referrals"
    needs = [{"kind": "champion", "requirements": ["same-gender", "dbs-checked"]}]
    sent = [post(gp, url, a_body(gp, reference=f"GR-{n}", needs=needs)) for n in range(number)]
    assert {answer.status_code for answer in await asyncio.gather(*sent)} == {202}


async def score_all(there: Office, given: Sequence[dict[str, Any]]) -> None:
    """Every assessor scores what they were given; nobody was given what is their own."""
    own = (await there.done("applicant", GROUPS[0], "GET", "/v1/applications"))[0]["application_id"]
    assert not [each for each in given if each["assessor"] == "bea" and each["application_id"] == own]

    async def score(each: dict[str, Any]) -> None:
        points = 1 + int(each["application_id"].replace("-", ""), 16) % 9
        path = f"/v1/applications/{each['application_id']}/scores"
        body = {"scores": {"need": points}, "comment": "As the paper says."}
        await there.done("assessor", each["assessor"], "POST", path, body)

    await asyncio.gather(*(score(each) for each in given))


async def decide(there: Office, ranked: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Awards to the last pound, in part where the budget ends; two in reserve; the others are declined."""
    left, awarded, reserved = BUDGET, list[str](), list[str]()
    for each in ranked:
        application, asked = each["application_id"], each["amount_pence"]
        path = f"/v1/applications/{application}"
        promised = {"amount_pence": min(asked, left or asked), "decided_under": "Delegated decision 14"}
        if left:
            await there.done("approver", "zoe", "POST", f"{path}/award", promised)
            awarded, left = [*awarded, application], left - promised["amount_pence"]
        elif len(reserved) < 2:
            await there.done("approver", "zoe", "POST", f"{path}/reserve", {**promised, "amount_pence": 100_00})
            reserved.append(application)
    over = await there.ask("approver", "zoe", "POST", f"/v1/applications/{reserved[0]}/award", {"amount_pence": 1})
    assert over.json()["errors"][0]["rule"] == "over-budget"
    rest = [each["application_id"] for each in ranked if each["application_id"] not in {*awarded, *reserved}]
    body = {"reason": "outside-budget"}
    await asyncio.gather(*(there.done("approver", "zoe", "POST", f"/v1/applications/{a}/decline", body) for a in rest))
    return awarded, reserved


@pytest.mark.servers
@pytest.mark.invariant(6)
async def test_a_round_from_the_gap_to_the_place_that_closes_it(deployment: Deployment, tmp_path: Path) -> None:
    library = deployment.partners["library-service"]
    await refer_people_whom_nobody_can_help(deployment, 12)
    before, _ = await eventually(lambda: gaps(deployment), lambda seen: seen[0] >= 12, within=120)

    async with office(deployment, f"journey-{uuid4().hex[:6]}") as there:
        await open_round(there, tmp_path, datetime.now(UTC) + timedelta(days=1))
        answers = await asyncio.gather(*(there.apply(group) for group in GROUPS))
        assert {answer.status_code for answer in answers} == {201}
        await open_round(there, tmp_path, datetime.now(UTC), "The journey does not wait.")
        late = await there.ask(
            "applicant", GROUPS[0], "POST", "/v1/applications", json.loads(answers[0].request.content)
        )
        assert late.json()["errors"][0]["rule"] == "closed"

        for name in ASSESSORS:
            await there.done("staff", "ann", "PUT", f"/v1/assessors/{name}", {
                "organisations": [GROUPS[0]] if name == "bea" else []
            })  # fmt: skip
        await there.command("move", there.round_id, "assessing", "--json")
        given = await there.command("assign", there.round_id, "--json")
        assert len(given) == len(GROUPS) + LARGE
        await score_all(there, given)
        await settle(there)
        await there.command("move", there.round_id, "deciding", "--json")

        ranked = (await there.command("ranking", there.round_id, "--json"))["ranked"]
        assert len(ranked) == len(GROUPS)
        assert ranked[0]["gap_points"] > 0
        awarded, reserved = await decide(there, ranked)
        gone = await there.done(
            "staff", "ann", "POST", f"/v1/applications/{awarded[-1]}/withdrawal", {"reason": "project-stopped"}
        )
        assert gone["released_pence"] > 0
        shown = {each["application_id"]: each["status"] for each in await applications(there)}
        assert shown[reserved[0]] == "awarded"

        first = awarded[0]
        await there.command("pay", first, "100", "--json")
        place = f"{first}-champion"
        await eventually(lambda: state_of(deployment, place), lambda seen: seen == "planned", within=120)
        url = f"{deployment.url('matching')}/v1"
        assert await put(library, f"{url}/providers/funded-hall", {"name": "Funded hall"}) == 202
        opened = {
            "provider_id": "funded-hall",
            "kind": "champion",
            "capacity": 30,
            "wards": [WARD],
            "requirements": ["same-gender", "dbs-checked"],
            "funded_by": first,
        }
        assert await put(library, f"{url}/places/{place}", opened) == 202
        await eventually(lambda: gaps(deployment), lambda seen: seen[0] <= before - 12 and seen[1] >= 12, within=120)
        lines = await eventually(
            lambda: there.command("ledger", there.round_id, "--json"), lambda seen: bool(seen and seen[0]["area"]), 120
        )
        assert {(line["application_id"], line["place_id"], line["area"]) for line in lines} == {(first, place, WARD)}

        file = tmp_path / "grants.json"
        await there.command("export", str(file), "--round", there.round_id, "--json")
        published = json.loads(await asyncio.to_thread(file.read_text))
        assert problems(published) == []
        assert sum(round(grant["amountAwarded"] * 100) for grant in published["grants"]) <= BUDGET
        number = len(published["grants"])
        assert await there.command("import", str(file), "--json") == {"loaded": number, "known": 0, "bad": []}
        assert await there.command("import", str(file), "--json") == {"loaded": 0, "known": number, "bad": []}
        await looks_right_to_staff(there, first)
        await is_told_by_mail(there, ranked, {first: "£100 is paid: ", reserved[0]: "You are awarded £100: "})


async def is_told_by_mail(there: Office, ranked: Sequence[dict[str, Any]], last: dict[str, str]) -> None:
    """Whoever applied read that it came, and what was decided, and each of these had that letter last."""
    received = Path(there.deployment.stack.addresses()["mail"]["received"])

    async def read() -> dict[str, list[str]]:
        found = subjects(received)
        return {each["application_id"]: found.get(f"{there.round_id}-{_nth(each)}@example.org", []) for each in ranked}

    def all_read(mails: dict[str, list[str]]) -> bool:
        have = all(mails[application][-1:] and mails[application][-1].startswith(s) for application, s in last.items())
        return have and all(len(mails[each["application_id"]]) >= 2 for each in ranked)

    await eventually(read, all_read, within=120)


def _nth(ranked: dict[str, Any]) -> str:
    return str(ranked["organisation_name"].removeprefix("Group "))


async def looks_right_to_staff(there: Office, first: str) -> None:
    """What they see on a terminal."""
    for command, words in (
        ("rounds", "deciding"),
        ("scores", "As the paper says."),
        ("history", "paid"),
        ("show", "instalment"),
    ):
        which = {"rounds": [], "show": [first[-8:]]}.get(command, [there.round_id])
        shown = await asyncio.to_thread(there.deployment.furthest, "grants", command, *which)
        assert shown.returncode == 0, shown.stderr
        assert words.split()[0] in shown.stdout


async def applications(there: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await there.command("list", there.round_id, "--json"))["applications"]
    return found


async def settle(there: Office) -> None:
    """Whatever has no result yet is moderated."""
    for each in await applications(there):
        if each["status"] == "submitted":
            path = f"/v1/applications/{each['application_id']}/moderation"
            await there.done("approver", "zoe", "POST", path, {"points": 50, "why": "They did not agree."})


async def state_of(deployment: Deployment, place_id: str) -> str | None:
    conn = await asyncpg.connect(deployment.database("matching"))
    try:
        state: str | None = await conn.fetchval("select state from place where place_id = $1", place_id)
        return state
    finally:
        await conn.close()


async def put(partner: dict[str, Any], url: str, body: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {partner['api_key']}", "Idempotency-Key": uuid4().hex}
    async with httpx2.AsyncClient(timeout=60) as http:
        return (await http.put(url, json=body, headers=headers)).status_code
