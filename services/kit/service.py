"""What a service is: one declaration from which queues, workers, routes and embedded mode are derived.

A Runtime is the declaration plus what differs between one process and many: settings, database, broker, clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData

from services.contracts.event import declaration_of

if TYPE_CHECKING:
    from flask import Blueprint
    from prometheus_client import Gauge

    from services.contracts.envelope import Envelope
    from services.kit.broker import Broker
    from services.kit.clock import Clock
    from services.kit.database import Database, Transaction
    from services.kit.keys import Keys
    from services.kit.settings import Settings

Handler = Callable[[Any, "Transaction"], None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that came with others of its type, and the message that brought it."""

    event: Any
    cause: Envelope


@dataclass(frozen=True, slots=True)
class Together:
    """A handler that takes what came at once, in one transaction: commits all of it or nothing."""

    run: Callable[[Sequence[Arrival], Transaction], None]


DocumentReader = Callable[[Connection, Collection[str]], Mapping[str, bytes]]
"""SHA-256 of documents → the stored bodies, of all of them."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work a worker process does beside its queue. `run` does one piece and says whether there was any;
    it must be safe to run in several processes at once and to be killed at any moment."""

    name: str
    run: Callable[[Runtime], bool]


Sample = tuple["Gauge", tuple[str, ...], float]
"""A gauge, the values of its labels, and its value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Figures that are looked up every `every` seconds and shown in gauges, instead of being counted as they change. `read`
    gives all there is to show, and looks at the service's own tables by `Database.look`; what they cost is bounded."""

    name: str
    every: float
    read: Callable[[Runtime], Iterable[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. `documents` reads the stored documents that outbox rows of that event class name by sha256;
    `take_back` returns leased work of processes known to be dead, where this one is the only one."""

    name: str
    metadata: MetaData
    migrations: Path
    blueprints: Callable[[], tuple[Blueprint, ...]]
    consumes: Mapping[type[Any], Handler | Together] = field(default_factory=dict)
    publishes: tuple[type[Any], ...] = ()
    documents: Mapping[type[Any], DocumentReader] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    readings: tuple[Reading, ...] = ()
    take_back: Callable[[Transaction], None] | None = None

    def handler(self, event_type: str) -> Handler | Together | None:
        for cls, handler in self.consumes.items():
            if declaration_of(cls).type == event_type:
                return handler
        return None

    def reader(self, event_type: str) -> DocumentReader:
        return next(read for cls, read in self.documents.items() if declaration_of(cls).type == event_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A service with what it runs on. Web processes have no broker."""

    service: Service
    settings: Settings
    database: Database
    clock: Clock
    keys: Keys
    broker: Broker | None = None
    parts: dict[str, Any] = field(default_factory=dict)

    def port(self) -> Broker:
        """The broker, for relay and worker processes."""
        if self.broker is None:
            raise RuntimeError(f"{self.service.name}: this process was started without a broker")
        return self.broker
