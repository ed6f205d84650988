"""Dead letters of every service: found, explained, settled. Their bodies stay sealed."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from chassis import letter_rows
from chassis.letter_rows import Which
from chassis.logs import configure
from chassis.postgres import connect_pool
from chassis.settle import Order, Settled, settler
from contracts.message import SERVICES, Service
from deploy.errors import DeployError
from deploy.site import Site
from deploy.wiring import build

AT_ONCE: Final = 10_000
"""How many letters a filter may pick."""


async def listed(site: Site, services: Sequence[Service], which: Which, limit: int) -> list[dict[str, Any]]:
    """The newest first, of each service, as {service, id, topic, ...}."""
    found: list[dict[str, Any]] = []
    for service in services or SERVICES:
        async with site.connected(service) as conn:
            found += [{"service": service, **row} for row in await letter_rows.find(conn, which, limit)]
    return found


async def shown(site: Site, service: Service, number: int) -> dict[str, Any]:
    """One dead letter, with those parked behind it. Raises DeployError where there is none."""
    async with site.connected(service) as conn:
        rows = await letter_rows.named(conn, [number])
        if not rows:
            raise _nothing(service, [number])
        parked, done = await letter_rows.behind(conn, rows[0]), await letter_rows.history(conn, rows[0])
    return {"service": service, **rows[0], "parked_behind": [dict(p) for p in parked], "done": [dict(d) for d in done]}


async def must_be_unsettled(site: Site, service: Service, ids: Sequence[int]) -> None:
    """Raises DeployError where one of these is not there, or was settled."""
    async with site.connected(service) as conn:
        found = {row["id"]: row["settled"] for row in await letter_rows.named(conn, ids)}
    if missing := [number for number in ids if number not in found]:
        raise _nothing(service, missing)
    if settled := [f"{number} was {found[number]}" for number in ids if found[number]]:
        raise DeployError(f"Nothing was done: of {service}, {', '.join(settled)} before.")


async def picked(site: Site, service: Service, which: Which) -> list[int]:
    """The unsettled letters that a filter picks. Raises DeployError where they are too many."""
    found = await listed(site, [service], which, AT_ONCE + 1)
    if len(found) > AT_ONCE:
        raise DeployError(f"More than {AT_ONCE} letters agree with that. Pick fewer, such as one topic or a time.")
    return [letter["id"] for letter in found]


async def settle(site: Site, service: Service, order: Order, ids: Sequence[int]) -> list[Settled]:
    """Settles letters on the service's database, whether it runs or not. What is said waits for its relay."""
    configure(service, sys.stderr)
    settings = site.settings(service)
    async with await connect_pool(settings.database) as database:
        return await settler(build(service, settings), database, settings.sealing_key).run(order, ids)


def document(service: Service, order: Order, done: Sequence[Settled]) -> dict[str, Any]:
    """What was done, or in a rehearsal would be, as one JSON document."""
    return {
        "act": order.act,
        "service": service,
        "dry_run": order.rehearse,
        "by": order.warrant.who,
        "reason": order.warrant.why,
        "discarded": sum(len(key.discarded) for key in done),
        "replayed": sum(len(key.replayed) for key in done),
        "failed": sum(key.failed is not None for key in done),
        "keys": [asdict(key) for key in done],
    }


def _nothing(service: Service, ids: Sequence[int]) -> DeployError:
    numbers = ", ".join(str(number) for number in ids)
    return DeployError(f"{service} has no dead letter {numbers}. List them with: furthest dead-letters list --all")
