"""The main job as a user runs it, with a service killed on the way."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import eventually


async def _run_json(folder: Path) -> dict[str, Any] | None:
    run_file = folder / "run.json"
    addresses: dict[str, Any] | None = json.loads(run_file.read_text()) if run_file.exists() else None
    return addresses


@pytest.mark.servers
@pytest.mark.invariant(1)
async def test_nothing_is_lost_or_doubled_when_a_service_is_killed_on_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "deploy.cli", "demo", "--referrals", "60", "--json", "--dir", str(folder)]
    demo = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        seen = await eventually(lambda: _run_json(folder), lambda a: bool(a and len(a["partners"]) == 3), within=300)
        assert seen
        os.kill(seen["services"]["referrals"]["pid"], signal.SIGKILL)
        out, err = await asyncio.wait_for(demo.communicate(), 600)
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
            await demo.wait()
    assert demo.returncode == 0, err.decode()
    document = json.loads(out)
    assert (document["lost"], document["doubled"]) == (0, 0)
    assert document["sent"] == document["accepted"] + document["refused"] + document["duplicates_sent"]
    assert document["partner_answers"] == document["sent"]
    assert document["reported"] == document["accepted"]
