"""The worker: takes deliveries, runs the handler once, acknowledges after the commit, and reports to the producer.

A handler's failure is retried ATTEMPTS times, then the message is dead-lettered and reported as parked. A database
that is away is not the message's fault: the worker waits for it without counting an attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from services.contracts.envelope import Envelope, UnknownEvent
from services.contracts.event import EventMismatch
from services.kit.broker import Delivery, Subscription
from services.kit.crash import crash_point
from services.kit.inbox import Handled, handle_once
from services.kit.logs import stack_of
from services.kit.metrics import EVENTS_HANDLED, HANDLER_SECONDS, JOB_RUNS
from services.kit.outbox import Report

if TYPE_CHECKING:
    from services.kit.service import Job, Runtime

log = logging.getLogger(__name__)
ATTEMPTS = 3
BATCH = 50
DATABASE_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError)


class Worker:
    """One consumer of one service's queue, in one thread."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.name = runtime.service.name
        self._applied: dict[str, list[str]] = defaultdict(list)
        self._parked: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what was received is settled first."""
        subscription = self.runtime.port().subscribe(self.name)
        try:
            while not stop.is_set():
                self.step(subscription, stop)
        finally:
            subscription.close()

    def step(self, subscription: Subscription, stop: threading.Event, timeout: float = 0.5) -> int:
        """One batch: receive, handle, acknowledge, report. Returns how many deliveries there were."""
        deliveries = subscription.receive(BATCH, timeout)
        for delivery in deliveries:
            self._deliver(subscription, delivery, stop)
        self._report()
        return len(deliveries)

    def _deliver(self, subscription: Subscription, delivery: Delivery, stop: threading.Event) -> None:
        try:
            envelope = Envelope.parse(delivery.headers, delivery.body, delivery.content_type)
        except EventMismatch as problem:
            log.error("undecodable message dead-lettered", extra={"service": self.name})
            subscription.dead_letter(delivery, str(problem))
            return
        try:
            handled = self._handle(envelope, stop)
        except Exception as problem:
            self._failed(subscription, delivery, envelope, problem)
            return
        if handled is None:
            subscription.retry(delivery)
            return
        crash_point("worker-after-commit")
        subscription.acknowledge(delivery)
        crash_point("worker-after-ack")
        self._applied[_producer(envelope)].append(envelope.id)
        EVENTS_HANDLED.labels(self.name, envelope.type, handled.value).inc()
        about = {
            "service": self.name,
            "type": envelope.type,
            "event_id": envelope.id,
            "outcome": handled.value,
        }
        log.info("event handled", extra=about)

    def _handle(self, envelope: Envelope, stop: threading.Event) -> Handled | None:
        started = time.perf_counter()
        while True:
            try:
                crash_point("worker-before-commit")
                handled = handle_once(self.runtime, envelope)
            except DATABASE_AWAY as problem:
                log.warning(
                    "database away or busy, waiting",
                    extra={"service": self.name, "type": envelope.type, "error": type(problem).__name__},
                )
                if stop.wait(0.5):
                    return None
                continue
            HANDLER_SECONDS.labels(self.name, envelope.type).observe(time.perf_counter() - started)
            return handled

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
        EVENTS_HANDLED.labels(self.name, envelope.type, "parked" if final else "retried").inc()
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


def run_job(runtime: Runtime, job: Job, stop: threading.Event) -> None:
    """Run a job over and over; it rests while there is nothing to do and survives its own failures."""
    while not stop.is_set():
        seen = runtime.database.wakeup.count
        try:
            worked = job.run(runtime)
        except DATABASE_AWAY as problem:
            log.warning("job waits", extra={"job": job.name, "error": type(problem).__name__})
            stop.wait(1)
            continue
        except Exception as problem:
            log.error(
                "job failed",
                extra={"job": job.name, "error": type(problem).__name__, "stack": stack_of(problem)},
            )
            JOB_RUNS.labels(runtime.service.name, job.name, "failed").inc()
            stop.wait(1)
            continue
        if worked:
            JOB_RUNS.labels(runtime.service.name, job.name, "worked").inc()
        else:
            runtime.database.wakeup.wait(seen, 0.3)
