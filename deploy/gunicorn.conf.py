"""How gunicorn runs a service's web application: one process with threads. More come by more containers.

TABIAN_THREADS threads answer requests; the edge gives them fewer at once, and what waits, waits there.
"""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import start_http_server

bind = f"0.0.0.0:{os.environ.get('TABIAN_PORT', '8000')}"
worker_class = "gthread"
workers = 1
threads = int(os.environ.get("TABIAN_THREADS", "8"))
# polars and open connections do not survive a fork
preload_app = False
backlog = 64
# longer than the edge keeps a connection idle, so that it is never the service that hangs up first
keepalive = 75
timeout = 120
# a request in hand when TERM comes is finished
graceful_timeout = 25
worker_tmp_dir = "/dev/shm"
control_socket_disable = True
# the services log each request themselves, under its correlation id
accesslog = None
# gunicorn's own words are lines like any other's
logconfig_dict = {
    "handlers": {"lines": {"()": "services.kit.logs.json_lines"}},
    "root": {"level": "INFO", "handlers": ["lines"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}


def post_worker_init(worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Metrics on a port of their own, which the edge does not know."""
    port = int(os.environ.get("TABIAN_METRICS_PORT", "9100"))
    if port:
        start_http_server(port)
