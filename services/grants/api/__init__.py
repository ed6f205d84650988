"""The HTTP doors of grants: organisations apply and report, assessors score, approvers decide, staff run it all."""

from fastapi import APIRouter

from chassis.service import Running
from services.grants.api import applications, assessment, attachments, decisions, letters, publication, rounds
from services.grants.api.letters import for_services

__all__ = ["for_services", "routes"]


def routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1")
    for room in (rounds, applications, attachments, letters, assessment, decisions, publication):
        room.add(router, running)
    return router
