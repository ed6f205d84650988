"""Runs the matching service: `python -m services.matching`."""

import asyncio

from chassis.service import run
from services.matching.service import build
from services.matching.settings import MatchingSettings


def main() -> None:
    settings = MatchingSettings.load()
    asyncio.run(run(build(settings), settings))


if __name__ == "__main__":
    main()
