"""Ports on loopback; a server that comes back keeps its own."""

import atexit
import random
import socket
from pathlib import Path

from deploy.embedded.processes import StartError

LOOPBACK = "127.0.0.1"
FIRST, COUNT = 20_000, 12_000
_NOT_GIVEN = iter(random.SystemRandom().sample(range(FIRST, FIRST + COUNT), COUNT))


def free_port() -> int:
    """Choose below the ports that systems give to outgoing connections, so that it stays free meanwhile.

    It is given but once, to one process, until that ends: what was given may not be in use yet.
    """
    for port in _NOT_GIVEN:
        if _hold(port) and is_free(port):
            return port
    raise StartError(f"No free port was found between {FIRST} and {FIRST + COUNT}. End what is listening there.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _hold(port: int) -> bool:
    """Takes the port of UDP with the same number, which nobody listens on, as a sign to our other processes."""
    sign = socket.socket(type=socket.SOCK_DGRAM)
    try:
        sign.bind((LOOPBACK, port))
    except OSError:
        sign.close()
        return False
    atexit.register(sign.close)
    return True


def choose_port(kept: Path, wanted: int | None) -> int:
    """
    Choose `wanted`, or the one in the file `kept` if it is free, or a free one; and keep it there.

    Raises StartError if `wanted` is taken.
    """
    if wanted and not is_free(wanted):
        raise StartError(f"Port {wanted} is taken. Give another, or none: a free one is then found.")
    before = int(kept.read_text()) if kept.exists() else 0
    port = wanted or (before if before and is_free(before) else free_port())
    kept.write_text(str(port))
    return port
