"""Every metric, with its labels. A label is a code of ours: never an id, a name or a value."""

from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()

#: events by what became of them: done, refused, unreadable, unexpected, parked
EVENTS = Counter("furthest_events", "Events handled", ["consumer", "result"], registry=REGISTRY)
#: records between where a consumer is and the end of the log
LAG = Gauge("furthest_lag_records", "Records not yet read", ["consumer", "topic", "partition"], registry=REGISTRY)
#: rows that the relay has not sent yet, and the age of the oldest
UNSENT = Gauge("furthest_outbox_unsent_rows", "Facts committed and not sent", registry=REGISTRY)
UNSENT_AGE = Gauge("furthest_outbox_age_seconds", "Age of the oldest fact not sent", registry=REGISTRY)
#: dead letters and parked records that nobody has settled
DEAD_LETTERS = Gauge("furthest_dead_letters", "Dead letters not settled", ["kind"], registry=REGISTRY)
#: 1 while a part of the service works less well than it should
DEGRADED = Gauge("furthest_degraded", "Parts that are degraded", ["part"], registry=REGISTRY)
#: requests by route and status
REQUESTS = Counter("furthest_http_requests", "HTTP requests", ["method", "route", "status"], registry=REGISTRY)
