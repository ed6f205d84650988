"""The doors of reporting: the public page and the public tables, and exact counts for staff."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from chassis.http import Problem, Staff
from chassis.service import Running
from contracts.reporting import MetricPublished
from services.reporting.domain.measures import MEASURES, name_of
from services.reporting.pages import dashboard
from services.reporting.store.counts import Counts
from services.reporting.store.publication import Publication

PAGE_HEADERS: Final = {
    "Content-Security-Policy": dashboard.CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Metrics(BaseModel):
    """Every table of counts as it was published last; each tells when it last changed."""

    metrics: list[MetricPublished]


class ExactCounts(BaseModel):
    """Counts as they are, for staff."""

    for_publication: bool = False
    note: str = "Exact counts, small ones included: for staff only. Publish the tables of /v1/metrics instead."
    counts: dict[str, dict[str, int]]


def routes(running: Running) -> APIRouter:
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse, tags=["public"])
    async def page() -> HTMLResponse:
        """The numbers, for people."""
        async with running.database.acquire() as conn:
            published, names = await Publication(conn).published(), await Counts(conn).area_names()
        return HTMLResponse(dashboard.render(published, names), headers=PAGE_HEADERS)

    @router.get("/v1/metrics", tags=["public"])
    async def metrics() -> Metrics:
        """Every table of counts that is published, safe for everybody."""
        async with running.database.acquire() as conn:
            published = await Publication(conn).published()
        return Metrics(metrics=[published[name] for name in sorted(published)])

    @router.get("/v1/metrics/{measure}", tags=["public"])
    async def metric(measure: str) -> MetricPublished:
        """One table of counts."""
        known = next((one for one in MEASURES if one == measure), None)
        if known is None:
            raise Problem(404, f"There is no such measure. There are {', '.join(MEASURES)}.")
        async with running.database.acquire() as conn:
            published = await Publication(conn).published()
        if (table := published.get(name_of(known))) is None:
            raise Problem(404, f"Nothing was counted yet for {known}. Ask again when there are referrals.")
        return table

    @router.get("/v1/counts", tags=["staff"])
    async def counts(_caller: Staff) -> ExactCounts:
        """How many there are exactly, and how many records were read. Not for publication."""
        async with running.database.acquire() as conn:
            return ExactCounts(counts=await Counts(conn).exact())

    return router
