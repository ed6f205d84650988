"""The wiring of the matching service."""

from datetime import timedelta
from functools import partial

from chassis.service import Service
from contracts.catalogue import topics_read
from services.matching.api import routes
from services.matching.events_in import ACTS, DUE, EVENTS_IN
from services.matching.settings import MatchingSettings
from services.matching.store import Store
from services.matching.store.views import HELD


def build(settings: MatchingSettings) -> Service:
    return Service(
        name="matching",
        reads=topics_read("matching"),
        store=partial(Store, offer_lasts=timedelta(days=settings.offer_days), confirmed=settings.confirm_kinds),
        handlers=EVENTS_IN,
        due=DUE,
        results=ACTS,
        held=HELD,
        routers=lambda running: [routes(running)],
    )
