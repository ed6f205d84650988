"""The wiring of the reporting service."""

from datetime import timedelta
from functools import partial

from chassis.service import Service
from contracts.catalogue import topics_read
from services.reporting.api import routes
from services.reporting.events_in import EVENTS_IN
from services.reporting.handlers.publishing import MakeTables, PublishMetrics, on_make_tables, on_publish_metrics
from services.reporting.settings import ReportingSettings
from services.reporting.store import HELD, Store


def build(settings: ReportingSettings) -> Service:
    return Service(
        name="reporting",
        reads=topics_read("reporting"),
        store=partial(Store, publish_every=timedelta(seconds=settings.publish_every_seconds)),
        handlers=EVENTS_IN,
        due={PublishMetrics: on_publish_metrics, MakeTables: on_make_tables},
        routers=lambda running: [routes(running)],
        held=HELD,
        not_from_facts=["publication", "edition", "staff_view"],
    )
