"""A partner of each door's own, that has referred somebody and helps somebody: so there are ids to be right about."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.embedded.processes import alive, recall
from deploy.partners import add_key, add_partner
from tests.deployment import Deployment
from tests.doors.bodies import MARK
from tests.journeys.partners import a_body, post, somebody
from tests.referrals.builders import PERSON, WARD
from tests.support import eventually

A_PERSON = {**PERSON, "name": MARK}
ORGANISATION = "doors-charity"
SAFE = {"standing": {"two_signatories": True}}
OPEN = {"opens_at": "2025-01-01T00:00:00Z", "closes_at": "2099-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Tried:
    """Who tries the doors, by role, and what is right to say, by field."""

    partner: dict[str, Any]
    keys: Mapping[str, str]
    known: Mapping[str, Sequence[Any]]

    def address(self, path: str) -> str:
        """A path of a document, with ids that are there where any are known."""
        known = {name: values[0] for name, values in self.known.items()}
        return path.format_map(defaultdict(lambda: "unknown", known))


@pytest.fixture(scope="session")
def tried(deployment: Deployment) -> Tried:
    site = deployment.stack.site
    partner = add_partner(site, "doors-partner")
    keys = {"nobody": "", "partner": partner["api_key"], "staff": deployment.staff_key}
    keys["applicant"] = add_key(site, "applicant", ORGANISATION)["api_key"]
    referral = asyncio.run(is_referred(deployment, partner))
    offer = asyncio.run(is_offered(deployment, partner))
    application = asyncio.run(has_applied(deployment, keys))
    known: dict[str, Sequence[Any]] = {
        "ward": [WARD],
        "wards": [WARD],
        "serve_ward": [WARD, None],
        "given_on": ["2025-11-20"],
        "until": [None],
        "person_jwe": [a_body(partner, A_PERSON)["person_jwe"]],
        "person": [A_PERSON],
        "referral_id": [referral["referral_id"]],
        "need_id": [referral["needs"][0]["need_id"], offer["need_id"]],
        "offer_id": [offer["offer_id"]],
        "provider_id": ["doors-provider"],
        "place_id": ["doors-place"],
        "fund_id": ["doors-fund"],
        "round_id": ["doors-round"],
        "id": [ORGANISATION],
        "application_id": [application],
        "opens_at": [OPEN["opens_at"]],
        "closes_at": [OPEN["closes_at"]],
        "task_id": [str(uuid4())],
        "measure": ["referrals"],
        "assessor": ["doors-assessor"],
        "file": ["doors.txt"],
    }
    return Tried(partner, keys, known)


async def is_referred(deployment: Deployment, partner: dict[str, Any]) -> dict[str, Any]:
    """An honest referral, which is accepted."""

    async def refer() -> httpx2.Response:
        return await post(partner, f"{deployment.url('referrals')}/v1/referrals", asked, submission)

    submission, asked = uuid4().hex, a_body(partner, somebody())
    accepted = await eventually(refer, lambda answer: answer.status_code == 202)
    body: dict[str, Any] = accepted.json()
    return body


async def is_offered(deployment: Deployment, partner: dict[str, Any]) -> dict[str, Any]:
    """An open offer of a place that the partner gives."""
    place = {"provider_id": "doors-provider", "kind": "device", "capacity": 1, "open_to": [partner["id"]]}
    async with deployment.client("matching", partner["api_key"]) as client:

        async def offers() -> list[dict[str, Any]]:
            return list((await client.get("/v1/offers")).json()["offers"])

        async def put(path: str, body: dict[str, Any]) -> int:
            return (await client.put(path, json=body)).status_code

        provider = {"name": "Doors"}
        await eventually(lambda: put("/v1/providers/doors-provider", provider), lambda status: status == 202)
        assert await put("/v1/places/doors-place", place) == 202
        return (await eventually(offers, bool))[0]


async def lives_on(deployment: Deployment, tried: Tried, processes: dict[str, int]) -> None:
    """No process has died, none has logged what was sent, and somebody is referred."""
    for name, pid in processes.items():
        process = recall(deployment.stack.dir, name)
        assert process
        assert (process.pid, alive(process)) == (pid, True)
    for log in (deployment.stack.dir / "logs").glob("*.log"):
        assert MARK not in log.read_text(errors="replace"), log.name
    await is_referred(deployment, tried.partner)


async def has_applied(deployment: Deployment, keys: Mapping[str, str]) -> str:
    """An application that waits for a decision."""
    money = {"budget_pence": 10**9, "maximum_pence": 10**6}
    organisation = {"id": ORGANISATION, "name": "Doors"}
    asked = {"round_id": "doors-round", "title": "A course", "amount_pence": 100, "kinds": ["skills"], **SAFE}
    async with httpx2.AsyncClient(base_url=f"{deployment.url('grants')}/v1", timeout=60) as client:

        async def put(path: str, body: dict[str, Any]) -> int:
            return (await client.put(path, json=body, headers=_key(keys["staff"]))).status_code

        async def apply() -> httpx2.Response:
            body = {**asked, "organisation": organisation}
            return await client.post("applications", json=body, headers=_key(keys["applicant"]))

        assert await put("funds/doors-fund", {"name": "Doors"}) == 200
        assert await put("rounds/doors-round", {"fund_id": "doors-fund", **money, **OPEN}) == 200
        applied = await eventually(apply, lambda answer: answer.status_code == 201)
    identity: str = applied.json()["application_id"]
    return identity


def _key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="session")
def processes(deployment: Deployment) -> dict[str, int]:
    """The process of each service, before any door is tried."""
    return {name: each["pid"] for name, each in deployment.stack.addresses()["services"].items()}
