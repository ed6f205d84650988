"""`python -m services.notifications`: one process of the service, until SIGTERM."""

import asyncio

from chassis.service import run
from services.notifications.service import build
from services.notifications.settings import NotificationsSettings


def main() -> None:
    settings = NotificationsSettings.load()
    asyncio.run(run(build(settings), settings))


if __name__ == "__main__":
    main()
