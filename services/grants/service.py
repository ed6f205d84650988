"""The wiring of grants."""

from chassis.service import Service
from contracts.catalogue import topics_read
from services.grants import api, events_in
from services.grants.settings import GrantsSettings
from services.grants.store import HELD, Store


def build(_settings: GrantsSettings) -> Service:
    return Service(
        name="grants",
        reads=topics_read("grants"),
        store=Store,
        handlers=events_in.FACTS,
        results=events_in.ACTS,
        routers=lambda running: [api.routes(running)],
        held=HELD,
    )
