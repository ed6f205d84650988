"""A whole deployment: five services, their servers, three partners."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.stack import Stack
from deploy.partners import add_key, add_partner


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
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, input=given)

    def url(self, service: str) -> str:
        address: str = self.addresses["services"][service]["http"]
        return address

    def database(self, service: str) -> str:
        address: str = self.addresses["services"][service]["database"]
        return address


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    stack = Stack(folder)
    try:
        stack.up()
        partners = {name: add_partner(stack.site, name) for name in ("gp-armley", "food-bank", "library-service")}
        staff = add_key(stack.site, "staff", "tester")["api_key"]
        yield Deployment(stack, stack.addresses(), partners, staff)
    finally:
        stack.down()
