"""A service's database and its transaction. `publish` is a method of the transaction: an event cannot leave
without the change it tells of, nor the change without the event. Not here: sending (relay), receiving (inbox).
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, CursorResult, Executable

from services.kit import outbox
from services.kit.doorbell import Doorbell
from services.kit.logs import correlation_id, traceparent, under
from services.kit.metrics import POOL_CONNECTIONS, POOL_SIZE

if TYPE_CHECKING:
    from datetime import datetime

    from services.contracts.envelope import Envelope
    from services.kit.clock import Clock
    from services.kit.service import Service


QUIET_SECONDS, QUIET_FACTOR = 10.0, 3.0
RESTED_SECONDS = 1.0
LOOK_MS = 5000
_LOOK_TIMEOUT = sa.text(f"SET LOCAL statement_timeout = {LOOK_MS}")


class Wakeup:
    """Tells the threads of this process that a transaction committed, in it or (by the doorbell) in another of the service.
    Who waits looks by itself now and then, three times more seldom once nothing was heard for ten seconds."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0
        self._last = time.monotonic()

    @property
    def count(self) -> int:
        return self._count

    def notify(self) -> None:
        with self._condition:
            self._count += 1
            self._last = time.monotonic()
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Block until something committed after `seen` or the timeout (seconds; longer when it is quiet); returns the
        new count."""
        with self._condition:
            if time.monotonic() - self._last > QUIET_SECONDS:
                timeout *= QUIET_FACTOR
            self._condition.wait_for(lambda: self._count != seen, timeout)
            return self._count


class Transaction:
    """One database transaction. In a handler it already holds the message's inbox row; `cause` is the message."""

    def __init__(
        self, connection: Connection, service: Service, clock: Clock, cause: Envelope | None = None
    ) -> None:
        self.connection, self.service, self.clock, self.cause = connection, service, clock, cause
        self.wrote = False
        self._events: list[dict[str, Any]] = []

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        result = self.connection.execute(statement, parameters)
        if not isinstance(statement, sa.Select) and result.rowcount != 0:
            self.wrote = True
        return result

    def now(self) -> datetime:
        """The round clock."""
        return self.clock.now()

    def publish(self, event: object, *, subject: str, cause: Envelope | None = None) -> str:
        """Put an event into the outbox, all of a transaction's together at its end; returns its id. `cause`: the message
        that led to it, where the transaction has several. Raises ValueError if this service does not declare it."""
        if type(event) not in self.service.publishes:
            raise ValueError(f"{self.service.name} does not declare that it publishes {type(event).__name__}")
        self.wrote = True
        came = (cause.correlationid, cause.traceparent) if cause else (correlation_id(), traceparent())
        with under(*came):
            row = outbox.row_of(event, subject=subject, time=self.now(), cause=cause or self.cause)
        self._events.append(row)
        return str(row["id"])

    def complete(self) -> None:
        """Write what was published; the last thing before the commit."""
        outbox.append(self.connection, self._events)

    def copy(self, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
        """COPY rows, given in the order of the table's columns, into the table."""
        connection = self.connection.connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        statement = f'COPY "{table.name}" ({columns}) FROM STDIN'.encode()
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        self.wrote = True

    def lock_shared(self, name: str) -> None:
        """Hold the shared side of a named advisory lock until the transaction ends."""
        self.connection.execute(_LOCK_SHARED, {"number": _lock_number(name)})

    def lock_exclusive(self, name: str, *, timeout_ms: int) -> None:
        """Hold the exclusive side; raises sqlalchemy.exc.OperationalError if not had within the time."""
        self.connection.execute(sa.text(f"SET LOCAL lock_timeout = {int(timeout_ms)}"))
        self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(name))))


_LOCK_SHARED = sa.text("SELECT pg_advisory_xact_lock_shared(:number)")


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class Database:
    """Connections of one process to its service's database. Thread-safe."""

    def __init__(self, url: str, service: Service, clock: Clock, *, pool_size: int = 8) -> None:
        self.service, self.clock = service, clock
        self.wakeup, self.bell = Wakeup(), Doorbell()
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,  # a failing statement's parameters would carry names and IDs into the log
            connect_args={
                "application_name": f"tabian-{service.name}",
                "connect_timeout": 5,
                # a network that was cut sends no goodbye: without these a thread waits for hours for an answer
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": 10_000,
                "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000",
            },
        )

        _ping_what_rested(self.engine)
        _tell_pool(self.engine, service.name, pool_size)

    @contextmanager
    def transaction(self, cause: Envelope | None = None) -> Iterator[Transaction]:
        """Commit at the end, roll back on any exception."""
        with self.engine.connect() as connection:
            with connection.begin():
                transaction = Transaction(connection, self.service, self.clock, cause)
                yield transaction
                transaction.complete()
            if transaction.wrote:
                self.wakeup.notify()
                self.bell.ring(connection)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection that can only read, for figures: nobody is woken by it, and no statement takes longer than LOOK_MS."""
        with (
            self.engine.connect().execution_options(postgresql_readonly=True) as connection,
            connection.begin(),
        ):
            connection.execute(_LOOK_TIMEOUT)
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _tell_pool(engine: sa.Engine, service: str, size: int) -> None:
    """Have the process's metrics tell the pool as it is whenever they are asked for."""
    pool = engine.pool
    assert isinstance(pool, sa.QueuePool)
    POOL_SIZE.labels(service).set(size)
    POOL_CONNECTIONS.labels(service, "in_use").set_function(pool.checkedout)
    POOL_CONNECTIONS.labels(service, "idle").set_function(pool.checkedin)


def _ping_what_rested(engine: sa.Engine) -> None:
    """A connection that nobody used for a while is tried before it is given out, and replaced if it is gone. SQLAlchemy's own
    pre-ping tries it every time: one more round trip for each act."""

    @sa.event.listens_for(engine, "checkin")
    def rests(_: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def taken(connection: Any, record: sa.pool.ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as problem:
            raise sa.exc.DisconnectionError from problem
