"""Awards as 360Giving publishes them: JSON, CSV and Excel. No individuals."""

from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from chassis.access import Caller
from chassis.http import NOT_FOUND, role
from chassis.service import Running
from contracts.vocabulary import Code
from services.grants.domain.publication import Awarded, package
from services.grants.handlers.spreadsheets import to_csv, to_xlsx
from services.grants.store import views

Reader = Annotated[Caller, Depends(role("reader", "approver", "staff"))]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add(router: APIRouter, running: Running) -> None:
    @router.get("/awards", response_class=JSONResponse)
    async def get_awards(
        _caller: Reader,
        round_id: Annotated[Code | None, Query(description="Of this round alone.")] = None,
        format: Annotated[Literal["json", "csv", "xlsx"], Query(description="How it is written.")] = "json",  # noqa: A002 - as those who ask call it
    ) -> Response:
        """All awards, or those of a round, in 360Giving 1.4.3. 404 where there is none yet."""
        async with running.database.acquire() as conn:
            rows = await views.awards(conn, round_id)
        if not rows:
            raise NOT_FOUND
        published = package([_awarded(row) for row in rows], running.clock())
        if format == "json":
            return JSONResponse(published)
        write, media_type = (to_csv, "text/csv; charset=utf-8") if format == "csv" else (to_xlsx, XLSX)
        content = await anyio.to_thread.run_sync(write, published["grants"])
        headers = {"Content-Disposition": f'attachment; filename="grants.{format}"'}
        return Response(content, media_type=media_type, headers=headers)


def _awarded(row: dict[str, Any]) -> Awarded:
    funder = (row["funder_id"], row["funder_name"]) if row["funder_id"] else None
    same = {
        name: row[name] for name in Awarded.__dataclass_fields__ if name not in {"application_id", "wards", "funder"}
    }
    wards = [(code, name) for code, _, name in (ward.partition("|") for ward in row["wards"])]
    return Awarded(application_id=str(row["application_id"]), wards=wards, funder=funder, **same)
