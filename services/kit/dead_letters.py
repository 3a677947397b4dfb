"""What consumers gave up, as it lies in their dead-letter queues: look at it, put it back, throw it away.

Looking leaves everything where it is. Putting back publishes to the consumer's queue, mandatory and confirmed, and only
then takes the letter away, so it is there twice rather than not at all. Of a letter nothing is told but headers, size
and error. Not here: the outbox rows of the same events (services.kit.outbox).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pika
from pika.exceptions import AMQPError, NackError, UnroutableError

from services.contracts.envelope import Envelope, UnknownEvent
from services.contracts.event import EventMismatch
from services.contracts.topology import dead_letters_of

AWAY: tuple[type[Exception], ...] = (AMQPError, OSError)
"""What is raised when the broker is away, refuses, or has no such queue."""
REPLAYS = "x-tabian-replays"
"""How often a letter was put back; RabbitMQ's own history of a message does not survive being published again."""
TOLD = ("specversion", "id", "type", "source", "time", "subject", "correlationid", "causationid")
RETURN_SECONDS = 5.0
"""How long to wait until the broker counts again what was given back; longer, and somebody else has it in hand."""
BROKERS_OWN = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")


class NotReplayed(Exception):
    """The broker did not take a letter back; it lies where it lay."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `key` names it: its event id, or a fingerprint where it has none that can be read."""

    key: str
    consumer: str
    type: str
    subject: str
    error: str
    since: datetime | None
    size: int
    replays: int
    headers: dict[str, str] = field(default_factory=dict)


class DeadLetters:
    """The dead letters of all consumers on one broker. Use as a context manager; one thread."""

    def __init__(self, url: str) -> None:
        parameters = pika.URLParameters(url)
        parameters.socket_timeout = parameters.blocked_connection_timeout = 10
        self._connection = pika.BlockingConnection(parameters)

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.is_open:
            self._connection.close()

    def letters(self, consumer: str) -> list[Letter]:
        """The dead letters of one consumer, oldest first; they stay where they are."""
        with closing(self._walk(consumer)) as walk:
            return [found.letter for found in walk]

    def replay(self, consumer: str, keys: Collection[str], before: Callable[[str], None]) -> Generator[str]:
        """Put the letters of these keys back into the consumer's queue; of several copies one, the others go. Yields
        each key that was put back; `before` is called with it first. Raises NotReplayed."""
        done: set[str] = set()
        with closing(self._walk(consumer)) as walk:
            for found in walk:
                key = found.letter.key
                if key not in keys:
                    continue
                if key in done:
                    found.take(put_back=False)
                    continue
                before(key)
                found.take(put_back=True)
                done.add(key)
                yield key

    def discard(self, consumer: str, keys: Collection[str]) -> set[str]:
        """Throw the letters of these keys away; returns the keys that were there."""
        with closing(self._walk(consumer)) as walk:
            return {found.take(put_back=False).key for found in walk if found.letter.key in keys}

    def _walk(self, consumer: str) -> Generator[_Found]:
        """Every letter that lies there now, one in memory at a time; what is not taken is there again afterwards."""
        channel = self._connection.channel()
        channel.confirm_delivery()
        queue = dead_letters_of(consumer)
        held: set[int] = set()
        try:
            count = channel.queue_declare(queue, passive=True).method.message_count
            for _ in range(count):
                method, properties, body = channel.basic_get(queue)
                if method is None:
                    break
                letter = _letter(consumer, properties, body)
                held.add(method.delivery_tag)
                yield _Found(channel, held, method.delivery_tag, properties, body, letter)
        finally:
            if channel.is_open:
                if held:
                    self._give_back(channel, queue, len(held))
                channel.close()

    def _give_back(self, channel: Any, queue: str, held: int) -> None:
        """What is in hand lies in the queue again on return: the broker would else do it some time later, and whoever
        looks in between finds less than there is."""
        channel.basic_nack(0, multiple=True, requeue=True)
        deadline = time.monotonic() + RETURN_SECONDS
        while channel.queue_declare(queue, passive=True).method.message_count < held:
            if time.monotonic() > deadline:
                break
            self._connection.sleep(0.02)


@dataclass(frozen=True, slots=True)
class _Found:
    """A letter in hand, unacknowledged; `held` has the tags of all such."""

    channel: Any
    held: set[int]
    tag: int
    properties: Any
    body: bytes
    letter: Letter

    def take(self, *, put_back: bool) -> Letter:
        if put_back:
            self._put_back()
        self.channel.basic_ack(self.tag)
        self.held.remove(self.tag)
        return self.letter

    def _put_back(self) -> None:
        properties = self.properties
        headers = _own_headers(properties.headers)
        headers[REPLAYS] = self.letter.replays + 1
        properties.headers, properties.delivery_mode = headers, pika.DeliveryMode.Persistent.value
        try:
            self.channel.basic_publish("", self.letter.consumer, self.body, properties, mandatory=True)
        except (UnroutableError, NackError, AMQPError) as problem:
            raise NotReplayed(type(problem).__name__) from problem


def _letter(consumer: str, properties: Any, body: bytes) -> Letter:
    headers = properties.headers or {}
    key, error = _read(headers, body, properties.content_type or "")
    death = _first_death(headers)
    return Letter(
        key=key,
        consumer=consumer,
        type=str(headers.get("cloudEvents:type", "")),
        subject=str(headers.get("cloudEvents:subject", "")),
        error=error or str(death.get("reason", "")),
        since=_moment(death.get("time")),
        size=len(body),
        replays=_replays(headers),
        headers={
            name: str(headers[f"cloudEvents:{name}"]) for name in TOLD if f"cloudEvents:{name}" in headers
        },
    )


def _read(headers: dict[str, Any], body: bytes, content_type: str) -> tuple[str, str]:
    """(key, what is wrong with the message itself or "")."""
    try:
        envelope = Envelope.parse(headers, body, content_type)
    except EventMismatch as problem:
        return "body-" + hashlib.sha256(body).hexdigest()[:12], str(problem)
    try:
        envelope.event()
    except (EventMismatch, UnknownEvent) as problem:
        return envelope.id, f"{type(problem).__name__}: {problem}"
    return envelope.id, ""


def _first_death(headers: dict[str, Any]) -> dict[str, Any]:
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _moment(time: object) -> datetime | None:
    return time.replace(tzinfo=UTC) if isinstance(time, datetime) else None


def _replays(headers: dict[str, Any] | None) -> int:
    count = (headers or {}).get(REPLAYS, 0)
    return count if isinstance(count, int) else 0


def _own_headers(headers: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if not name.startswith(BROKERS_OWN)}
