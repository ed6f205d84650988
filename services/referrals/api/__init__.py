"""The HTTP doors: partners refer and look up, staff decide, services ask how to reach a person."""

from collections.abc import Sequence

from fastapi import APIRouter

from chassis.service import Running
from services.referrals.api.contacts import for_contacting, for_providers, for_services
from services.referrals.api.partners import for_partners
from services.referrals.api.public import for_everybody
from services.referrals.api.sims import for_sims
from services.referrals.api.staff import for_staff
from services.referrals.api.why import for_those_who_ask
from services.referrals.clients.outbox import Outbox
from services.referrals.handlers.gate import Gate
from services.referrals.pages import people

__all__ = ["for_services", "routes"]


def routes(running: Running, gate: Gate, outbox: Outbox) -> Sequence[APIRouter]:
    return [
        for_partners(running, outbox),
        for_staff(running),
        for_those_who_ask(running, gate.programme),
        for_providers(running, gate),
        for_sims(running, gate.programme.vault),
        for_contacting(running),
        for_everybody(running),
        people.routes(running, gate),
    ]
