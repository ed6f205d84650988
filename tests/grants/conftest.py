"""The HTTP doors of grants, in process, on a real database."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest_asyncio
from pydantic import SecretStr

from chassis.access import Access
from chassis.door import Door
from chassis.http import Health, build_app
from chassis.service import Running, Service
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded
from contracts.vocabulary import Role
from services.grants.service import build
from services.grants.settings import GrantsSettings
from tests.support import NOON, TOKEN_KEY, Stage

NOWHERE = KafkaSettings(bootstrap="localhost:1", user="nobody", password=SecretStr("none"))
SETTINGS = GrantsSettings(
    database_host="localhost",
    database_name="grants",
    database_user="grants",
    database_password=SecretStr("none"),
    kafka_bootstrap="localhost:1",
    kafka_user="grants",
    kafka_password=SecretStr("none"),
    http_port=1,
    sealing_key=SecretStr("5e" * 32),
    token_key=TOKEN_KEY,
)
ROUND = {
    "fund_id": "digital",
    "budget_pence": 10_000_00,
    "maximum_pence": 6_000_00,
    "minimum_pence": 100_00,
    "opens_at": "2026-11-01T09:00:00Z",
    "closes_at": "2026-12-01T12:00:00Z",
}

CLOSED = datetime(2026, 12, 1, 13, tzinfo=UTC)
STEPS = ("assessing", "deciding", "finished")


@dataclass(slots=True)
class City:
    """Staff and organisations at the doors of grants, and what they commonly do."""

    stage: Stage
    http: httpx2.AsyncClient
    access: Access
    keys: set[str] = field(default_factory=set)

    async def call(
        self, who: str, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> httpx2.Response:
        """`who` is `role principal`, such as `applicant GB-CHC-1110522`."""
        headers = {"Authorization": f"Bearer {self.key_of(who)}"} | ({"Idempotency-Key": key} if key else {})
        return await self.http.request(method, path, json=body, headers=headers)

    def key_of(self, who: str) -> str:
        role, principal = who.split(" ")
        if who not in self.keys:
            added = KeyAdded(
                key_id=uuid4(),
                sha256=hashlib.sha256(who.encode()).hexdigest(),
                role=_role(role),
                principal=principal,
                expires_at=NOON + timedelta(days=365),
            )
            self.access.keys[added.sha256] = added
            self.keys.add(who)
        return who

    async def open_round(self, round_id: str = "winter", **changed: object) -> None:
        assert (await self.call("staff ann", "PUT", "/v1/funds/digital", {"name": "Digital fund"})).status_code == 200
        opened = await self.call("staff ann", "PUT", f"/v1/rounds/{round_id}", {**ROUND, **changed})
        assert opened.status_code == 200, opened.text

    async def close(self, round_id: str = "winter", to: str = "deciding") -> None:
        """Lets a round close and moves it on, step by step."""
        self.stage.clock.at = max(self.stage.clock.at, CLOSED)
        for stage in STEPS[: STEPS.index(to) + 1]:
            moved = await self.call("staff ann", "POST", f"/v1/rounds/{round_id}/stage", {"to": stage})
            assert moved.status_code == 200, moved.text

    async def apply(
        self, applicant: str = "GB-CHC-1110522", /, *, key: str | None = None, **changed: Any
    ) -> httpx2.Response:
        body: dict[str, Any] = {
            "round_id": "winter",
            "title": "Tablets for Armley",
            "amount_pence": 5_000_00,
            "kinds": ["device"],
            "wards": ["E05011400"],
            "organisation": {"id": applicant, "name": f"Helping Hands {applicant}"},
            "standing": {"two_signatories": not applicant.startswith("GB-")},
            **changed,
        }
        return await self.call(f"applicant {applicant}", "POST", "/v1/applications", body, key=key)

    async def decide(
        self, application_id: str, decision: str, body: Mapping[str, object], *, key: str | None = None
    ) -> httpx2.Response:
        return await self.call("staff ann", "POST", f"/v1/applications/{application_id}/{decision}", body, key=key)

    async def facts(self) -> list[str]:
        """The types of all that was said, in order."""
        rows = await self.stage.rows("select headers from outbox order by position")
        return [row["headers"].split("furthest.grants.")[1].split(".v1")[0] for row in rows]


def _role(text: str) -> Role:
    return KeyAdded.model_validate({**KeyAdded.example, "role": text}).role


@pytest_asyncio.fixture
async def city(stage: Callable[[Service], Awaitable[Stage]]) -> AsyncIterator[City]:
    put = await stage(build(SETTINGS))
    worker = put.worker
    access = Access(NOWHERE, "grants", put.clock, read_to_the_end=True, heard_at=float("inf"))
    running = Running("grants", put.database, worker, Door(worker, put.clock), put.clock)
    app = build_app("grants", access, Health("grants", put.database), put.service.routers(running))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://grants") as http:
        yield City(put, http, access)
