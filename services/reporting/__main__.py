"""Runs the reporting service: `python -m services.reporting`."""

import asyncio

from chassis.service import run
from services.reporting.service import build
from services.reporting.settings import ReportingSettings


def main() -> None:
    settings = ReportingSettings.load()
    asyncio.run(run(build(settings), settings))


if __name__ == "__main__":
    main()
