"""The broker of embedded mode: queues in this process's memory, redelivery, dead letters.

Messages pass through the same headers and bytes as over the wire. It forgets everything when the process dies;
the outbox then sends again. Not here: anything durable.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.envelope import Envelope
from services.contracts.event import REGISTRY
from services.kit.broker import Delivery
from services.kit.outbox import Report


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message given up by `consumer`, and why."""

    consumer: str
    reason: str
    delivery: Delivery


class LocalBroker:
    """In-process broker; thread-safe."""

    survives_restart = False

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._queues: dict[str, deque[Delivery]] = defaultdict(deque)
        self._reports: dict[str, list[Report]] = defaultdict(list)
        self._reported: dict[str, threading.Event] = defaultdict(threading.Event)
        self.dead_letters: list[DeadLetter] = []

    def publish(self, envelopes: Sequence[Envelope]) -> set[str]:
        with self._arrived:
            for envelope in envelopes:
                delivery = Delivery(envelope.headers(), envelope.body(), envelope.content_type, 1)
                for consumer in REGISTRY[envelope.type].consumers:
                    self._queues[consumer].append(delivery)
            self._arrived.notify_all()
        return {envelope.id for envelope in envelopes}

    def put(self, consumer: str, delivery: Delivery) -> None:
        """Put one delivery at the end of a consumer's queue (redelivery, and hostile messages in tests)."""
        with self._arrived:
            self._queues[consumer].append(delivery)
            self._arrived.notify_all()

    def take(self, consumer: str, limit: int, timeout: float) -> list[Delivery]:
        deadline = time.monotonic() + timeout
        with self._arrived:
            queue = self._queues[consumer]
            while not queue:
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                self._arrived.wait(left)
            return [queue.popleft() for _ in range(min(limit, len(queue)))]

    def subscribe(self, consumer: str) -> LocalSubscription:
        return LocalSubscription(self, consumer)

    def report(self, producer: str, report: Report) -> None:
        with self._arrived:
            self._reports[producer].append(report)

    def reports(self, producer: str) -> list[Report]:
        with self._arrived:
            return self._reports.pop(producer, [])

    def depth(self, consumer: str) -> int:
        """Messages waiting for a consumer."""
        with self._arrived:
            return len(self._queues[consumer])


class LocalSubscription:
    """A consumer's hold on its LocalBroker queue."""

    def __init__(self, broker: LocalBroker, consumer: str) -> None:
        self._broker, self._consumer = broker, consumer
        self._unsettled: dict[int, Delivery] = {}

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        taken = self._broker.take(self._consumer, limit, timeout)
        self._unsettled.update((id(delivery), delivery) for delivery in taken)
        return taken

    def acknowledge(self, delivery: Delivery) -> None:
        del self._unsettled[id(delivery)]

    def retry(self, delivery: Delivery) -> None:
        del self._unsettled[id(delivery)]
        self._broker.put(self._consumer, dataclasses.replace(delivery, attempt=delivery.attempt + 1))

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        del self._unsettled[id(delivery)]
        self._broker.dead_letters.append(DeadLetter(self._consumer, reason, delivery))

    def close(self) -> None:
        for delivery in list(self._unsettled.values()):
            self.retry(delivery)
