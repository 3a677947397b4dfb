"""Reading a RabbitMQ queue, and declaring the queues: everything that kombu does here.

A QueueReader takes messages from one queue and settles them. It connects when first asked, finds out within two
heartbeats that the broker is gone even while a handler is busy, and connects again for ever; a queue that is not declared
is waited for and said so. Not here: what messages mean.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import deque
from typing import Any

from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from services.contracts import topology as wire
from services.kit.metrics import BROKER_CONNECTED

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
NOT_FOUND = 404
_PLAIN = Connection("amqp://")
ERRORS: tuple[type[Exception], ...] = (
    *_PLAIN.connection_errors,
    *_PLAIN.channel_errors,
    OperationalError,
)
"""What a broker that is away, or refuses, raises."""


class _Amqp(pyamqp.Connection):  # type: ignore[misc]
    """A connection that the broker refuses while it is being made (a virtual host that is not up) leaves no socket."""

    def connect(self, callback: Any = None) -> Any:
        try:
            return super().connect(callback)
        except ERRORS:
            self.collect()
            raise


class _Transport(pyamqp.Transport):  # type: ignore[misc]
    Connection = _Amqp


def connect(url: str, heartbeat: int) -> Connection:
    """A fresh connection; it is never shared by threads and never used again after an error. Raises one of ERRORS."""
    connection = Connection(
        url,
        heartbeat=heartbeat,
        connect_timeout=5,
        transport_options={
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "read_timeout": 10,
            "write_timeout": 10,
            "client_properties": {"connection_name": "tabian"},
        },
    )
    connection.transport_cls = _Transport
    connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
    return connection


class QueueReader:
    """One queue, read by one thread. A second thread of its own keeps the heartbeat while that one is busy."""

    def __init__(self, url: str, queue: str, prefetch: int, heartbeat: int) -> None:
        self.queue = queue
        self._url, self._prefetch, self._heartbeat = url, prefetch, heartbeat
        self._lock = threading.RLock()  # guards everything below
        self._connection: Connection | None = None
        self._wire: Any = None
        self._channel: Any = None
        self._consumer: Any = None
        self._arrived: deque[Any] = deque()
        self._pause, self._next_try = FIRST_PAUSE, 0.0
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None

    def take(self, limit: int, timeout: float) -> list[Any]:
        """Up to `limit` messages; waits up to `timeout` seconds for the first. Empty while the broker is away."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            with self._lock:
                if self._connected():
                    self._drain(0 if self._arrived else left, limit)
                if self._arrived:
                    return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
            if left <= 0:
                return []
            if self._channel is None:
                self._closed.wait(min(0.05, left))

    def holds(self, message: Any) -> bool:
        """Whether this message can still be settled: its connection is the present one."""
        return message.channel is not None and message.channel is self._channel

    def settle(self, message: Any, how: str) -> None:
        """`how`: ack (done), requeue (again, counted), reject (to the dead letters). Nothing happens if the message's
        connection is gone: the broker gives it out again."""
        with self._lock:
            if not self.holds(message):
                return
            try:
                getattr(message, how)()
            except ERRORS as problem:
                self._lose(problem)

    def cancel(self) -> None:
        """Have the broker hand out nothing more; what is in hand can still be settled."""
        with self._lock:
            if self._channel is not None:
                try:
                    self._consumer.cancel()
                except ERRORS as problem:
                    self._lose(problem)

    def close(self) -> None:
        """Hang up; what is unsettled goes back to the queue."""
        self._closed.set()
        if self._keeper is not None:
            self._keeper.join(timeout=5)
        with self._lock:
            connection, self._connection, self._channel = self._connection, None, None
            if connection is not None:
                with contextlib.suppress(*ERRORS):
                    connection.release()
            if self._wire is not None:
                self._wire.collect()

    def _connected(self) -> bool:
        if self._channel is None and time.monotonic() >= self._next_try and not self._closed.is_set():
            try:
                self._open()
            except ERRORS as problem:
                self._lose(problem)
        return self._channel is not None

    def _open(self) -> None:
        self._connection = connect(self._url, self._heartbeat)
        self._wire = self._connection.connection
        channel = self._connection.channel()
        channel.auto_decode = False  # a body is bytes, whatever its content-encoding claims
        channel.queue_declare(queue=self.queue, passive=True)
        self._consumer = Consumer(
            channel,
            queues=[Queue(self.queue, no_declare=True)],
            on_message=self._arrived.append,
            on_decode_error=self._undecodable,
            auto_declare=False,
            prefetch_count=self._prefetch,
        )
        self._consumer.consume()
        self._channel, self._pause = channel, FIRST_PAUSE
        BROKER_CONNECTED.labels(self._role()).inc()
        log.info("reading", extra={"queue": self.queue})
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name=f"heart-{self.queue}", daemon=True)
            self._keeper.start()

    def _undecodable(self, message: Any, problem: Exception) -> None:
        """kombu would acknowledge, and so destroy, what it cannot decode."""
        error = type(problem).__name__
        log.error("undecodable message dead-lettered", extra={"queue": self.queue, "error": error})
        message.reject()

    def _drain(self, timeout: float, limit: int) -> None:
        """Wait for one message, then take what is there already."""
        wait = max(timeout, 0.001)
        try:
            while len(self._arrived) < limit:
                assert self._connection is not None
                self._connection.drain_events(timeout=wait)
                wait = 0.001
        except TimeoutError:
            return
        except ERRORS as problem:
            self._lose(problem)

    def _keep(self) -> None:
        """Read and answer heartbeats, also while no one takes messages."""
        while not self._closed.wait(self._heartbeat / 4):
            with self._lock:
                if self._channel is None:
                    continue
                self._drain(0, self._prefetch)
                try:
                    if self._connection is not None:
                        self._connection.heartbeat_check()
                except ERRORS as problem:
                    self._lose(problem)

    def _lose(self, problem: Exception) -> None:
        """Forget the connection, without a word to a broker that may not listen; try again after a pause."""
        code = getattr(problem, "reply_code", None)
        reason = "queue is not declared, waiting" if code == NOT_FOUND else "broker away, waiting"
        log.warning(reason, extra={"queue": self.queue, "error": type(problem).__name__})
        if self._channel is not None:
            BROKER_CONNECTED.labels(self._role()).dec()
        connection, self._connection, self._channel = self._connection, None, None
        self._arrived.clear()
        self._next_try = time.monotonic() + self._pause * random.uniform(0.5, 1)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        wire_connection, self._wire = self._wire, None
        if wire_connection is not None:
            wire_connection.collect()
        if connection is not None:
            connection.collect()

    def _role(self) -> str:
        return "reports" if self.queue.endswith(".reports") else "consumer"


def declare(url: str) -> None:
    """Declare everything the events need; whatever is there already must be the same. Raises one of ERRORS."""
    topology = wire.topology()
    with connect(url, 0) as connection, connection.channel() as channel:
        for exchange in topology.exchanges:
            arguments = exchange.arguments or None
            Exchange(
                exchange.name, exchange.type, durable=True, arguments=arguments, channel=channel
            ).declare()
        for queue in topology.queues:
            Queue(queue.name, durable=True, queue_arguments=queue.arguments, channel=channel).queue_declare()
        for binding in topology.bindings:
            Queue(binding.queue, channel=channel).bind_to(binding.exchange, routing_key=binding.key)


def missing(url: str) -> list[str]:
    """The exchanges and queues that are not declared on the broker. Needs no right but to connect."""
    topology = wire.topology()
    with connect(url, 0) as connection:
        exchanges = [e.name for e in topology.exchanges if not _there(connection, e.name, queue=False)]
        queues = [q.name for q in topology.queues if not _there(connection, q.name, queue=True)]
    return exchanges + queues


def _there(connection: Connection, name: str, *, queue: bool) -> bool:
    channel = connection.channel()  # does not survive the answer "no"
    try:
        if queue:
            channel.queue_declare(queue=name, passive=True)
        else:
            channel.exchange_declare(exchange=name, type="", passive=True)
    except ERRORS as problem:
        if getattr(problem, "reply_code", None) == NOT_FOUND:
            return False
        raise
    channel.close()
    return True
