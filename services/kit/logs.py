"""JSON logs with one correlation id from a person's first request to the last consumer.

Log messages are constant; what varies goes into `extra`. Nothing personal is ever logged: of an exception, also one that a
library logs or that nobody catches, only its type and the lines it came through, for its text may quote data.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

_correlation: ContextVar[str] = ContextVar("correlation", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
# a letter is asked for: an id of digits could be somebody's number
_SAFE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{8,64}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
log = logging.getLogger(__name__)


def correlation_id() -> str:
    """The current correlation id, or "" outside a request, message or job."""
    return _correlation.get()


def traceparent() -> str:
    """The W3C trace context of what is being done, or ""."""
    return _traceparent.get()


def well_formed(trace: str) -> str:
    """The W3C trace context, or "" for anything else."""
    return trace if _TRACE.fullmatch(trace) else ""


def travelling() -> dict[str, str]:
    """The headers that take both along to another service."""
    carried = {"X-Request-Id": correlation_id(), "traceparent": traceparent()}
    return {name: value for name, value in carried.items() if value}


@contextmanager
def under(given: str | None, trace: str | None = None) -> Iterator[str]:
    """Work under the given id if it is well-formed, else under a new one; afterwards under what was before."""
    chosen = given if given and _SAFE.fullmatch(given) else uuid.uuid4().hex
    before = _correlation.set(chosen)
    try:
        with traced(trace or ""):
            yield chosen
    finally:
        _correlation.reset(before)


@contextmanager
def traced(trace: str) -> Iterator[None]:
    """Work in the given trace context if it is well-formed, else in none; afterwards in what was before."""
    before = _traceparent.set(well_formed(trace))
    try:
        yield
    finally:
        _traceparent.reset(before)


def stack_of(problem: BaseException) -> list[str]:
    """Files and lines an exception came through: enough to find it, without its text, which may quote data."""
    return [
        f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(problem.__traceback__)
    ]


class _Context(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id()
        if trace := traceparent():
            record.trace_id = trace.split("-")[1]
        problem = record.exc_info[1] if record.exc_info else None
        if problem is not None:
            record.error, record.stack = type(problem).__name__, stack_of(problem)
        record.exc_info = record.exc_text = None
        return True


def json_lines() -> logging.Handler:
    """One JSON object a line on standard error."""
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
    return handler


def configure(level: str = "INFO") -> None:
    """For the whole process: its own lines, those of libraries, warnings, and what nobody caught."""
    logging.root.handlers[:] = [json_lines()]
    logging.root.setLevel(level)
    for noisy in ("alembic", "httpx", "httpcore", "urllib3"):
        logging.getLogger(noisy).setLevel("WARNING")
    logging.getLogger("pika").setLevel(
        "CRITICAL"
    )  # nine errors for a broker that is away; the publisher says it once
    logging.captureWarnings(True)
    sys.excepthook = lambda _, problem, __: _uncaught(problem)
    threading.excepthook = lambda args: _uncaught(args.exc_value)


def _uncaught(problem: BaseException | None) -> None:
    if problem is not None and not isinstance(problem, KeyboardInterrupt | SystemExit):
        log.critical("uncaught", extra={"error": type(problem).__name__, "stack": stack_of(problem)})
