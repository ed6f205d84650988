"""Up, down and up again: what was kept stays, and nothing is left running."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from contracts.message import SERVICES
from deploy.embedded.processes import alive, recall
from deploy.embedded.stack import Stack
from deploy.partners import add_partner
from tests.support import eventually

EVERYTHING = (*SERVICES, "mail", "kafka", "postgres")


def living(folder: Path) -> set[str]:
    return {name for name in EVERYTHING if (process := recall(folder, name)) and alive(process)}


def everything_of(folder: Path) -> list[list[str]]:
    """The command lines of all processes that were told of this folder, also of those that nobody has noted."""
    return [process.cmdline() for process in psutil.process_iter() if _is_told_of(folder, process)]


def _is_told_of(folder: Path, process: psutil.Process) -> bool:
    try:
        return any(str(folder) in word for word in (*process.cmdline(), *process.environ().values()))
    except psutil.Error:
        return False


async def test_a_second_up_starts_only_what_is_missing_and_keeps_the_data(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    try:
        first = await asyncio.to_thread(stack.up)
        await asyncio.to_thread(add_partner, stack.site, "gp-armley")
        os.kill(first["services"]["grants"]["pid"], signal.SIGKILL)
        await eventually(lambda: asyncio.to_thread(living, tmp_path), lambda seen: "grants" not in seen)
        second = await asyncio.to_thread(Stack(tmp_path).up)
        pids = {name: (first["services"][name]["pid"], second["services"][name]["pid"]) for name in SERVICES}
        assert {name for name, (before, after) in pids.items() if before != after} == {"grants"}
        assert second["partners"]["gp-armley"]["inbox"] == "partners.gp-armley.inbox"
    finally:
        await asyncio.to_thread(stack.down)
    assert living(tmp_path) == set()


@pytest.mark.parametrize("begun", ["processes/postgres.lock", "processes/kafka.json", "processes/referrals.json"])
async def test_ctrl_c_on_the_way_up_leaves_nothing_running(tmp_path: Path, begun: str) -> None:
    command = [sys.executable, "-m", "deploy.cli", "up", "--dir", str(tmp_path)]
    up = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    await eventually(lambda: asyncio.to_thread((tmp_path / begun).exists), bool, within=300)
    up.send_signal(signal.SIGINT)
    up.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(up.communicate(), 300)
    assert up.returncode == 130
    assert b"Traceback" not in err
    assert everything_of(tmp_path) == []


def test_what_is_kept_at_the_same_time_is_all_kept(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    names = {f"partner-{number}" for number in range(20)}
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: stack.keep_partner(name, {"id": name}), names))
    assert stack.addresses()["partners"].keys() == names
