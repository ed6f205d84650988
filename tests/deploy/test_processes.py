import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from deploy.embedded import ports
from deploy.embedded.ports import choose_port, free_port, is_free
from deploy.embedded.processes import (
    NotYetError,
    Process,
    StartError,
    TooLateError,
    alive,
    log_file,
    recall,
    spawn,
    stop,
    wait_until,
)

Kill = Callable[[Process], None]
SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); time.sleep(600)",
)


def up(home: Path) -> bool:
    return "up" in log_file(home, "child").read_text()


def test_a_child_has_a_session_of_its_own_and_is_found_again(own_dir: Path) -> None:
    process = spawn("child", SLEEPER, dir=own_dir)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert recall(own_dir, "child") == process
    stop(process, 5)
    assert not alive(process)
    assert recall(own_dir, "child") is None


def test_a_child_gets_our_environment_and_more(own_dir: Path) -> None:
    print_it = "import os; print(os.environ['PATH'], os.environ['MORE'])"
    process = spawn("child", (sys.executable, "-c", print_it), dir=own_dir, env={"MORE": "and more"})
    wait_until(lambda: not alive(process), 60, "the child to end")
    assert f"{os.environ['PATH']} and more" in log_file(own_dir, "child").read_text()


def test_a_recycled_pid_is_left_alone(own_dir: Path) -> None:
    process = spawn("child", SLEEPER, dir=own_dir)
    before = replace(process, started=process.started - 60)
    assert not alive(before)
    stop(before, 1)
    assert alive(process)


def test_a_child_that_ignores_the_request_is_killed(own_dir: Path) -> None:
    process = spawn("child", STUBBORN, dir=own_dir)
    wait_until(lambda: up(own_dir), 60, "the child to be up")
    stop(process, 0.1)
    assert not alive(process)


def test_a_killed_child_is_not_alive_although_nobody_has_reaped_it(own_dir: Path) -> None:
    process = spawn("child", SLEEPER, dir=own_dir)
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not alive(process), 60, "the child to end")
    assert not psutil.pid_exists(process.pid)


def test_a_program_that_is_not_there_is_named(own_dir: Path) -> None:
    with pytest.raises(StartError, match="Check that /no/such/program"):
        spawn("child", ["/no/such/program"], dir=own_dir)


def test_a_wait_in_vain_says_what_it_saw_and_where_the_log_is(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("the last line\n")

    def never() -> bool:
        raise NotYetError("half of it")

    with pytest.raises(TooLateError) as caught:
        wait_until(never, 0, "all of it", log)
    assert all(part in str(caught.value) for part in ("all of it", "half of it", str(log), "the last line"))


def test_a_port_is_kept_unless_it_is_taken(tmp_path: Path) -> None:
    kept = tmp_path / "port"
    first = choose_port(kept, None)
    assert choose_port(kept, None) == first
    assert is_free(first)
    wanted = free_port()
    assert choose_port(kept, wanted) == choose_port(kept, None) == wanted


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(40)}) == 40


def test_a_port_that_another_process_was_given_is_not_given_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sign:
        sign.bind((ports.LOOPBACK, 0))
        theirs = sign.getsockname()[1]
        monkeypatch.setattr(ports, "_NOT_GIVEN", chain([theirs], ports._NOT_GIVEN))
        assert is_free(theirs)
        assert free_port() != theirs


def test_a_taken_port_is_refused_or_replaced(tmp_path: Path, taken_port: int) -> None:
    kept = tmp_path / "port"
    kept.write_text(str(taken_port))
    assert choose_port(kept, None) != taken_port
    with pytest.raises(StartError, match="is taken"):
        choose_port(kept, taken_port)
