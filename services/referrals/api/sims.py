"""The data SIMs that providers gave: written down by them or by staff, and shown to nobody else."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Staff
from chassis.sealing import Vault
from chassis.service import Running
from services.referrals.api.why import Reason
from services.referrals.handlers.sims import WriteSim, WriteSimForProvider, opened
from services.referrals.store import Store


def for_sims(running: Running, vault: Vault) -> APIRouter:
    router = APIRouter()
    _of_providers(router, running, vault)
    _of_staff(router, running, vault)
    return router


def _of_providers(router: APIRouter, running: Running, vault: Vault) -> None:
    @router.put(
        "/v1/needs/{need_id}/sim", status_code=202, tags=["partners"], openapi_extra=body_of(WriteSim, "need_id")
    )
    async def write(
        need_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Write down the data SIM that you gave. The number is a person's: send it here and nowhere else."""
        await running.door.accept(request, WriteSim, caller.principal, idempotency_key, need_id=need_id)
        return {"status": "accepted"}

    @router.get("/v1/needs/{need_id}/sim", tags=["partners"])
    async def look(need_id: UUID, caller: Partner) -> dict[str, Any]:
        """What you wrote down. Every look is kept."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            sim = await store.sims.of_need(need_id)
            if sim is None or sim["provider"] != caller.principal:
                raise NOT_FOUND
            looked = (sim["referral_id"], caller.principal, "sim", "send", None, running.clock())
            await store.referrals.audit([looked])
        return opened(vault, sim)


def _of_staff(router: APIRouter, running: Running, vault: Vault) -> None:
    @router.put(
        "/v1/staff/needs/{need_id}/sim",
        status_code=202,
        tags=["staff"],
        openapi_extra=body_of(WriteSimForProvider, "need_id", "by"),
    )
    async def write(
        need_id: UUID, request: Request, staff: Staff, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Write down the data SIM that a provider gave, for that provider."""
        who, model = staff.principal, WriteSimForProvider
        await running.door.accept(request, model, who, idempotency_key, need_id=need_id, by=who)
        return {"status": "accepted"}

    @router.get("/v1/staff/needs/{need_id}/sim", tags=["staff"])
    async def look(need_id: UUID, reason: Reason, staff: Staff) -> dict[str, Any]:
        """The data SIM of a need. Every look is kept, with its reason."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            sim = await store.sims.of_need(need_id)
            if sim is None:
                raise NOT_FOUND
            looked = (sim["referral_id"], need_id, "read-sim", staff.principal, reason)
            await store.changes.note_acts([looked], running.clock())
        return opened(vault, sim)
