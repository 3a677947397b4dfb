"""Sending with proof: what publish() returns, the broker has confirmed message by message and had a queue for.

One connection in a thread of its own, reconnected for ever. At most a window of messages is unconfirmed at any time; a
confirm counts for the message with its tag and for no other, however late it comes. Nothing here retries a message:
whoever publishes keeps it until it is confirmed. Not here: what a message says, and who receives it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.exceptions import AMQPError

from services.kit.metrics import BROKER_CONNECTED, BROKER_REFUSED

log = logging.getLogger(__name__)
WINDOW = 256
WINDOW_BYTES = 16 * 1024 * 1024
HEARTBEAT_SECONDS = 10
BLOCKED_SECONDS = 15
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send. `id` is also its AMQP message-id."""

    id: str
    exchange: str
    key: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    content_type: str
    type: str


class _Batch:
    """The messages of one publish(): how many are not settled, and which were confirmed."""

    def __init__(self, size: int) -> None:
        self.open = size
        self.confirmed: set[str] = set()


@dataclass(slots=True)
class _Entry:
    message: Message
    batch: _Batch


class Publisher:
    """Thread-safe. `exchange` is looked for on every connection: nothing is sent before it is declared."""

    def __init__(
        self,
        url: str,
        exchange: str,
        *,
        window: int = WINDOW,
        heartbeat: int = HEARTBEAT_SECONDS,
        blocked_timeout: float = BLOCKED_SECONDS,
    ) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = heartbeat
        self._parameters.blocked_connection_timeout = blocked_timeout
        self._parameters.socket_timeout = 5
        self._parameters.stack_timeout = 10
        self._parameters.connection_attempts = 1
        self._exchange, self._window = exchange, window
        self._changed = threading.Condition()  # guards everything below
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._connection: Any = None
        self._channel: Any = None
        self._blocked = False
        self._waiting: deque[_Entry] = deque()
        self._unconfirmed: dict[int, _Entry] = {}
        self._bytes = 0
        self._returned: Counter[str] = Counter()
        self._tag = 0

    @property
    def unconfirmed(self) -> int:
        """How many messages were sent and not yet answered."""
        return len(self._unconfirmed)

    @property
    def ready(self) -> bool:
        """Whether a message could be sent now."""
        return self._channel is not None and not self._blocked

    def soon(self, timeout: float) -> bool:
        """Whether messages can be sent: at once, or within `timeout` seconds on a first connection. A broker that was
        lost or blocks is not waited for."""
        with self._changed:
            if self._thread is None:
                self._start()
                self._changed.wait_for(lambda: self.ready, timeout)
            return self.ready

    def publish(self, messages: Sequence[Message], timeout: float) -> set[str]:
        """Send; blocks until every message is confirmed or refused, at most `timeout` seconds. Returns the ids of
        those confirmed. The others may or may not have arrived."""
        batch = _Batch(len(messages))
        with self._changed:
            self._start()
            self._waiting.extend(_Entry(message, batch) for message in messages)
            self._poke(self._pump)
            self._changed.wait_for(lambda: batch.open == 0 or self._stopping.is_set(), timeout)
            self._waiting = deque(entry for entry in self._waiting if entry.batch is not batch)
            return set(batch.confirmed)

    def close(self) -> None:
        """End the thread and the connection; a publish() that is waiting returns."""
        self._stopping.set()
        with self._changed:
            self._poke(self._hang_up)
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=10)

    def _start(self) -> None:
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
            self._thread.start()

    def _poke(self, action: Any) -> None:
        """Have the connection's own thread do something."""
        if self._connection is not None:
            self._connection.ioloop.add_callback_threadsafe(action)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            self._live()
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self._stopping.wait(pause * random.uniform(0.5, 1))

    def _live(self) -> None:
        """One connection from its beginning to its end."""
        connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=lambda opened: opened.channel(on_open_callback=self._on_channel),
            on_open_error_callback=self._on_end,
            on_close_callback=self._on_end,
        )
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
        with self._changed:
            self._connection = connection
            if self._stopping.is_set():
                self._poke(self._hang_up)
        try:
            connection.ioloop.start()
        except Exception as problem:  # a defect in a callback ends this connection, not the relay
            log.error("publisher failed", extra={"error": type(problem).__name__})
        finally:
            self._forget()
            connection.ioloop.close()

    def _forget(self) -> None:
        """The connection is gone: what it had not confirmed is not confirmed."""
        with self._changed:
            self._connection = self._channel = None
            self._blocked = False
            for entry in self._unconfirmed.values():
                self._settle(entry, confirmed=False)
            BROKER_REFUSED.labels("lost").inc(len(self._unconfirmed))
            self._unconfirmed.clear()
            self._returned.clear()
            self._bytes = self._tag = 0
            BROKER_CONNECTED.labels("publisher").set(0)
            self._changed.notify_all()

    def _on_end(self, connection: Any, reason: BaseException) -> None:
        if not self._stopping.is_set():
            log.warning("publisher waits for the broker", extra={"error": type(reason).__name__})
        connection.ioloop.stop()

    def _hang_up(self) -> None:
        connection = self._connection
        if connection is not None and not (connection.is_closing or connection.is_closed):
            connection.close()

    def _on_channel(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)

        def ask_for_confirms(_: Any) -> None:
            channel.confirm_delivery(self._on_answer, callback=lambda _: self._on_ready(channel))

        channel.exchange_declare(self._exchange, passive=True, callback=ask_for_confirms)

    def _on_ready(self, channel: Any) -> None:
        with self._changed:
            self._channel = channel
            BROKER_CONNECTED.labels("publisher").set(1)
            self._changed.notify_all()
            self._pump()

    def _on_channel_closed(self, channel: Any, reason: BaseException) -> None:
        """The exchange is missing, or something was refused as a whole: begin again after a pause."""
        if not self._stopping.is_set():
            code = getattr(reason, "reply_code", 0)
            log.warning("publisher's channel closed", extra={"code": code, "exchange": self._exchange})
        with self._changed:
            self._channel = None
        if channel.connection.is_open:
            channel.connection.close()

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("broker blocks publishers" if blocked else "broker takes messages again")
        with self._changed:
            self._blocked = blocked
            self._pump()

    def _pump(self) -> None:
        """Send while the window has room. Runs in the connection's thread."""
        with self._changed:
            while self._waiting and self.ready and self._has_room():
                self._send(self._waiting.popleft())

    def _has_room(self) -> bool:
        return len(self._unconfirmed) < self._window and self._bytes < WINDOW_BYTES

    def _send(self, entry: _Entry) -> None:
        message = entry.message
        properties = pika.BasicProperties(
            message_id=message.id,
            type=message.type,
            content_type=message.content_type,
            headers=dict(message.headers),
            delivery_mode=pika.DeliveryMode.Persistent,
        )
        try:
            self._channel.basic_publish(
                message.exchange, message.key, message.body, properties, mandatory=True
            )
        except AMQPError:  # the channel is closing: the connection's end settles the rest
            self._refuse(entry, "lost")
            return
        except Exception as problem:  # this one cannot be written as AMQP; the others can
            log.error("message cannot be sent", extra={"error": type(problem).__name__, "type": message.type})
            self._refuse(entry, "unsendable")
            return
        self._tag += 1
        self._unconfirmed[self._tag] = entry
        self._bytes += len(message.body)

    def _refuse(self, entry: _Entry, why: str) -> None:
        BROKER_REFUSED.labels(why).inc()
        self._settle(entry, confirmed=False)

    def _settle(self, entry: _Entry, *, confirmed: bool) -> None:
        """Who published is woken by the last of the batch: woken by each, it would take the interpreter from this thread."""
        entry.batch.open -= 1
        if confirmed:
            entry.batch.confirmed.add(entry.message.id)
        if not entry.batch.open:
            self._changed.notify_all()

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        """No queue wanted it. Its confirm follows, and must not count."""
        with self._changed:
            self._returned[properties.message_id] += 1

    def _on_answer(self, frame: Any) -> None:
        method = frame.method
        accepted = isinstance(method, pika.spec.Basic.Ack)
        with self._changed:
            last = method.delivery_tag
            tags = [tag for tag in self._unconfirmed if tag <= last] if method.multiple else [last]
            for tag in tags:
                self._answered(tag, accepted)
            self._pump()

    def _answered(self, tag: int, accepted: bool) -> None:
        entry = self._unconfirmed.pop(tag, None)
        if entry is None:
            return
        self._bytes -= len(entry.message.body)
        returned = self._returned[entry.message.id] > 0
        if returned:
            self._returned[entry.message.id] -= 1
        if accepted and not returned:
            self._settle(entry, confirmed=True)
            return
        self._refuse(entry, "returned" if returned else "nacked")
