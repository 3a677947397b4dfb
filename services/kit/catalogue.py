"""The catalogue of metrics: each is declared once, by the functions below, and the catalogue knows it from then on.

docs/metrics.md is made from it. A label is one of LABELS, none of which can hold a person or a school; what comes from outside
is put through `known` before it becomes a label's value. Not here: which metrics there are (`metrics`, and a module
`metrics` in a service), and where they are served (deploy/gunicorn.conf.py, gateway/cli).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody reads

LABELS: Final = {
    "act": "confirm, undo, certify, acknowledge or cancel",
    "age": "under-1h, under-1d or over-1d",
    "class": "the edge's class of a request: act, read, report, upload, sign-in or page; else unknown",
    "consumer": "a service that consumes an event",
    "job": "a background job by its declared name",
    "method": "an HTTP method; one that HTTP does not name is _OTHER",
    "mount": "a path from TABIAN_DISKS",
    "outcome": "what became of it; the metric says which there are",
    "reading": "a declared reading of figures",
    "role": "what a connection to the broker is for: publisher, consumer or reports",
    "round": "a round by its name, 2564-2",
    "route": "a route's template, never a path",
    "service": "a service by its name",
    "state": "of what is counted; the metric says which there are",
    "status": "an HTTP status",
    "type": "an event type that is declared; any other is unknown",
}
"""Label → the values it may have."""
UNKNOWN: Final = "unknown"
Kind = Literal["counter", "gauge", "histogram"]
Across = Literal["sum", "max", "min", "each"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `served`: by which processes; `across`: how the values of several processes are put together (those of a
    table that several look at are the same one and are not added up); each: not at all."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...]
    unit: str
    served: str
    across: Across


CATALOGUE: Final[dict[str, Family]] = {}
"""Name as served (counters with their `_total`) → the metric, of all modules imported so far."""


def counter(
    name: str, meaning: str, labels: Sequence[str] = (), *, unit: str, served: str, across: Across = "sum"
) -> Counter:
    """Declare a counter; `name` without `_total`."""
    _enter(Family(f"{name}_total", "counter", meaning, tuple(labels), unit, served, across))
    return Counter(name, meaning, labels)


def gauge(
    name: str, meaning: str, labels: Sequence[str] = (), *, unit: str, served: str, across: Across = "max"
) -> Gauge:
    """Declare a gauge."""
    _enter(Family(name, "gauge", meaning, tuple(labels), unit, served, across))
    return Gauge(name, meaning, labels)


def histogram(
    name: str, meaning: str, labels: Sequence[str], *, unit: str, served: str, buckets: Sequence[float]
) -> Histogram:
    """Declare a histogram; `buckets` are upper bounds in its unit."""
    _enter(Family(name, "histogram", meaning, tuple(labels), unit, served, "sum"))
    return Histogram(name, meaning, labels, buckets=buckets)


def known(value: str, vocabulary: Collection[str], otherwise: str = UNKNOWN) -> str:
    """The value if it is one of those that may become a label."""
    return value if value in vocabulary else otherwise


def _enter(family: Family) -> None:
    strange = [label for label in family.labels if label not in LABELS]
    if strange:
        raise ValueError(f"{family.name}: no label may be called {', '.join(strange)}")
    CATALOGUE[family.name] = family
