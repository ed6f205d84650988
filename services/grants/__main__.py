"""Runs the grants service: `python -m services.grants`."""

import asyncio

from chassis.service import run
from services.grants.service import build
from services.grants.settings import GrantsSettings


def main() -> None:
    settings = GrantsSettings.load()
    asyncio.run(run(build(settings), settings))


if __name__ == "__main__":
    main()
