"""An OTLP collector of the tests' own: takes what an exporter sends over HTTP and reads the protobuf in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from tests.support.brokers import until

ERROR = 2
"""STATUS_CODE_ERROR."""


@dataclass(frozen=True)
class Seen:
    """One span as the collector read it. Ids in hex; `links`: the ids of spans it was done together with."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: frozenset[str]
    attributes: dict[str, str | int]
    failed: bool
    seconds: float
    raw: bytes = field(repr=False)


class Collector:
    """`url`: for OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._take))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, body: bytes) -> None:
        for of_service in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in of_service.resource.attributes}
            for scope in of_service.scope_spans:
                self.spans += [_seen(about["service.name"], span) for span in scope.spans]

    def named(self, name: str, count: int = 1) -> list[Seen]:
        """The spans of that name, in the order of their ids, once there are `count`; more are too many."""
        until(lambda: sum(span.name == name for span in self.spans) >= count)
        found = [span for span in self.spans if span.name == name]
        assert len(found) == count, f"{len(found)} spans named {name}"
        return found

    def one(self, name: str) -> Seen:
        return self.named(name)[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()


def _seen(service: str, span: Sent) -> Seen:
    values = {one.key: one.value for one in span.attributes}
    return Seen(
        service,
        span.name,
        Sent.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        frozenset(link.span_id.hex() for link in span.links),
        {key: value.string_value or value.int_value for key, value in values.items()},
        span.status.code == ERROR,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        span.SerializeToString(),
    )


def _handler(take: Callable[[bytes], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known = (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if known:
                take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
