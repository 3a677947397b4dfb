"""What tests do to a broker behind its port: put strange messages in, look at queues, lose everything."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import pika

from services.contracts.envelope import Envelope, describe
from services.contracts.event import declaration_of, from_plain
from services.kit.broker import Delivery, Subscription
from services.kit.broker.local import LocalBroker
from services.kit.broker.rabbit import RabbitBroker
from services.kit.broker.rabbit_queues import declare
from services.kit.dead_letters import DeadLetters
from tests.contracts.samples import example_of
from tests.support.rabbitmq import Given


def envelope(event: object, *, document: bytes | None = None) -> Envelope:
    """An event as a relay would send it."""
    event_type, about = describe(event)
    return Envelope(
        id=str(uuid.uuid4()),
        type=event_type,
        source="/test",
        time=datetime.now(UTC),
        subject="test",
        about=about,
        correlationid="correlation-of-a-test",
        document=document,
    )


def sample(cls: type[Any]) -> Any:
    """An event of that class, as stored in tests/contracts."""
    return from_plain(cls, example_of(declaration_of(cls)))


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """What `condition` returns as soon as that is true. Fails the test if it stays false."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


class Lab(Protocol):
    """A broker and its back door."""

    broker: Any

    def subscribe(self, consumer: str) -> Subscription:
        """A subscription that is closed at the end."""

    def put(self, consumer: str, headers: dict[str, Any], body: bytes, content_type: str) -> None: ...

    def dead(self, consumer: str) -> int:
        """How many dead letters a consumer has."""

    def waiting(self, consumer: str) -> int:
        """How many messages lie in a consumer's queue, not handed out."""

    def forget(self) -> None:
        """Everything the broker holds is gone."""

    def close(self) -> None: ...


class LocalLab:
    def __init__(self) -> None:
        self.broker: LocalBroker = LocalBroker()

    def subscribe(self, consumer: str) -> Subscription:
        return self.broker.subscribe(consumer)

    def put(self, consumer: str, headers: dict[str, Any], body: bytes, content_type: str) -> None:
        self.broker.put(consumer, Delivery(headers, body, content_type, 1))

    def dead(self, consumer: str) -> int:
        return sum(letter.consumer == consumer for letter in self.broker.dead_letters)

    def waiting(self, consumer: str) -> int:
        return self.broker.depth(consumer)

    def forget(self) -> None:
        for consumer in ("snapshot", "dedup", "intake", "buildings", "export"):
            while self.broker.take(consumer, 100, 0):
                pass

    def close(self) -> None:
        pass


class RabbitLab:
    def __init__(self, node: Given, **more: Any) -> None:
        self.node: Any = node
        self.broker: RabbitBroker = RabbitBroker(node.url, **more)
        self._subscriptions: list[Subscription] = []

    def subscribe(self, consumer: str) -> Subscription:
        self._subscriptions.append(self.broker.subscribe(consumer))
        return self._subscriptions[-1]

    def put(self, consumer: str, headers: dict[str, Any], body: bytes, content_type: str) -> None:
        properties = pika.BasicProperties(headers=headers, content_type=content_type, delivery_mode=2)
        with pika.BlockingConnection(pika.URLParameters(self.node.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", consumer, body, properties, mandatory=True)

    def dead(self, consumer: str) -> int:
        with DeadLetters(self.node.url) as letters:
            return len(letters.letters(consumer))

    def waiting(self, consumer: str) -> int:
        return self.node.waiting(consumer)

    def forget(self) -> None:
        self.node.wipe()
        declare(self.node.url)

    def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.close()
        self.broker.close()


def receive(subscription: Subscription, wanted: int, seconds: float = 10) -> list[Delivery]:
    """As many deliveries as are wanted, however they come."""
    found: list[Delivery] = []
    deadline = time.monotonic() + seconds
    while len(found) < wanted:
        assert time.monotonic() < deadline, f"only {len(found)} of {wanted} came"
        found += subscription.receive(wanted - len(found), 0.2)
    return found
