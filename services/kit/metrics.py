"""The metrics that every service has. A service adds its own in a module `metrics` of its own.

Not here: what a declaration means (`catalogue`), and the reading of what lies in tables (`figures`, `conservation`).
"""

from __future__ import annotations

from prometheus_client import Counter

from services.kit.catalogue import counter, gauge, histogram

HTTP_SECONDS = histogram(
    "tabian_http_request_seconds",
    "Time to answer a request, by route template",
    ("service", "method", "route", "status"),
    unit="seconds",
    served="api, uploads",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EDGE_WAIT_SECONDS = histogram(
    "tabian_edge_wait_seconds",
    "From a request's arrival at the edge until a service began with it: its wait in the edge's queues, the arrival of its body"
    " (uploads, acts, sign-in) and, for what a page asks of a service, the portal's part",
    ("service", "class"),
    unit="seconds",
    served="api, uploads",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
POOL_CONNECTIONS = gauge(
    "tabian_pool_connections",
    "Connections of a process's pool to its database; state in_use | idle",
    ("service", "state"),
    unit="connections",
    served="every process",
    across="each",
)
POOL_SIZE = gauge(
    "tabian_pool_size",
    "The most connections the pool of a process opens",
    ("service",),
    unit="connections",
    served="every process",
    across="each",
)

EVENTS_PUBLISHED = counter(
    "tabian_events_published",
    "Outbox rows confirmed by the broker, resends included",
    ("service", "type"),
    unit="messages",
    served="relay",
)
EVENTS_HANDLED = counter(
    "tabian_events_handled",
    "Messages handled by a consumer; outcome applied | duplicate | retried | parked | unreadable",
    ("service", "type", "outcome"),
    unit="messages",
    served="worker",
)
REDELIVERIES = counter(
    "tabian_redeliveries",
    "Messages that came again: they failed, or their worker died with them in hand",
    ("service", "type"),
    unit="messages",
    served="worker",
)
HANDLER_SECONDS = histogram(
    "tabian_handler_seconds",
    "Time to handle what came together, its transaction included",
    ("service", "type"),
    unit="seconds",
    served="worker",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_TOGETHER = histogram(
    "tabian_events_together",
    "Messages handled in one transaction",
    ("service", "type"),
    unit="messages",
    served="worker",
    buckets=(1, 2, 5, 10, 20, 50),
)
WORKER_RUNNING = gauge(
    "tabian_worker_running",
    "1 while a worker takes the service's messages",
    ("service",),
    unit="0 or 1",
    served="worker",
    across="sum",
)
JOB_RUNS = counter(
    "tabian_job_runs",
    "Runs of a background job that found work; outcome worked | failed",
    ("service", "job", "outcome"),
    unit="runs",
    served="worker",
)
BROKER_CONNECTED = gauge(
    "tabian_broker_connected",
    "Whether this process has its connection to the broker",
    ("role",),
    unit="0 or 1",
    served="worker, relay",
    across="each",
)
BROKER_REFUSED = counter(
    "tabian_broker_refused",
    "Messages sent and not confirmed; outcome nacked | returned | lost | unsendable",
    ("outcome",),
    unit="messages",
    served="worker, relay",
)

OUTBOX_WAITING = gauge(
    "tabian_outbox_waiting",
    "Outbox rows not yet applied by every consumer",
    ("service",),
    unit="rows",
    served="relay",
)
OUTBOX_OLDEST_SECONDS = gauge(
    "tabian_outbox_oldest_seconds",
    "Age of the oldest unpublished outbox row",
    ("service",),
    unit="seconds",
    served="relay",
)
OUTBOX_PARKED = gauge(
    "tabian_outbox_parked",
    "Outbox rows parked for some consumer: closing waits for them",
    ("service",),
    unit="rows",
    served="relay",
)
APPLIED_LAG_SECONDS = gauge(
    "tabian_applied_lag_seconds",
    "How long the oldest row that was published and that this consumer has not applied has been published",
    ("service", "consumer"),
    unit="seconds",
    served="relay",
)
OUTBOX_ROWS = gauge(
    "tabian_outbox_rows",
    "Outbox rows of events made yesterday and today, once for each consumer; state awaiting | applied | parked | discarded",
    ("service", "type", "consumer", "state"),
    unit="rows",
    served="relay",
)
INBOX_ROWS = gauge(
    "tabian_inbox_rows",
    "Inbox rows of events made yesterday and today: what the service has applied",
    ("service", "type"),
    unit="rows",
    served="relay",
)
COUNTED_SECONDS = gauge(
    "tabian_rows_counted_seconds",
    "How old the oldest count in tabian_outbox_rows and tabian_inbox_rows is",
    ("service",),
    unit="seconds",
    served="relay",
)

_DATABASE = "relay; the portal's api"
DATABASE_SIZE_BYTES = gauge(
    "tabian_database_size_bytes",
    "Size of the service's database on disk",
    ("service",),
    unit="bytes",
    served=_DATABASE,
)
DATABASE_CONNECTIONS = gauge(
    "tabian_database_connections",
    "Connections to the service's database; state active | idle | idle-in-transaction | other",
    ("service", "state"),
    unit="connections",
    served=_DATABASE,
)
DATABASE_CONNECTIONS_TAKEN = gauge(
    "tabian_database_connections_taken",
    "Connections to all databases of the server together, also of who is no process of ours",
    ("service",),
    unit="connections",
    served=_DATABASE,
)
DATABASE_CONNECTIONS_MAX = gauge(
    "tabian_database_connections_max",
    "The most connections that the database server takes, of all its databases together",
    ("service",),
    unit="connections",
    served=_DATABASE,
)
DATABASE_OLDEST_SECONDS = gauge(
    "tabian_database_oldest_transaction_seconds",
    "Age of the oldest transaction in the service's database",
    ("service",),
    unit="seconds",
    served=_DATABASE,
)


def _of_database(name: str, meaning: str, unit: str) -> Counter:
    """What the server has counted since the process that tells it began."""
    return counter(name, meaning, ("service",), unit=unit, served=_DATABASE, across="max")


DATABASE_COMMITS = _of_database("tabian_database_commits", "Transactions committed", "transactions")
DATABASE_ROLLBACKS = _of_database("tabian_database_rollbacks", "Transactions given up", "transactions")
DATABASE_DEADLOCKS = _of_database("tabian_database_deadlocks", "Deadlocks found", "deadlocks")
DATABASE_BLOCKS_HIT = _of_database(
    "tabian_database_blocks_hit", "Blocks that the server found in its memory", "blocks of 8 KiB"
)
DATABASE_BLOCKS_READ = _of_database(
    "tabian_database_blocks_read", "Blocks that the server had to ask the system for", "blocks of 8 KiB"
)
DATABASE_TEMPORARY_BYTES = _of_database(
    "tabian_database_temporary_bytes",
    "Bytes written to temporary files, by queries that found too little memory",
    "bytes",
)
DISK_FREE_BYTES = gauge(
    "tabian_disk_free_bytes",
    "Bytes free for the system's processes where `mount` lies",
    ("mount",),
    unit="bytes",
    served="worker or relay with TABIAN_DISKS",
    across="min",
)
DISK_SIZE_BYTES = gauge(
    "tabian_disk_size_bytes",
    "Bytes in all where `mount` lies",
    ("mount",),
    unit="bytes",
    served="worker or relay with TABIAN_DISKS",
    across="min",
)
MEASURED_TIMESTAMP = gauge(
    "tabian_measured_timestamp_seconds",
    "When a reading last succeeded; until the next one its gauges say what it found then",
    ("service", "reading"),
    unit="seconds of Unix time",
    served=_DATABASE,
)
MEASURING_SECONDS = gauge(
    "tabian_measuring_seconds",
    "How long a reading last took",
    ("service", "reading"),
    unit="seconds",
    served=_DATABASE,
)
