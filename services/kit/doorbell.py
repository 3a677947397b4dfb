"""Processes of one service wake each other: who wrote rings, relays and workers listen.

NOTIFY takes a lock of the whole server at its commit, so nobody rings more often than ten times a second; under load
all are awake anyway. A bell that nobody hears costs one wait between two looks, and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

import psycopg
import sqlalchemy as sa

log = logging.getLogger(__name__)
CHANNEL = "tabian_wrote"
RING_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""So often a listener looks whether it is to end."""


class Doorbell:
    """The bell of one process."""

    def __init__(self) -> None:
        self._next = 0.0

    def ring(self, connection: sa.Connection) -> None:
        """Tell the service's other processes that something was committed. It is committed whether they hear it or not."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + RING_SECONDS
        with suppress(sa.exc.DBAPIError):
            connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            connection.commit()


def listen(engine: sa.Engine, heard: Callable[[], None], stop: threading.Event) -> None:
    """Call `heard` whenever somebody rings, until `stop` is set; over a connection of its own. A database that is away is
    waited for."""
    while not stop.is_set():
        try:
            with closing(_own_connection(engine)) as connection:
                connection.autocommit = True
                connection.execute(f"LISTEN {CHANNEL}".encode())
                heard()  # what was written before
                while not stop.is_set():
                    for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                        heard()
        except (psycopg.Error, sa.exc.SQLAlchemyError) as problem:
            log.warning("bell not heard", extra={"error": type(problem).__name__})
            stop.wait(LOOK_SECONDS)


def _own_connection(engine: sa.Engine) -> psycopg.Connection:
    """One that the pool does not count."""
    taken = engine.raw_connection()
    connection = taken.driver_connection
    taken.detach()
    assert isinstance(connection, psycopg.Connection)
    return connection
