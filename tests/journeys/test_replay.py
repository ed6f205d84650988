"""Who was next, and why: from the log of a deployment alone."""

import asyncio
import json
from uuid import UUID

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


async def test_a_row_that_the_log_does_not_know_of_is_named(deployment: Deployment) -> None:
    stranger = UUID(int=4)
    async with deployment.stack.site.connected("matching") as conn:
        await conn.execute(
            """insert into need (need_id, referral_id, partner, kind, state, lane, rank_key, area, policy, score,
                                 groups, area_step, requirements, languages, formats, schemes)
               values ($1, $1, 'nobody', 'skills', 'waiting', 'urgent', '-infinity', 'none', 'none', 0, 0, 0,
                       '{}', '{}', '{}', '{}')""",
            stranger,
        )
        try:
            done = await asyncio.to_thread(deployment.furthest, "replay", "--kind", "skills")
        finally:
            await conn.execute("delete from need where need_id = $1", stranger)
    assert done.returncode == 1
    assert "skills: at 1 in the queue" in done.stdout
    assert f"{stranger} in the tables" in done.stdout
