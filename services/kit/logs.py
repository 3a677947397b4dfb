"""JSON logs with one correlation id from a person's first request to the last consumer.

Log messages are constant; what varies goes into `extra`. Nothing personal is ever logged.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
import uuid
from contextvars import ContextVar
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

_correlation: ContextVar[str] = ContextVar("correlation", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
_SAFE = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_TRACE = re.compile(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def correlation_id() -> str:
    """The current correlation id, or "" outside a request or message."""
    return _correlation.get()


def traceparent() -> str:
    """The W3C trace context the current work came with, or ""."""
    return _traceparent.get()


def adopt_correlation(given: str | None, trace: str | None = None) -> str:
    """Continue under the given id if it is well-formed, else under a new one; returns it."""
    chosen = given if given and _SAFE.match(given) else uuid.uuid4().hex
    _correlation.set(chosen)
    _traceparent.set(trace if trace and _TRACE.match(trace) else "")
    return chosen


def stack_of(problem: BaseException) -> list[str]:
    """Files and lines an exception came through: enough to find it, without its text, which may quote data."""
    return [
        f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(problem.__traceback__)
    ]


class _Context(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id()
        return True


def configure(level: str = "INFO") -> None:
    """One JSON object a line on standard error, for the whole process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}{correlation_id}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )
    )
    handler.addFilter(_Context())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    for noisy in ("alembic", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel("WARNING")
    logging.getLogger("pika").setLevel(
        "CRITICAL"
    )  # nine errors for a broker that is away; the publisher says it once
