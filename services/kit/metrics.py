"""The metrics every service has, declared once: name, type, labels and meaning. A service adds its own beside its rules.

Labels never name a person or a school. Not here: where metrics are served (a port of their own).
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

HTTP_SECONDS = Histogram(
    "tabian_http_request_seconds",
    "Time to answer a request, by route template",
    ("service", "method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_PUBLISHED = Counter(
    "tabian_events_published", "Outbox rows confirmed by the broker, resends included", ("service", "type")
)
EVENTS_HANDLED = Counter(
    "tabian_events_handled",
    "Messages handled by a consumer; outcome applied | duplicate | retried | parked",
    ("service", "type", "outcome"),
)
HANDLER_SECONDS = Histogram(
    "tabian_handler_seconds",
    "Time to handle what came together, its transaction included",
    ("service", "type"),
)
EVENTS_TOGETHER = Histogram(
    "tabian_events_together",
    "Messages handled in one transaction",
    ("service", "type"),
    buckets=(1, 2, 5, 10, 20, 50),
)
OUTBOX_WAITING = Gauge(
    "tabian_outbox_waiting",
    "Outbox rows not yet applied by every consumer",
    ("service",),
    multiprocess_mode="max",
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "tabian_outbox_oldest_seconds",
    "Age of the oldest unpublished outbox row",
    ("service",),
    multiprocess_mode="max",
)
OUTBOX_PARKED = Gauge(
    "tabian_outbox_parked",
    "Outbox rows parked for some consumer: closing waits for them",
    ("service",),
    multiprocess_mode="max",
)
JOB_RUNS = Counter(
    "tabian_job_runs", "Runs of a background job that found work", ("service", "job", "outcome")
)
BROKER_CONNECTED = Gauge(
    "tabian_broker_connected",
    "Whether this process has its connection to the broker; role publisher | consumer | reports",
    ("role",),
    multiprocess_mode="livesum",
)
BROKER_REFUSED = Counter(
    "tabian_broker_refused",
    "Messages sent and not confirmed; outcome nacked | returned | lost | unsendable",
    ("outcome",),
)
