"""A fact that only a later release can read waits for that release."""

import json
from uuid import uuid4

from contracts.referrals import ReferralWithdrawn
from tests.chassis.conftest import Toy, headers
from tests.support import eventually

NEWER = ReferralWithdrawn.spec.type.replace(".v1", ".v2")


def withdrawn() -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=uuid4(), need_ids=[], reason="no-longer-needed")


async def test_a_newer_version_stops_the_service_and_nothing_behind_it_is_passed_over(toy: Toy) -> None:
    before, behind = withdrawn(), withdrawn()
    kept = json.dumps({"what": "only a later release knows"}).encode()
    async with toy.running():
        await toy.write(before)
        await eventually(toy.effects, lambda seen: len(seen) == 1)
        await toy.write_raw((before.key().encode(), kept, headers(NEWER, str(uuid4()))))

        async def stopped() -> list[str]:
            return [str(why) for why in toy.stopped]

        why, *_ = await eventually(stopped, bool)
        assert why == f"{NEWER} is newer than this release: deploy one that reads it, and it goes on"
        await toy.write(behind.model_copy(update={"referral_id": before.referral_id}))
    assert await toy.effects() == [(before.key(), "ReferralWithdrawn")]
    assert await toy.letters() == []
    read = await toy.database.fetchval("select sum(next_offset) from consumer_offset")
    assert read == 1
