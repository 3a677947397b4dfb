"""RabbitMQ behind the broker port: sends through a Publisher, receives through QueueReaders.

A message whose connection was lost comes again by itself, and settling it then does nothing. Not here: confirms
(publisher), connections and declaring (rabbit_queues), dead letters (services.kit.dead_letters).
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from services.contracts import topology as wire
from services.contracts.envelope import JSON_TYPE, Envelope
from services.kit.broker import Delivery
from services.kit.broker.publisher import HEARTBEAT_SECONDS, Message, Publisher
from services.kit.broker.rabbit_queues import QueueReader
from services.kit.outbox import Report

log = logging.getLogger(__name__)
PREFETCH = 50
REPORTS_PREFETCH = 1000
PUBLISH_SECONDS, REPORT_SECONDS = 10.0, 1.0
UNSENT_REPORTS = 1000


class RabbitBroker:
    """A process's way to RabbitMQ. `url`: amqp://user:password@host:port/vhost."""

    survives_restart = True

    def __init__(self, url: str, *, heartbeat: int = HEARTBEAT_SECONDS) -> None:
        self._url, self._heartbeat = url, heartbeat
        self.publisher = Publisher(url, wire.EVENTS, heartbeat=heartbeat)
        self._unsent: deque[Message] = deque(maxlen=UNSENT_REPORTS)
        self._sending = threading.Lock()
        self._readers: dict[str, _ReportReader] = {}

    def publish(self, envelopes: Sequence[Envelope]) -> set[str]:
        return self.publisher.publish([_message(envelope) for envelope in envelopes], PUBLISH_SECONDS)

    def subscribe(self, consumer: str) -> RabbitSubscription:
        return RabbitSubscription(self, QueueReader(self._url, consumer, PREFETCH, self._heartbeat))

    def report(self, producer: str, report: Report) -> None:
        self._unsent.append(_report_message(producer, report))
        self.send_reports()

    def send_reports(self) -> None:
        """Send what is still unsent, unless the broker takes nothing just now. What stays unsent is sent with the next
        ones; the oldest are forgotten when they are too many."""
        with self._sending:
            if not self._unsent or not self.publisher.soon(REPORT_SECONDS):
                return
            confirmed = self.publisher.publish(list(self._unsent), REPORT_SECONDS)
            left = [message for message in self._unsent if message.id not in confirmed]
            self._unsent.clear()
            self._unsent.extend(left)

    def reports(self, producer: str) -> list[Report]:
        if producer not in self._readers:
            queue = wire.reports_of(producer)
            self._readers[producer] = _ReportReader(
                QueueReader(self._url, queue, REPORTS_PREFETCH, self._heartbeat)
            )
        return self._readers[producer].read()

    def close(self) -> None:
        """Send the reports that are left, if that is quick, and hang up."""
        self.send_reports()
        self.publisher.close()
        for reader in self._readers.values():
            reader.close()


class RabbitSubscription:
    """One consumer's hold on its queue. Reports that could not be sent are tried again while it receives."""

    def __init__(self, broker: RabbitBroker, reader: QueueReader) -> None:
        self._broker, self._reader = broker, reader
        self._unsettled: dict[int, Delivery] = {}

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        self._broker.send_reports()
        taken = [_delivery(message) for message in self._reader.take(limit, timeout)]
        self._unsettled = {id(d): d for d in self._unsettled.values() if self._reader.holds(d.token)}
        self._unsettled.update((id(delivery), delivery) for delivery in taken)
        return taken

    def acknowledge(self, delivery: Delivery) -> None:
        self._settle(delivery, "ack")

    def retry(self, delivery: Delivery) -> None:
        self._settle(delivery, "requeue")

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """The broker moves it. It has no room for the reason, which the producer's outbox row keeps."""
        log.warning("message dead-lettered", extra={"queue": self._reader.queue, "reason": reason})
        self._settle(delivery, "reject")

    def close(self) -> None:
        self._reader.cancel()  # or what goes back would come here again, and be counted twice
        for delivery in list(self._unsettled.values()):
            self.retry(delivery)
        self._reader.close()

    def _settle(self, delivery: Delivery, how: str) -> None:
        self._unsettled.pop(id(delivery), None)
        self._reader.settle(delivery.token, how)


class _ReportReader:
    """A producer's reports. They are acknowledged when the next are asked for: by then these are recorded."""

    def __init__(self, reader: QueueReader) -> None:
        self._reader = reader
        self._handed_out: list[Any] = []

    def read(self) -> list[Report]:
        for message in self._handed_out:
            self._reader.settle(message, "ack")
        self._handed_out = []
        reports = []
        for message in self._reader.take(REPORTS_PREFETCH, 0):
            report = _parse_report(message.body)
            if report is None:
                log.error("unreadable report refused", extra={"queue": self._reader.queue})
                self._reader.settle(message, "reject")
                continue
            self._handed_out.append(message)
            reports.append(report)
        return reports

    def close(self) -> None:
        self._reader.close()


def _message(envelope: Envelope) -> Message:
    return Message(
        id=envelope.id,
        exchange=wire.EVENTS,
        key=envelope.type,
        headers=envelope.headers(),
        body=envelope.body(),
        content_type=envelope.content_type,
        type=envelope.type,
    )


def _delivery(message: Any) -> Delivery:
    count = message.headers.get("x-delivery-count", 0)
    attempt = count + 1 if isinstance(count, int) else 1
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
    return Delivery(dict(message.headers), body, message.content_type or "", attempt, message)


def _report_message(producer: str, report: Report) -> Message:
    fields = {"consumer": report.consumer, "applied": report.applied, "parked": report.parked}
    return Message(
        id=str(uuid.uuid4()),
        exchange=wire.REPORTS,
        key=producer,
        headers={},
        body=json.dumps(fields).encode(),
        content_type=JSON_TYPE,
        type=wire.REPORT_TYPE,
    )


def _parse_report(body: Any) -> Report | None:
    try:
        fields = json.loads(body)
        applied = tuple(str(uuid.UUID(event_id)) for event_id in fields["applied"])
        parked = tuple((str(uuid.UUID(event_id)), str(reason)) for event_id, reason in fields["parked"])
        consumer = fields["consumer"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Report(consumer, applied, parked) if isinstance(consumer, str) else None
