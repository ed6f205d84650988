"""The command, with the rights that services have in a deployment."""

import json

from tests.deployment import Deployment


def test_reporting_is_rebuilt_beside_itself_and_says_so_in_one_document(deployment: Deployment) -> None:
    done = deployment.furthest("rebuild", "reporting", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["service"], document["switched"]) == ("reporting", True)
    assert document["records"] > 0
    assert {table["same"] for table in document["tables"].values()} == {True}


def test_a_service_that_decides_is_not_rebuilt(deployment: Deployment) -> None:
    done = deployment.furthest("rebuild", "matching")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Only a projection can be rebuilt" in done.stderr
    assert "Traceback" not in done.stderr
