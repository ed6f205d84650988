"""The doors of reporting: public pages, tables and files; and exact counts for staff."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from chassis.http import Problem, Staff
from chassis.service import Running
from contracts.reporting import MetricPublished
from services.reporting.domain.measures import BY_NAME
from services.reporting.domain.words import WORDS
from services.reporting.pages import files, page
from services.reporting.store.counts import Counts, Step
from services.reporting.store.editions import Editions
from services.reporting.store.measures import Measures

ETAGS: Final = re.compile(r'\*|(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*')
KEPT: Final = "public, max-age=31536000, immutable"
LONGEST: Final = timedelta(days=400)
TEXT: Final = r"^[^\x00]*$"
"""What Postgres takes as a text."""
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many tables.")]
After = Annotated[str, Query(max_length=200, pattern=TEXT, description="The `next` of the page before.")]
Period = Annotated[
    str | None, Query(max_length=40, pattern=TEXT, description="Such as now, 2026-11, or 2026-27-to-2026-11.")
]
Of = Annotated[str | None, Query(max_length=40, description="Only of this measure.")]
By = Annotated[str | None, Query(max_length=60, description="What to count by, such as kind,ward. Empty: the total.")]


class Metrics(BaseModel):
    """Published tables by name. `next` is what to send as `after` for more; none where there are no more."""

    metrics: list[MetricPublished]
    next: str | None


class Dictionary(BaseModel):
    """What every measure, column and code means."""

    dictionary: list[dict[str, Any]]


class ExactCounts(BaseModel):
    """Counts as they are, for staff."""

    for_publication: bool = False
    note: str = "Exact counts, small ones included: for staff only. Publish the tables of /v1/metrics instead."
    counts: dict[str, dict[str, int]]


def routes(running: Running) -> APIRouter:
    router = APIRouter()
    _pages(router, running)
    _data(router, running)
    _files(router, running)
    _for_staff(router, running)
    return router


def _pages(router: APIRouter, running: Running) -> None:
    def serve(shown: page.Page) -> None:
        @router.get(shown.path, response_class=HTMLResponse, tags=["public"], summary=shown.title)
        async def show(request: Request) -> Response:
            async with running.database.acquire() as conn:
                published, names = await Editions(conn).for_pages(), await Measures(conn).names()
            body = page.render(shown, published, names).encode()
            return _answer(request, body, "text/html; charset=utf-8", page.HEADERS)

    for each in page.PAGES:
        serve(each)

    @router.get(page.STYLE_PATH, include_in_schema=False)
    async def style() -> Response:
        return Response(page.STYLE, media_type="text/css", headers={"Cache-Control": KEPT})


def _data(router: APIRouter, running: Running) -> None:
    @router.get("/v1/metrics", tags=["public"], response_model=Metrics)
    async def metrics(
        request: Request, measure: Of = None, period: Period = None, after: After = "", limit: Limit = 100
    ) -> Response:
        """Every published table, page by page."""
        _only(request, "measure", "period", "after", "limit")
        async with running.database.acquire() as conn:
            found = await _some(Editions(conn), measure, period, after, limit + 1)
        more = found[limit - 1].name if len(found) > limit else None
        return _json(request, Metrics(metrics=found[:limit], next=more))

    @router.get("/v1/metrics/{measure}", tags=["public"], response_model=MetricPublished)
    async def metric(request: Request, measure: str, period: Period = None, by: By = None) -> Response:
        """One table: of a period, by what it counts by; with `kind=device` and the like only some rows of it."""
        _known(measure)
        _only(request, "period", "by", *WORDS)
        async with running.database.acquire() as conn:
            tables = await Editions(conn).all("measure = $1", measure)
        table = _by(_of(tables, measure, period, by), measure, by)
        chosen = {word: code for word, code in request.query_params.items() if word in WORDS}
        return _json(request, _rows(table, chosen))

    @router.get("/v1/dictionary", tags=["public"], response_model=Dictionary)
    async def dictionary(request: Request) -> Response:
        """What every measure, column and code means."""
        _only(request)
        return _json(request, Dictionary(dictionary=files.dictionary()))


def _files(router: APIRouter, running: Running) -> None:
    async def chosen(request: Request, measure: str | None, period: str | None) -> list[MetricPublished]:
        _only(request, "measure", "period")
        async with running.database.acquire() as conn:
            return await _some(Editions(conn), measure, period)

    @router.get("/v1/data.csv", tags=["public"], response_class=Response)
    async def as_csv(request: Request, measure: Of = None, period: Period = None) -> Response:
        """All published values as CSV."""
        return _answer(request, files.as_csv(await chosen(request, measure, period)), "text/csv; charset=utf-8")

    @router.get("/v1/data.parquet", tags=["public"], response_class=Response)
    async def as_parquet(request: Request, measure: Of = None, period: Period = None) -> Response:
        """All published values as Parquet."""
        body = files.as_parquet(await chosen(request, measure, period))
        return _answer(request, body, "application/vnd.apache.parquet")

    @router.get("/v1/dictionary.csv", tags=["public"], response_class=Response)
    async def dictionary(request: Request) -> Response:
        """What every measure, column and code means, as CSV."""
        _only(request)
        return _answer(request, files.dictionary_csv(), "text/csv; charset=utf-8")


def _for_staff(router: APIRouter, running: Running) -> None:
    @router.get("/v1/counts", tags=["staff"])
    async def counts(request: Request, caller: Staff) -> ExactCounts:
        """How many there are exactly, and how many records were read. Not for publication: who looks is noted."""
        _only(request)
        async with running.database.acquire() as conn, conn.transaction():
            await Counts(conn).looked_at(running.clock(), caller.principal, "counts")
            return ExactCounts(counts=await Counts(conn).exact())

    @router.get("/v1/counts/by-{step}", tags=["staff"])
    async def over_time(request: Request, caller: Staff, step: Step, first: date, last: date) -> ExactCounts:
        """How many were referred, taken on and ended exactly, by day or week. Not for publication: this is noted."""
        _only(request, "first", "last")
        if not timedelta() <= last - first <= LONGEST:
            raise Problem(422, f"`first` is to be a day before `last`, and no more than {LONGEST.days} days before it.")
        async with running.database.acquire() as conn, conn.transaction():
            await Counts(conn).looked_at(running.clock(), caller.principal, f"counts by {step}")
            return ExactCounts(counts=await Counts(conn).over_time(step, first, last))


async def _some(
    editions: Editions, measure: str | None, period: str | None, after: str = "", limit: int | None = None
) -> list[MetricPublished]:
    """Published tables by name. Raises Problem where there is nothing of that kind."""
    if measure is not None:
        _known(measure)
    found = await editions.all(
        "($1::text is null or measure = $1) and ($2::text is null or period = $2) and name > $3",
        measure,
        period,
        after,
        limit=limit,
    )
    if not found and after:
        raise Problem(404, "There is no page after this. Begin again without `after`.")
    if not found:
        raise Problem(
            404, f"Nothing is published of that. Periods are {', '.join(await editions.periods()) or 'none'}."
        )
    return found


def _known(measure: str) -> None:
    if measure not in BY_NAME:
        raise Problem(404, f"There is no such measure. There are {', '.join(BY_NAME)}.")


def _only(request: Request, *known: str) -> None:
    """A word that is not known, or that comes twice, would be passed over, and the answer be of something else than
    was asked."""
    if set(request.query_params) - set(known):
        raise Problem(422, f"One of the filters is not known here. There are {', '.join(known) or 'none'}.")
    if len(request.query_params.multi_items()) > len(request.query_params):
        raise Problem(422, "One of the filters is there twice. Ask for one at a time.")


def _of(tables: Sequence[MetricPublished], measure: str, period: str | None, by: str | None) -> list[MetricPublished]:
    """Those of a period, or of the newest that counts so."""
    if not tables:
        raise Problem(404, f"Nothing was published yet of {measure}. Ask again when there are referrals.")
    so = [table for table in tables if by is not None and table.by == _words(by)] or tables
    wanted = period or max(so, key=lambda table: (table.ends_on, "-to-" in table.period)).period
    found = [table for table in tables if table.period == wanted]
    if not found:
        there = sorted({table.period for table in tables})
        raise Problem(404, f"There is no such period of {measure}. There are {', '.join(there)}.")
    return found


def _by(tables: Sequence[MetricPublished], measure: str, by: str | None) -> MetricPublished:
    wanted = tables[0].by if by is None else _words(by)
    for table in tables:
        if table.by == wanted:
            return table
    there = "; ".join(",".join(table.by) or "the total" for table in tables)
    raise Problem(
        422,
        f"{measure} is not published so for this period: it would be mostly hidden, or disclose small numbers. "
        f"It is published by {there}. Larger areas and the year to date may have more.",
    )


def _words(by: str) -> list[str]:
    return [word for word in by.split(",") if word]


def _rows(table: MetricPublished, chosen: dict[str, str]) -> MetricPublished:
    """Those rows of a published table that have these codes: no more is known of them than the table tells."""
    if unknown := [word for word in chosen if word not in table.by]:
        raise Problem(
            422,
            f"This table does not count by {', '.join(unknown)}: it counts by {', '.join(table.by) or 'nothing'}. "
            "Name what to count by with `by`.",
        )
    cells = [
        cell for cell in table.cells if all(cell.codes[table.by.index(word)] == code for word, code in chosen.items())
    ]
    if not cells:
        codes = {word: sorted({cell.codes[table.by.index(word)] for cell in table.cells}) for word in chosen}
        listed = "; ".join(f"{word}: {', '.join(those[:50])}" for word, those in codes.items())
        raise Problem(422, f"No row has that. There are {listed}.")
    return table.model_copy(update={"cells": cells})


def _json(request: Request, model: BaseModel) -> Response:
    return _answer(request, model.model_dump_json().encode(), "application/json")


def _answer(request: Request, body: bytes, kind: str, headers: dict[str, str] | None = None) -> Response:
    """What changed is sent; who has it already is told so."""
    asked = request.headers.get("if-none-match")
    if asked is not None and not ETAGS.fullmatch(asked.strip()):
        raise Problem(400, 'If-None-Match is to hold the ETag of an answer, quotes included, such as "5f3a".')
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    all_headers = {"Cache-Control": "no-cache", **(headers or {}), "ETag": etag}
    if asked is not None and (asked.strip() == "*" or etag in asked):
        return Response(status_code=304, headers=all_headers)
    return Response(body, media_type=kind, headers=all_headers)
