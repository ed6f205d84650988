"""The HTTP doors: partners refer and look up, staff decide, services ask how to reach a person."""

from collections.abc import Sequence

from fastapi import APIRouter

from chassis.service import Running
from services.referrals.api.contacts import for_providers, for_services
from services.referrals.api.partners import for_partners
from services.referrals.api.public import for_everybody
from services.referrals.api.staff import for_staff
from services.referrals.api.why import for_those_who_ask
from services.referrals.clients.outbox import Outbox
from services.referrals.handlers.submission import Programme

__all__ = ["for_services", "routes"]


def routes(running: Running, programme: Programme, outbox: Outbox) -> Sequence[APIRouter]:
    return [
        for_partners(running, outbox),
        for_staff(running),
        for_those_who_ask(running, programme),
        for_providers(running, programme),
        for_everybody(running),
    ]
