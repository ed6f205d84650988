import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.embedded import kafka, ports, postgres
from deploy.embedded.processes import Process, alive, recall, stop, wait_until


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    server = postgres.start(tmp_path_factory.mktemp("postgres"))
    yield server
    postgres.stop(server.process)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    broker = kafka.start(tmp_path_factory.mktemp("kafka"))
    yield broker
    kafka.stop(broker.process)


@pytest.fixture
def own_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory of mode 0700; whatever was spawned for it is stopped afterwards."""
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    yield home
    for name in ("postgres", "kafka", "child"):
        left = recall(home, name)
        if left:
            stop(left, 0.1)


@pytest.fixture
def kill() -> Callable[[Process], None]:
    def kill(process: Process) -> None:
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not alive(process), 60, "a killed process to end")

    return kill


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    return ports.free_port()
