"""The command, with the rights that services have in a deployment."""

import json
import subprocess
import sys

from tests.journeys.conftest import Deployment


def furthest(deployment: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", *words, "--dir", str(deployment.stack.dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_reporting_is_rebuilt_beside_itself_and_says_so_in_one_document(deployment: Deployment) -> None:
    done = furthest(deployment, "rebuild", "reporting", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["service"], document["switched"]) == ("reporting", True)
    assert document["records"] > 0
    assert {table["same"] for table in document["tables"].values()} == {True}


def test_a_service_that_decides_is_not_rebuilt(deployment: Deployment) -> None:
    done = furthest(deployment, "rebuild", "matching")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Only a projection can be rebuilt" in done.stderr
    assert "Traceback" not in done.stderr
