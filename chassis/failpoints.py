"""Named points at which a test can have this process killed, as `kill -9` would."""

import os
import signal

_KILL_AT = os.environ.get("FURTHEST_TEST_KILL_AT", "")


def failpoint(name: str) -> None:
    """Does nothing unless FURTHEST_TEST_KILL_AT names this point. Only the tests set it."""
    if name == _KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
