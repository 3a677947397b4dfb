"""Spans: none without a collector, and with one nothing of what must not leave."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.kit import tracing
from services.kit.logs import traceparent, under
from services.kit.tracing import Piece
from tests.support.collector import Collector

CAME = f"00-{'a' * 32}-{'b' * 16}-01"
SECRET = "เด็กหญิง มานี ใจดี 1100500000001"


class Sour(Exception):
    """What a handler may raise; its text quotes data."""


def test_a_process_without_a_collector_loads_nothing_for_spans() -> None:
    script = (
        "import os, sys, gateway.cli.service as s\n"
        "[os.environ.pop(name, None) for name in list(os.environ) if name.startswith('OTEL_')]\n"
        "[s.declared(name) for name in s.WHERE]\n"
        "import services.kit.http, services.kit.runtime\n"
        "from services.kit import tracing\n"
        "tracing.start()\n"
        "sys.exit(any(name.partition('.')[0] in ('opentelemetry', 'requests') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_without_a_collector_a_context_that_came_is_handed_on() -> None:
    with under("an-id-of-a-test", CAME), tracing.span("intake", "act") as span:
        assert (span.traceparent, traceparent()) == (CAME, CAME)
        span.tell({"any": 1})
        span.fail("Sour")


def test_a_span_goes_on_in_the_trace_it_came_with_and_gives_its_own_id_to_what_follows(
    collector: Collector,
) -> None:
    with under("an-id-of-a-test", CAME):
        with tracing.span("intake", "outer", "server"):
            with tracing.span("intake", "inner"):
                carried = traceparent()
            assert traceparent() != carried
        assert traceparent() == CAME
    tracing.stop()
    outer, inner = collector.one("outer"), collector.one("inner")
    assert (outer.service, outer.kind, inner.kind) == ("intake", "server", "internal")
    assert {outer.trace, inner.trace} == {"a" * 32}
    assert (outer.parent, inner.parent) == ("b" * 16, outer.id)
    assert carried == f"00-{inner.trace}-{inner.id}-01"
    assert outer.attributes["tabian.correlation_id"] == "an-id-of-a-test"


@pytest.mark.parametrize(
    "came",
    [
        "",
        "rubbish",
        f"00-{'0' * 32}-{'b' * 16}-01",
        f"ff-{'a' * 32}-{'b' * 16}-01",
        CAME + "\n",
        CAME.upper(),
    ],
)
def test_what_is_no_context_begins_a_new_trace(collector: Collector, came: str) -> None:
    with tracing.spans("intake", "consumer", [Piece("process", "", came)]) as (span,):
        assert span.traceparent != came
    tracing.stop()
    seen = collector.one("process")
    assert seen.parent == ""
    assert seen.trace not in ("a" * 32, "0" * 32)


def test_of_an_exception_only_its_type_is_sent(collector: Collector) -> None:
    with pytest.raises(Sour), tracing.span("intake", "sours"):
        raise Sour(SECRET)
    tracing.stop()
    seen = collector.one("sours")
    assert seen.failed
    assert seen.attributes["error.type"] == "Sour"
    for word in SECRET.split():
        assert word.encode() not in seen.raw


def test_what_is_done_together_stays_in_its_own_trace_and_is_linked(collector: Collector) -> None:
    pieces = [Piece(f"piece {number}", "", f"00-{number}{'a' * 31}-{'b' * 16}-01") for number in range(3)]
    with tracing.spans("intake", "consumer", pieces):
        pass
    tracing.stop()
    first, second, third = (collector.one(piece.name) for piece in pieces)
    assert [one.trace[0] for one in (first, second, third)] == ["0", "1", "2"]
    assert first.links == {second.id, third.id}
    assert (second.links, third.links) == ({first.id}, {first.id})


def test_what_was_nothing_is_not_sent(collector: Collector) -> None:
    with tracing.span("intake", "job idle") as span:
        span.drop()
    with tracing.span("intake", "job busy"):
        pass
    tracing.stop()
    assert [one.name for one in collector.spans] == ["job busy"]


def test_sampling_is_the_environments_and_whoever_follows_is_told(
    monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    tracing.stop()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    tracing.start()
    with tracing.span("intake", "unsampled") as span:
        assert int(span.traceparent[-2:], 16) & 1 == 0
    with under(None, CAME), tracing.span("intake", "sampled"):
        pass
    tracing.stop()
    assert [one.name for one in collector.spans] == ["sampled"]


def test_a_collector_that_is_away_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    tracing.start()
    with tracing.span("intake", "unheard"):
        pass
    tracing.stop()
