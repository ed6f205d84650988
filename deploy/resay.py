"""Kafka was lost: services take up a new one, and say again what they said in the last 29 days."""

from datetime import UTC, datetime

from chassis import resay
from chassis.facts import Fact
from chassis.postgres import connected
from contracts.access import KeyAdded
from contracts.message import SERVICES, Service
from contracts.topics import partner_of
from deploy import provision
from deploy.errors import DeployError
from deploy.site import Site
from services.referrals.handlers.partners import SayKeys


async def must_be_stopped(site: Site) -> None:
    """Raises DeployError where a service runs."""
    for service in SERVICES:
        roles = site.roles(service)
        async with connected(roles.owner) as conn:
            if await resay.is_running(conn, roles.app.user):
                raise DeployError(f"{service} runs. Stop all services first; nothing was changed.")


async def say_again(site: Site) -> dict[Service, int]:
    """How many facts of each service wait to be said again. All services are stopped."""
    at, said, told = datetime.now(UTC), dict[Service, int](), set[str]()
    for service in SERVICES:
        async with connected(site.roles(service).owner) as conn:
            said[service] = await resay.take_up(conn, at)
            told |= await resay.topics(conn)
    keys = [fact.data for fact in await site.act("referrals", SayKeys()) if isinstance(fact, Fact)]
    partners = {partner_of(topic) for topic in told} | {
        key.principal for key in keys if isinstance(key, KeyAdded) and key.role == "partner"
    }
    admin = site.admin()
    for partner in sorted(filter(None, partners)):
        provision.apply_partner(admin, partner)
    return said
