"""A whole deployment: five services, their servers, three partners."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from deploy.embedded.processes import wait_until
from deploy.embedded.stack import Stack
from deploy.partners import add_key, add_partner

WITH_KEY = {
    "referrals": "/v1/outbox",
    "matching": "/v1/queue",
    "notifications": "/v1/call-tasks",
    "grants": "/v1/rounds",
    "reporting": "/v1/counts",
}
"""A door of each service that opens by a key alone."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a test may use: addresses, credentials of partners, and a key of staff."""

    stack: Stack
    addresses: dict[str, Any]
    partners: dict[str, dict[str, Any]]
    staff_key: str

    def furthest(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """The command, with this as its standard input, as somebody runs it who cannot be asked."""
        command = [sys.executable, "-m", "deploy.cli", *words, "--dir", str(self.stack.dir)]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, input=given)

    def url(self, service: str) -> str:
        address: str = self.addresses["services"][service]["http"]
        return address

    def client(self, service: str, key: str = "") -> httpx2.AsyncClient:
        """Somebody at the doors of a service, who is as patient as a slow machine needs."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=self.url(service), headers=headers, timeout=60)

    def database(self, service: str) -> str:
        address: str = self.addresses["services"][service]["database"]
        return address


def _know_all_keys(deployment: Deployment) -> bool:
    """Keys come in their order: who knows the newest knows all."""
    key = {"Authorization": f"Bearer {deployment.staff_key}"}
    doors = (f"{deployment.url(service)}{path}" for service, path in WITH_KEY.items())
    return all(httpx2.get(door, headers=key, timeout=60).status_code in {200, 403} for door in doors)


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    stack = Stack(folder)
    try:
        stack.up()
        partners = {name: add_partner(stack.site, name) for name in ("gp-armley", "food-bank", "library-service")}
        staff = add_key(stack.site, "staff", "tester")["api_key"]
        everything = Deployment(stack, stack.addresses(), partners, staff)
        wait_until(lambda: _know_all_keys(everything), 60, "the services to know the newest key")
        yield everything
    finally:
        stack.down()
