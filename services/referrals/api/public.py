"""What everybody may read: the priority policy, and the catalogue of messages."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse

from chassis.http import NOT_FOUND
from chassis.service import Running
from contracts import asyncapi
from contracts.vocabulary import POINTS_A_DAY, Code
from services.referrals.domain.priority import Policy
from services.referrals.pages import messages
from services.referrals.store import Store
from services.referrals.store.policies import Adoption


def for_everybody(running: Running) -> APIRouter:
    router = APIRouter()
    _catalogue(router)

    @router.get("/v1/priority-policy", tags=["public"])
    @router.get("/v1/priority-policy/{version}", tags=["public"])
    async def policy(version: Code | None = None) -> dict[str, Any]:
        """How far a person is from being online, in points: published, and the same for everyone."""
        async with running.database.acquire() as conn:
            policies = Store(conn).policies
            p = (await policies.all()).get(version) if version else await policies.current()
            adoption = await policies.adoption(p.version) if p else None
        if p is None:
            raise NOT_FOUND
        return _published(p, adoption)

    return router


def _catalogue(router: APIRouter) -> None:
    @router.get("/messages", response_class=HTMLResponse, tags=["public"])
    async def page() -> HTMLResponse:
        """Every topic and message, for people."""
        return HTMLResponse(messages.render(), headers=messages.HEADERS)

    @router.get("/asyncapi.json", tags=["public"])
    async def document() -> JSONResponse:
        """Every topic and message, as an AsyncAPI document."""
        return JSONResponse(asyncapi.document())


def _published(p: Policy, adoption: Adoption | None) -> dict[str, Any]:
    return {
        "version": p.version,
        "points_for_each_group_that_applies": p.points_a_group,
        "groups": {name: sorted(codes) for name, codes in p.groups.items()},
        "area_points": [{"decile_up_to": decile, "points": points} for decile, points in p.area_steps],
        "points_for_each_day_of_waiting": POINTS_A_DAY,
        "words": adoption.words if adoption else _WORDS.format(points=p.points_a_group),
        "approved": {"by": adoption.approved_by, "on": adoption.approved_on} if adoption else None,
        "equality_note": adoption.equality_note if adoption else None,
    }


_WORDS = (
    "Those with the most barriers come first, and nobody waits for ever. Each of five groups of barriers that applies "
    "gives {points} points, however many barriers are in it; a deprived area gives up to 10 more. Every day of waiting "
    "gives one point, to everybody. Staff can put somebody before all others, with a reason and an end."
)
