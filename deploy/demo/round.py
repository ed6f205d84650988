"""A grant round of the demo: groups apply at once, assessors score, awards go to the last pound, a gap closes."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx2

from contracts.door import PlaceUpdated
from contracts.vocabulary import Role
from deploy.demo.doors import Doors, HttpDoor
from deploy.errors import DeployError

ROUND: Final = "demo"
NAMES: Final = (
    "Harehills Community Centre",
    "Armley Helping Hands",
    "Beeston Women's Circle",
    "Holbeck Together",
    "Gipton Gardeners",
    "Seacroft Online",
    "Chapeltown Elders",
    "Burmantofts Drop-in",
)
MAIL_TO: Final = tuple(f"group-{n}@example.org" for n in range(len(NAMES)))
ASSESSORS: Final = ("assessor-amy", "assessor-ben", "assessor-cho")
KEYS: Final[tuple[tuple[Role, str], ...]] = (
    ("staff", "demo"),
    ("approver", "demo-approver"),
    *(("assessor", name) for name in ASSESSORS),
    *(("applicant", f"GB-CHC-{1_110_522 + n}") for n in range(len(NAMES))),
)
"""Whose keys a round needs."""
ADVICE: Final = "Say how you will reach people who do not come to you."
ASKED_PENCE: Final = 400_000
BUDGET_PENCE: Final = 3 * ASKED_PENCE
CRITERIA: Final = [
    {"code": "need", "title": "Meets a need that nobody meets", "weight": 60},
    {"code": "people", "title": "Knows the people it is for", "weight": 40},
]


@dataclass(slots=True)
class GrantRound:
    """`doors` are those of the provider that opens what is funded. `shown` is what the summary prints."""

    keys: Mapping[tuple[Role, str], str]
    services: Mapping[str, Any]
    http: httpx2.AsyncClient
    provider: Doors
    place: PlaceUpdated
    shown: dict[str, Any] = field(default_factory=dict)

    async def run(self) -> None:
        await self._open()
        await self._apply()
        await self._close()
        await self._assess()
        ranked = (await self._ask("staff", "demo", "GET", f"/v1/rounds/{ROUND}/ranking"))["ranked"]
        await self._decide([each["application_id"] for each in ranked])
        await self._fund()

    async def look(self) -> None:
        """What became of it, when all is at rest again."""
        self.shown = await self._ask("staff", "demo", "GET", f"/v1/rounds/{ROUND}/ranking")
        ledger = await self._ask("staff", "demo", "GET", f"/v1/rounds/{ROUND}/ledger")
        self.shown["wards_with_gaps_closed"] = sum(line["area"] is not None for line in ledger)
        self.shown["published"] = len((await self._ask("staff", "demo", "GET", "/v1/awards"))["grants"])

    async def _open(self) -> None:
        fund = {"name": "Digital inclusion fund"}
        await self._ask("staff", "demo", "PUT", "/v1/funds/digital", fund)
        await self._put_round(datetime.now(UTC) + timedelta(days=30))
        for name in ASSESSORS:
            own = [f"GB-CHC-{1_110_522}"] if name == ASSESSORS[0] else []
            await self._ask("staff", "demo", "PUT", f"/v1/assessors/{name}", {"organisations": own})

    async def _put_round(self, closes_at: datetime, why: str | None = None) -> None:
        asked = {
            "fund_id": "digital",
            "budget_pence": BUDGET_PENCE,
            "maximum_pence": ASKED_PENCE,
            "opens_at": "2026-01-01T09:00:00Z",
            "closes_at": closes_at.isoformat(),
            "rules": {"criteria": CRITERIA, "spread_limit": 60},
            "why": why,
        }
        await self._ask("staff", "demo", "PUT", f"/v1/rounds/{ROUND}", asked)

    async def _apply(self) -> None:
        """All at once."""
        await asyncio.gather(*(self._apply_one(n) for n in range(len(NAMES))))

    async def _apply_one(self, nth: int) -> Any:
        organisation = f"GB-CHC-{1_110_522 + nth}"
        body = {
            "round_id": ROUND,
            "title": f"Digital Champions at {NAMES[nth]}",
            "amount_pence": ASKED_PENCE,
            "kinds": [self.place.kind],
            "organisation": {"id": organisation, "name": NAMES[nth]},
            "email": MAIL_TO[nth],
            "places": [{"kind": self.place.kind, "capacity": self.place.capacity - 2 * nth}],
            "delivers_as": {"partner": self.provider.http.credentials["id"], "provider_id": self.place.provider_id},
        }
        return await self._ask("applicant", organisation, "POST", "/v1/applications", body)

    async def _close(self) -> None:
        await self._put_round(datetime.now(UTC), "The demo does not wait for a month.")
        await self._ask("staff", "demo", "POST", f"/v1/rounds/{ROUND}/stage", {"to": "assessing"})

    async def _assess(self) -> None:
        given = await self._ask("staff", "demo", "POST", f"/v1/rounds/{ROUND}/assignment")
        for nth, each in enumerate(given):
            scores = {"need": 3 + nth % 3, "people": 2 + nth % 4}
            path = f"/v1/applications/{each['application_id']}/scores"
            body = {"scores": scores, "comment": "Made up for the demo."}
            await self._ask("assessor", each["assessor"], "POST", path, body)
        await self._ask("staff", "demo", "POST", f"/v1/rounds/{ROUND}/stage", {"to": "deciding"})

    async def _decide(self, ranked: Sequence[str]) -> None:
        """The first three are awarded, the next is reserved, the rest declined; the third falls away."""
        promised = {"amount_pence": ASKED_PENCE, "decided_under": "Delegated decision 2026-14"}
        for nth, application in enumerate(ranked):
            decision = "award" if nth < 3 else "reserve" if nth == 3 else "decline"
            body = {"reason": "outside-budget", "advice": ADVICE} if decision == "decline" else promised
            await self._ask("approver", "demo-approver", "POST", f"/v1/applications/{application}/{decision}", body)
        path = f"/v1/applications/{ranked[2]}/withdrawal"
        await self._ask("staff", "demo", "POST", path, {"reason": "project-stopped"})

    async def _fund(self) -> None:
        """Half is paid to the first that is awarded, and the provider opens the place that this pays for."""
        ranked = (await self._ask("staff", "demo", "GET", f"/v1/rounds/{ROUND}/ranking"))["ranked"]
        first = next(each["application_id"] for each in ranked if each["status"] == "awarded")
        payment = {"instalment": 1, "amount_pence": ASKED_PENCE // 2}
        await self._ask("staff", "demo", "POST", f"/v1/applications/{first}/payments", payment)
        opened = self.place.model_copy(update={"place_id": f"{first}-{self.place.kind}", "funded_by": first})
        await self.provider.supply(opened, f"o-{opened.place_id}", "kafka")

    async def _ask(self, role: Role, who: str, method: str, path: str, body: Any = None) -> Any:
        """Raises DeployError where it is refused: nothing in this round is to be."""
        door = HttpDoor({"id": who, "api_key": self.keys[role, who]}, dict(self.services), self.http)
        sent = b"" if body is None else json.dumps(body).encode()
        answer = await door.call(method, "grants", path, uuid4().hex, sent)
        if answer.status_code >= 400:
            raise DeployError(f"grants refused {method} {path}: {answer.text}")
        return answer.json() if answer.content else None
