"""Everything that is OpenTelemetry's: spans made with its SDK and sent by OTLP over HTTP, in protobuf.

Where to, how much is sampled and how it is batched is set by OpenTelemetry's own environment variables
(docs/deployment.md). Imported only where a collector is named. Not here: what gets a span (`tracing`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace import Span as Recorded

__all__ = ["Exporter", "Recorded"]
TIMEOUT_SECONDS = 3.0
"""So long an end of a process may wait for a collector that does not answer; OTEL_EXPORTER_OTLP_TIMEOUT sets another."""


class Exporter:
    """This process's way to the collector: one queue, and a tracer for each service that runs here."""

    def __init__(self) -> None:
        own = any(
            name in os.environ for name in ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
        )
        self._queue = BatchSpanProcessor(OTLPSpanExporter(timeout=None if own else TIMEOUT_SECONDS))
        self._tracers: dict[str, Tracer] = {}
        self._lock = threading.Lock()

    def begin(
        self,
        service: str,
        name: str,
        kind: str,
        came_with: str,
        attributes: Mapping[str, str | int],
        since: float,
    ) -> tuple[str, Recorded]:
        """The span's own traceparent, and the span; it began `since` (Unix time), or now."""
        span = self._tracer(service).start_span(
            name,
            context=_context(came_with),
            kind=SpanKind[kind.upper()],
            attributes=attributes,
            start_time=int(since * 1e9) or None,
            # an exception's text may quote data
            record_exception=False,
            set_status_on_exception=False,
        )
        own = span.get_span_context()
        ids = f"{format_trace_id(own.trace_id)}-{format_span_id(own.span_id)}"
        return f"00-{ids}-{own.trace_flags:02x}", span

    def fail(self, span: Recorded, error: str) -> None:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)

    def link(self, span: Recorded, traceparent: str) -> None:
        span.add_link(_parsed(traceparent))

    def close(self) -> None:
        """Send what is left."""
        self._queue.shutdown()  # type: ignore[no-untyped-call]

    def _tracer(self, service: str) -> Tracer:
        with self._lock:
            if service not in self._tracers:
                resource = Resource.create({"service.name": service, "service.namespace": "tabian"})
                provider = TracerProvider(resource=resource, shutdown_on_exit=False)
                provider.add_span_processor(self._queue)
                self._tracers[service] = provider.get_tracer("tabian")
            return self._tracers[service]


def _context(traceparent: str) -> Context:
    return (
        set_span_in_context(NonRecordingSpan(_parsed(traceparent)), Context()) if traceparent else Context()
    )


def _parsed(traceparent: str) -> SpanContext:
    """What a well-formed traceparent names (W3C Trace Context, level 1)."""
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
