"""A bug in one service: its records wait as dead letters, and are replayed when it is mended."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.postgres import connect
from tests.deployment import Deployment
from tests.journeys.partners import a_body, post
from tests.support import eventually

BUG = """
create function fails() returns trigger language plpgsql as $$ begin raise 'a bug'; end $$;
create trigger bug before insert on referral for each row execute function fails();
"""


async def letters(deployment: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(deployment.furthest, "dead-letters", *words)


@asynccontextmanager
async def bug_in_reporting(deployment: Deployment) -> AsyncIterator[None]:
    owner = await connect(deployment.stack.site.roles("reporting").owner)
    try:
        await owner.execute(BUG)
        yield
    finally:
        await owner.execute("drop function fails() cascade")
        await owner.close()


async def test_what_died_of_a_bug_is_replayed_when_it_is_mended_and_all_is_well(deployment: Deployment) -> None:
    partner = deployment.partners["gp-armley"]

    async def unsettled() -> dict[str, int]:
        async with deployment.client("reporting") as client:
            seen: dict[str, int] = (await client.get("/ready")).json()["dead_letters"]
            return seen

    async with bug_in_reporting(deployment):
        accepted = await post(partner, f"{deployment.url('referrals')}/v1/referrals", a_body(partner))
        await eventually(unsettled, lambda seen: {"unexpected", "parked"} <= seen.keys())
        key = accepted.json()["referral_id"]
        early = await letters(deployment, "replay", "reporting", "--key", key, "--reason", "too early", "--yes")
    assert early.returncode == 1
    assert "RaiseError at " in early.stderr
    assert "a bug" not in early.stderr

    asked = await letters(deployment, "replay", "reporting", "--key", key, "--reason", "mended", "--json")
    assert (asked.returncode, asked.stdout) == (2, "")
    rehearsed = await letters(deployment, "replay", "reporting", "--reason", "mended", "--json", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert await unsettled() != {}
    mended = await letters(deployment, "replay", "reporting", "--reason", "mended", "--by", "ann", "--json", "--yes")
    document = json.loads(mended.stdout)
    assert document["replayed"] >= json.loads(rehearsed.stdout)["replayed"] >= 2
    assert (document["failed"], mended.stderr, await unsettled()) == (0, "", {})

    number = document["keys"][0]["replayed"][0]
    shown = json.loads((await letters(deployment, "show", "reporting", str(number), "--json")).stdout)
    done = shown["done"][-1]
    assert (done["who"], done["why"], done["done"]) == ("ann", "mended", "replayed")
