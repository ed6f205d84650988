"""`furthest resay`: a new Kafka in the place of one that was lost."""

import asyncio
from collections.abc import Mapping

from contracts.message import Service
from deploy import resay as how
from deploy.console import DEFAULT_DIR, AsJson, Dir, Yes, confirm, out, show
from deploy.where import site_of


def resay(yes: Yes = False, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Take up a new, empty Kafka after the one before was lost, and say again what was said in 29 days.

    All services must be stopped. Never do it while the old Kafka can still be had: what it has is lost by it.
    """
    site = site_of(dir)
    asyncio.run(how.must_be_stopped(site))
    if not yes:
        confirm("Is Kafka lost for good, and the new one empty?", as_json)
    said = asyncio.run(how.say_again(site))
    show({"to_be_said_again": said}, as_json, lambda: _show(said))


def _show(said: Mapping[Service, int]) -> None:
    for service, number in said.items():
        out.print(f"{service}: {number:,} facts will be said again when it starts.")
    out.print("Now start the services, and make new credentials for each partner: furthest partner rotate ID")
