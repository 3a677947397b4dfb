"""The worker: takes deliveries, runs the handler once, acknowledges after the commit, and reports to the producer.

Events that a handler takes together are handled as they came, up to BATCH: what waits while a batch is handled, or while the
worker rests for a moment (`Pace`), makes the next one, so an idle system waits for nothing and a busy one commits seldom.
What was delivered before is handled alone: it may be what killed the process. A handler's failure is retried ATTEMPTS times, then the message is dead-lettered and
reported as parked. A database that is away is not the message's fault: the worker waits for it without counting an
attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from services.contracts.envelope import Envelope, UnknownEvent
from services.contracts.event import REGISTRY, EventMismatch
from services.kit import tracing
from services.kit.broker import Delivery, Subscription
from services.kit.catalogue import UNKNOWN, known
from services.kit.crash import crash_point
from services.kit.inbox import Handled, handle_once
from services.kit.logs import stack_of, under
from services.kit.metrics import (
    EVENTS_HANDLED,
    EVENTS_TOGETHER,
    HANDLER_SECONDS,
    JOB_RUNS,
    REDELIVERIES,
    WORKER_RUNNING,
)
from services.kit.outbox import Report
from services.kit.pace import Pace
from services.kit.service import Together

if TYPE_CHECKING:
    from services.kit.service import Job, Runtime

log = logging.getLogger(__name__)
ATTEMPTS = 3
BATCH = 50
DATABASE_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery and the message in it."""

    delivery: Delivery
    envelope: Envelope


class Worker:
    """One consumer of one service's queue, in one thread."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.name = runtime.service.name
        self._applied: dict[str, list[str]] = defaultdict(list)
        self._parked: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what was received is settled first."""
        subscription, pace = self.runtime.port().subscribe(self.name), Pace()
        WORKER_RUNNING.labels(self.name).set(1)
        try:
            while not stop.is_set():
                pace.begin()
                if self.step(subscription, stop) < BATCH:
                    pace.rest(stop)
        finally:
            WORKER_RUNNING.labels(self.name).set(0)
            subscription.close()

    def step(self, subscription: Subscription, stop: threading.Event, timeout: float = 0.5) -> int:
        """One batch: receive, handle, acknowledge, report. Returns how many deliveries there were."""
        deliveries = subscription.receive(BATCH, timeout)
        for arrived in self._grouped(subscription, deliveries):
            self._settle(subscription, arrived, stop)
        self._report()
        return len(deliveries)

    def _grouped(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> list[list[Arrived]]:
        """What one transaction takes: fresh events of one type whose handler takes several together, else one."""
        groups: dict[object, list[Arrived]] = defaultdict(list)
        for delivery in deliveries:
            try:
                envelope = Envelope.parse(delivery.headers, delivery.body, delivery.content_type)
            except EventMismatch as problem:
                with under(str(delivery.headers.get("cloudEvents:correlationid", ""))):
                    log.error("undecodable message dead-lettered", extra={"service": self.name})
                    subscription.dead_letter(delivery, str(problem))
                EVENTS_HANDLED.labels(self.name, UNKNOWN, "unreadable").inc()
                continue
            if delivery.attempt > 1:
                REDELIVERIES.labels(self.name, _declared(envelope)).inc()
            handler = self.runtime.service.handler(envelope.type)
            together = isinstance(handler, Together) and delivery.attempt == 1
            groups[envelope.type if together else object()].append(Arrived(delivery, envelope))
        return list(groups.values())

    def _settle(self, subscription: Subscription, arrived: Sequence[Arrived], stop: threading.Event) -> None:
        """Handle, then acknowledge, each under its own correlation id. Where several together fail, each half is tried, down to
        the one at fault."""
        try:
            handled = self._handle([one.envelope for one in arrived], stop)
        except Exception as problem:
            if len(arrived) == 1:
                with _under(arrived[0].envelope):
                    self._failed(subscription, arrived[0].delivery, arrived[0].envelope, problem)
                return
            half = len(arrived) // 2
            self._settle(subscription, arrived[:half], stop)
            self._settle(subscription, arrived[half:], stop)
            return
        for one in arrived:
            if handled is None:
                subscription.retry(one.delivery)
                continue
            with _under(one.envelope):
                self._applied_one(subscription, one, handled[one.envelope.id])

    def _applied_one(self, subscription: Subscription, one: Arrived, handled: Handled) -> None:
        crash_point("worker-after-commit")
        subscription.acknowledge(one.delivery)
        crash_point("worker-after-ack")
        envelope = one.envelope
        self._applied[_producer(envelope)].append(envelope.id)
        EVENTS_HANDLED.labels(self.name, envelope.type, handled.value).inc()
        about = {
            "service": self.name,
            "type": envelope.type,
            "event_id": envelope.id,
            "outcome": handled.value,
        }
        log.info("event handled", extra=about)

    def _handle(self, envelopes: Sequence[Envelope], stop: threading.Event) -> dict[str, Handled] | None:
        """Event id → what became of it; None where the process was told to end while the database was away."""
        event_type = envelopes[0].type
        started = time.perf_counter()
        with tracing.messages(self.name, "process", envelopes) as carried:
            with _under(carried[0][0]):
                handled = self._handle_when_possible([envelope for envelope, _ in carried], stop)
            for envelope, span in carried:
                span.tell({"tabian.outcome": handled[envelope.id].value if handled else "put back"})
        if handled is not None:
            EVENTS_TOGETHER.labels(self.name, event_type).observe(len(envelopes))
            HANDLER_SECONDS.labels(self.name, event_type).observe(time.perf_counter() - started)
        return handled

    def _handle_when_possible(
        self, envelopes: Sequence[Envelope], stop: threading.Event
    ) -> dict[str, Handled] | None:
        """A database that is away is waited for, until the process is told to end."""
        while True:
            try:
                crash_point("worker-before-commit")
                return handle_once(self.runtime, envelopes)
            except DATABASE_AWAY as problem:
                log.warning(
                    "database away or busy, waiting",
                    extra={"service": self.name, "type": envelopes[0].type, "error": type(problem).__name__},
                )
                if stop.wait(0.5):
                    return None

    def _failed(
        self, subscription: Subscription, delivery: Delivery, envelope: Envelope, problem: Exception
    ) -> None:
        hopeless = isinstance(problem, (UnknownEvent, EventMismatch))
        final = hopeless or delivery.attempt >= ATTEMPTS
        log.error(
            "handler failed",
            extra={
                "service": self.name,
                "type": envelope.type,
                "event_id": envelope.id,
                "attempt": delivery.attempt,
                "error": type(problem).__name__,
                "stack": stack_of(problem),
            },
        )
        EVENTS_HANDLED.labels(self.name, _declared(envelope), "parked" if final else "retried").inc()
        if not final:
            subscription.retry(delivery)
            return
        subscription.dead_letter(delivery, type(problem).__name__)
        self._parked[_producer(envelope)].append((envelope.id, type(problem).__name__))

    def _report(self) -> None:
        for producer in self._applied.keys() | self._parked.keys():
            report = Report(self.name, tuple(self._applied[producer]), tuple(self._parked[producer]))
            self.runtime.port().report(producer, report)
        self._applied.clear()
        self._parked.clear()


def _producer(envelope: Envelope) -> str:
    return envelope.type.split(".", 1)[0]


def _declared(envelope: Envelope) -> str:
    """Its type as a label: what a message says of itself may be anything."""
    return known(envelope.type, REGISTRY)


def _under(envelope: Envelope) -> AbstractContextManager[str]:
    return under(envelope.correlationid, envelope.traceparent)


def run_job(runtime: Runtime, job: Job, stop: threading.Event) -> None:
    """Run a job over and over; it rests while there is nothing to do and survives its own failures."""
    while not stop.is_set():
        seen = runtime.database.wakeup.count
        with under(None):
            worked = _run_once(runtime, job)
        if worked is None:
            stop.wait(1)
        elif not worked:
            runtime.database.wakeup.wait(seen, 0.3)


def _run_once(runtime: Runtime, job: Job) -> bool | None:
    """Whether there was work; None where it failed."""
    service = runtime.service.name
    about = {"job": job.name}
    try:
        with tracing.span(service, f"job {job.name}") as span:
            worked = job.run(runtime)
            if not worked:
                span.drop()
    except DATABASE_AWAY as problem:
        log.warning("job waits", extra=about | {"error": type(problem).__name__})
        return None
    except Exception as problem:
        log.error("job failed", extra=about | {"error": type(problem).__name__, "stack": stack_of(problem)})
        JOB_RUNS.labels(service, job.name, "failed").inc()
        return None
    if worked:
        JOB_RUNS.labels(service, job.name, "worked").inc()
    return worked
