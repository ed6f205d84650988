"""Runs one process of the referrals service: `python -m services.referrals`."""

import asyncio

from chassis.service import run
from services.referrals.service import build
from services.referrals.settings import ReferralsSettings

if __name__ == "__main__":
    settings = ReferralsSettings.load()
    asyncio.run(run(build(settings), settings))
