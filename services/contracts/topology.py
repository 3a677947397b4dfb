"""The exchanges, queues and bindings that the declared events need on a broker, and what each is for.

Derived from the registry, so an event with a new consumer is routed without anybody naming a queue. Everything is
durable and works on RabbitMQ 3.10 and 4. Not here: declaring them (services.kit.broker.rabbit, deploy/rabbitmq).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.contracts import buildings, dedup, export, intake, snapshot
from services.contracts.event import REGISTRY

DECLARING = (buildings, dedup, export, intake, snapshot)
"""Importing them fills the registry."""
EVENTS, DEAD, REPORTS, UNROUTED = "tabian", "tabian.dead", "tabian.reports", "tabian.unrouted"
UNROUTED_QUEUE = "unrouted"
REPORT_TYPE = "kit.applied.v1"

DELIVERY_LIMIT = 20
"""Deliveries of a message whose workers die with it in hand. A failing handler gives up long before."""
NO_DELIVERY_LIMIT = 1_000_000_000
"""Looking at dead letters counts as delivering them; version 4 drops after 20 where nothing is said, 3.10 refuses -1."""
WORK_BYTES, DEAD_BYTES = 2_000_000_000, 500_000_000
REPORTS_LENGTH, UNROUTED_LENGTH = 200_000, 10_000


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    type: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Topology:
    """What must be declared before anything is sent."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def producers() -> list[str]:
    return sorted({declaration.producer for declaration in REGISTRY.values()})


def consumers() -> list[str]:
    return sorted({consumer for declaration in REGISTRY.values() for consumer in declaration.consumers})


def dead_letters_of(consumer: str) -> str:
    """The queue of what `consumer` gave up."""
    return f"{consumer}.dead"


def reports_of(producer: str) -> str:
    """The queue of the reports for `producer`'s relay."""
    return f"{producer}.reports"


def topology() -> Topology:
    """Everything the declared events need."""
    queues = [Queue(UNROUTED_QUEUE, _bounded(UNROUTED_LENGTH))]
    bindings = [Binding(UNROUTED, UNROUTED_QUEUE, "")]
    for consumer in consumers():
        queues += [Queue(consumer, _work(consumer)), Queue(dead_letters_of(consumer), _dead())]
        bindings.append(Binding(DEAD, dead_letters_of(consumer), consumer))
    for producer in producers():
        queues.append(Queue(reports_of(producer), _bounded(REPORTS_LENGTH)))
        bindings.append(Binding(REPORTS, reports_of(producer), producer))
    for event_type, declaration in sorted(REGISTRY.items()):
        bindings += [Binding(EVENTS, consumer, event_type) for consumer in declaration.consumers]
    return Topology(_exchanges(), tuple(queues), tuple(bindings))


def _exchanges() -> tuple[Exchange, ...]:
    return (
        Exchange(UNROUTED, "fanout"),
        Exchange(DEAD, "direct"),
        Exchange(REPORTS, "direct"),
        Exchange(EVENTS, "topic", {"alternate-exchange": UNROUTED}),
    )


def _work(consumer: str) -> dict[str, Any]:
    """A full queue refuses (the relay keeps the row); a dead letter leaves only when it has arrived."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": consumer,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-max-length-bytes": WORK_BYTES,
    }


def _dead() -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": NO_DELIVERY_LIMIT,
        "x-overflow": "reject-publish",
        "x-max-length-bytes": DEAD_BYTES,
    }


def _bounded(length: int) -> dict[str, Any]:
    """Best effort: when full, the oldest goes."""
    return {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT, "x-max-length": length}
