"""Staff open funds and rounds and move them on; everybody sees what is open."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from chassis.disclosure import published
from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Staff
from chassis.service import Running
from contracts.calendar import day_of
from contracts.grants import FundOpened, RoundOpened, RoundRules
from contracts.vocabulary import Code
from services.grants.api.shapes import (
    Anybody,
    Decider,
    GapView,
    HistoryLine,
    LedgerLine,
    RankedLine,
    Ranking,
    RoundLine,
    RoundView,
    lines,
)
from services.grants.domain.awards import Application
from services.grants.domain.duplicates import Seen, duplicates
from services.grants.domain.ranking import ranking
from services.grants.domain.rounds import Round, london
from services.grants.handlers.acts import MoveRound, PutFund, PutRound, TopUpRound
from services.grants.store import views

ROUND = ("round_id", "fund_id", "budget_pence", "maximum_pence", "minimum_pence", "opens_at", "closes_at")


def add(router: APIRouter, running: Running) -> None:
    _acts(router, running)
    _views(router, running)
    _reports(router, running)


def _acts(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.put("/funds/{fund_id}", response_model=FundOpened, openapi_extra=body_of(PutFund, "fund_id"))
    async def put_fund(request: Request, fund_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Opens a fund, or names it anew."""
        return await door.accept(request, PutFund, staff.principal, key, fund_id=fund_id)

    @router.put("/rounds/{round_id}", response_model=RoundOpened, openapi_extra=body_of(PutRound, "round_id", "by"))
    async def put_round(request: Request, round_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Opens a round, or amends it: once it has opened, with a reason."""
        return await door.accept(request, PutRound, staff.principal, key, round_id=round_id, by=staff.principal)

    @router.post(
        "/rounds/{round_id}/top-ups", response_model=RoundOpened, openapi_extra=body_of(TopUpRound, "round_id", "by")
    )
    async def top_up(request: Request, round_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Adds what another funder gives. The reserve list moves up."""
        return await door.accept(request, TopUpRound, staff.principal, key, round_id=round_id, by=staff.principal)

    @router.post(
        "/rounds/{round_id}/stage", response_model=RoundOpened, openapi_extra=body_of(MoveRound, "round_id", "by")
    )
    async def move(request: Request, round_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Opens the assessment of a closed round, then its decisions, and finishes it; or cancels it."""
        return await door.accept(request, MoveRound, staff.principal, key, round_id=round_id, by=staff.principal)


def _views(router: APIRouter, running: Running) -> None:
    @router.get("/rounds")
    async def list_rounds(caller: Anybody) -> list[RoundLine]:
        """Every round, with its rules and its deadline. How many applied is for those who decide."""
        async with running.database.acquire() as conn:
            rows = await views.rounds(conn)
        sees = caller.role in {"approver", "staff"}
        return [_line(row, running.clock(), row["applications"] if sees else None) for row in rows]

    @router.get("/gaps")
    async def list_gaps(_caller: Anybody) -> list[GapView]:
        """Where people wait whom nobody can help, for those who plan a project; anew each day. Small ones hidden."""
        return await _gaps(running)

    @router.get("/rounds/{round_id}")
    async def get_round(round_id: Code, _caller: Decider) -> RoundView:
        """A round, its applications, what is left of its budget, and the gaps beside it."""
        rows = await _rows(running, round_id)
        seen = [
            Seen(a["application_id"], a["organisation_id"], a["organisation_name"], a["title"])
            for a in rows.applications
        ]
        round_ = rows.round
        return RoundView(
            **{name: round_[name] for name in ROUND},
            phase=_round(round_).phase(running.clock()),
            rules=round_["rules"],
            awarded_pence=round_["awarded_pence"],
            remaining_pence=round_["budget_pence"] - round_["awarded_pence"],
            applications=lines(rows.applications, duplicates(seen)),
            gaps=await _gaps(running),
        )


def _reports(router: APIRouter, running: Running) -> None:
    @router.get("/rounds/{round_id}/ranking")
    async def get_ranking(round_id: Code, _caller: Decider) -> Ranking:
        """Those with a result, the best first, and how far the budget reaches."""
        rows = await _rows(running, round_id)
        named = {row["application_id"]: row for row in rows.applications}
        budget = rows.round["budget_pence"]
        ranked = ranking((_application(row) for row in rows.applications), budget)
        return Ranking(
            round_id=round_id,
            budget_pence=budget,
            awarded_pence=rows.round["awarded_pence"],
            ranked=[
                RankedLine(
                    **{**named[each.application.application_id], "points": each.application.points},
                    rank=each.rank,
                    total=each.total,
                    running_pence=each.running_pence,
                    is_funded=each.is_funded,
                )
                for each in ranked
            ],
        )

    @router.get("/rounds/{round_id}/history")
    async def get_history(round_id: Code, _caller: Decider) -> list[HistoryLine]:
        """Every decision about a round and its applications: who, when, why."""
        async with running.database.acquire() as conn:
            return [HistoryLine(**row) for row in await views.history(conn, round_id=round_id)]

    @router.get("/rounds/{round_id}/ledger")
    async def get_ledger(round_id: Code, _caller: Decider) -> list[LedgerLine]:
        """Which grant opened which places, and which gaps that closed."""
        async with running.database.acquire() as conn:
            rows = await views.ledger(conn, round_id)
        return [LedgerLine(**{**row, "people": published(row["people"])}) for row in rows]


async def _rows(running: Running, round_id: str) -> views.RoundRows:
    async with running.database.acquire() as conn:
        rows = await views.round_rows(conn, round_id)
    if rows is None:
        raise NOT_FOUND
    return rows


async def _gaps(running: Running) -> list[GapView]:
    async with running.database.acquire() as conn:
        return [GapView(**row) for row in await views.gaps(conn, day_of(running.clock()))]


def _round(row: dict[str, Any]) -> Round:
    return Round(
        **{name: row[name] for name in (*ROUND, "awarded_pence", "stage")},
        rules=RoundRules.model_validate(row["rules"]),
    )


def _line(row: dict[str, Any], at: datetime, applications: int | None) -> RoundLine:
    round_ = _round(row)
    return RoundLine(
        **{name: row[name] for name in ROUND},
        fund_name=row["fund_name"],
        phase=round_.phase(at),
        deadline=london(round_.closes_at),
        rules=round_.rules,
        applications=applications,
    )


def _application(row: dict[str, Any]) -> Application:
    same = ("application_id", "round_id", "organisation_id", "amount_pence", "status", "awarded_pence", "paid_pence")
    return Application(
        **{name: row[name] for name in same},
        reserved_pence=row["reserved_pence"],
        points=row["points"] or 0,
        gap_points=row["gap_points"],
    )
