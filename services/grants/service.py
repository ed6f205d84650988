"""The wiring of grants."""

from chassis.service import Service
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from services.grants import events_in
from services.grants.api import for_services, routes
from services.grants.settings import GrantsSettings
from services.grants.store import Store
from services.grants.store.needs import HELD


def build(settings: GrantsSettings) -> Service:
    return Service(
        name="grants",
        reads=topics_read("grants"),
        store=Store,
        handlers=events_in.FACTS,
        due=events_in.DUE,
        results=events_in.ACTS,
        routers=lambda running: [routes(running)],
        internal=lambda running: [for_services(running, Tokens(settings.token_key))],
        held=HELD,
    )
