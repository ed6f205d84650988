"""A service's HTTP doors, as a command uses them for a member of staff or a partner: with a key of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx2

from contracts.message import Service
from contracts.vocabulary import Role
from deploy.errors import DeployError
from deploy.partners import add_key
from deploy.site import Site

PATIENCE: Final = 15.0
LIVES: Final = timedelta(hours=1)
"""The key that a command works with."""


@dataclass(slots=True)
class Desk:
    """Waits a little for a key that was only just made."""

    service: Service
    http: httpx2.Client
    api_key: str

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx2.Response:
        """The answer, whatever it is; `key` is an Idempotency-Key. Raises DeployError where there is none."""
        deadline = time.monotonic() + PATIENCE
        while True:
            response = self._send(method, path, body, key)
            if response.status_code not in {401, 503} or time.monotonic() > deadline:
                return response
            time.sleep(0.2)

    def do(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """The answer where it was done. Raises DeployError with every reason where it was refused."""
        response = self.ask(method, path, body)
        if response.status_code < 400:
            return response
        problem = response.json() if "json" in response.headers.get("Content-Type", "") else {}
        reasons = [f"{error['field']}: {error['message']} {error['mend']}" for error in problem.get("errors", ())]
        told = problem.get("detail") or f"{self.service} answered {response.status_code}."
        raise DeployError("\n".join(reasons) or told)

    def _send(self, method: str, path: str, body: Any, key: str | None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.api_key}", **({"Idempotency-Key": key} if key else {})}
        try:
            return self.http.request(method, path, json=body, headers=headers)
        except httpx2.HTTPError as error:
            told = f"{self.service} does not answer ({type(error).__name__}). See: furthest status"
            raise DeployError(told) from error


@contextmanager
def desk(site: Site, service: Service, role: Role, principal: str) -> Iterator[Desk]:
    key = add_key(site, role, principal, LIVES)
    with httpx2.Client(base_url=site.urls[service], timeout=30) as http:
        yield Desk(service, http, key["api_key"])
