"""Named points at which a test can have this process killed, as `kill -9` would, and guards it can switch off."""

import os
import signal
from collections import Counter
from typing import Final, Literal

_KILL_AT, _, _NTH = os.environ.get("FURTHEST_TEST_KILL_AT", "").partition(":")
_OFF = os.environ.get("FURTHEST_TEST_OFF", "")
_passed: Final[Counter[str]] = Counter()

Guard = Literal["offset-row", "id-claim", "outbox", "ordering"]


def failpoint(name: str) -> None:
    """Does nothing unless FURTHEST_TEST_KILL_AT names this point, as `name` or `name:n` for the n-th passing.

    Only the tests set it.
    """
    if name == _KILL_AT:
        _passed[name] += 1
        if _passed[name] >= int(_NTH or 1):
            os.kill(os.getpid(), signal.SIGKILL)


def off(guard: Guard) -> bool:
    """Whether FURTHEST_TEST_OFF takes this guard away: only tests of the tests do, to see what it prevents."""
    return guard == _OFF
