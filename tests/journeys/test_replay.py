"""Who was next, and why: from the log of a deployment alone."""

import json

from tests.deployment import Deployment


def test_every_decision_of_a_deployment_follows_from_its_log(deployment: Deployment) -> None:
    done = deployment.furthest("replay", "--json")
    assert done.returncode == 0, done.stderr
    kinds = json.loads(done.stdout)["kinds"]
    assert set(kinds) == {"champion", "connectivity", "device", "skills"}
    for told in kinds.values():
        assert (told["otherwise"], told["not_in_the_log"], told["queue_is_same"]) == ([], [], True)


def test_a_time_before_the_first_decision_has_none(deployment: Deployment) -> None:
    done = deployment.furthest("replay", "--at", "2020-01-01", "--kind", "device", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["kinds"]["device"]
    assert (told["decisions"], told["queue"], told["queue_is_same"]) == ([], [], None)
