"""Spans of what this process does, in W3C trace context.

Without a collector (OTEL_EXPORTER_OTLP_ENDPOINT) no span is made and nothing of OpenTelemetry is imported; a trace context that
came is handed on as it came. Attributes name no person and no school, and of an exception a span keeps its type alone.
Not here: how spans are made and sent (`otlp`).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from services.kit.logs import correlation_id, traced, traceparent, well_formed

if TYPE_CHECKING:
    from services.contracts.envelope import Envelope
    from services.kit.otlp import Exporter, Recorded

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
Attributes = Mapping[str, str | int]
_exporter: Exporter | None = None


def start() -> None:
    """Send this process's spans from now on, if the environment names a collector."""
    global _exporter
    if _exporter is None and any(os.environ.get(name) for name in ENDPOINTS):
        from services.kit.otlp import Exporter

        _exporter = Exporter()
        atexit.register(stop)


def stop() -> None:
    """Send what is left, if the collector answers within some seconds, and make no spans any more."""
    global _exporter
    ended, _exporter = _exporter, None
    if ended is not None:
        ended.close()


class Span:
    """Something being done. `traceparent`: what is caused by it goes on under this; without a collector, what it came with."""

    def __init__(self, context: str, recorded: Recorded | None = None) -> None:
        self.traceparent, self._recorded = context, recorded

    def tell(self, attributes: Attributes) -> None:
        if self._recorded is not None:
            self._recorded.set_attributes(attributes)

    def fail(self, error: str) -> None:
        """It went wrong; `error` is the name of an exception or an HTTP status."""
        if self._recorded is not None and _exporter is not None:
            _exporter.fail(self._recorded, error)

    def link(self, other: Span) -> None:
        """It was done together with `other`."""
        if self._recorded is not None and _exporter is not None:
            _exporter.link(self._recorded, other.traceparent)

    def drop(self) -> None:
        """It was nothing: it is not sent."""
        self._recorded = None

    def end(self) -> None:
        if self._recorded is not None:
            self._recorded.end()


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to be done: the span's name, the correlation id and trace context it came with, and what else is known of it."""

    name: str
    correlation: str
    traceparent: str
    attributes: Attributes = field(default_factory=dict)


@contextmanager
def span(
    service: str, name: str, kind: str = "internal", attributes: Attributes | None = None, *, since: float = 0
) -> Iterator[Span]:
    """Work in a span of its own, in the trace it came with or a new one. `kind`: server | producer | consumer | internal;
    `since`: when it began (Unix time), if not now."""
    exporter = _exporter
    if exporter is None:
        yield Span(traceparent())
        return
    piece = Piece(name, correlation_id(), traceparent(), attributes or {})
    with _begun(exporter, service, kind, piece, since) as one, traced(one.traceparent):
        yield one


@contextmanager
def spans(service: str, kind: str, pieces: Sequence[Piece], *, together: bool = True) -> Iterator[list[Span]]:
    """A span for each of several things that are done at once, each in the trace it came with. What is done `together`, in
    one transaction, is linked: each with the first, and the first with each."""
    exporter = _exporter
    if exporter is None:
        yield [Span(piece.traceparent) for piece in pieces]
        return
    with ExitStack() as stack:
        begun = [stack.enter_context(_begun(exporter, service, kind, piece)) for piece in pieces]
        for one in begun[1:] if together else ():
            one.link(begun[0])
            begun[0].link(one)
        yield begun


@contextmanager
def messages(
    service: str, doing: str, envelopes: Sequence[Envelope]
) -> Iterator[list[tuple[Envelope, Span]]]:
    """Each message in a span of its own, as it goes on from there. `doing`: send, or process (in one transaction)."""
    kind = "producer" if doing == "send" else "consumer"
    with spans(service, kind, [_piece(doing, e) for e in envelopes], together=doing == "process") as begun:
        yield [(replace(e, traceparent=s.traceparent), s) for e, s in zip(envelopes, begun, strict=True)]


def _piece(doing: str, envelope: Envelope) -> Piece:
    about = {"tabian.event": envelope.type, "messaging.message.id": envelope.id}
    return Piece(f"{doing} {envelope.type}", envelope.correlationid, envelope.traceparent, about)


@contextmanager
def _begun(exporter: Exporter, service: str, kind: str, piece: Piece, since: float = 0) -> Iterator[Span]:
    known = {**piece.attributes, "tabian.correlation_id": piece.correlation}
    came_with = well_formed(piece.traceparent)
    one = Span(*exporter.begin(service, piece.name, kind, came_with, known, since))
    try:
        yield one
    except BaseException as problem:
        one.fail(type(problem).__name__)
        raise
    finally:
        one.end()
