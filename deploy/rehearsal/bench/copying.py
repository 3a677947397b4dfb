"""The limit: how fast PostgreSQL's COPY takes the same rolls, parsed already, and does nothing with them.

One table of text columns without an index; every commit waits for the disk.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg import sql

from deploy.rehearsal.bench.database import own_database
from services.contracts.roster.fields import COLUMNS

CONNECTIONS = (1, 2, 4)
RUNS = 2
"""Of each the quicker one counts."""
_COLUMNS = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in COLUMNS)
_MAKE = sql.SQL("CREATE TABLE pupil ({})").format(_COLUMNS)
_COPY = b"COPY pupil FROM STDIN (FORMAT csv)"


@dataclass(frozen=True, slots=True)
class Copied:
    """Pupils a second: all rolls in one transaction, and each in one of its own over the number of connections that was
    fastest."""

    pupils: int
    together_per_s: float
    per_roster_per_s: float
    connections: int


def copied(server: str, documents: Iterable[bytes]) -> Copied:
    """Measure with canonical rolls. Raises RuntimeError if a row is missing afterwards."""
    bodies = [body for document in documents if (body := document.partition(b"\n")[2])]
    with own_database(server, "yardstick_copying") as url:
        pupils = _rows(url, bodies)
        together = pupils / _best(url, [b"".join(bodies)], 1, pupils)
        apart = {number: pupils / _best(url, bodies, number, pupils) for number in CONNECTIONS}
    best = max(apart, key=lambda number: apart[number])
    return Copied(pupils, together, apart[best], best)


def _rows(url: str, bodies: Sequence[bytes]) -> int:
    """How many rows there are in all; a copy before the clock starts, so that the server is warm for every one."""
    with psycopg.connect(url) as connection:
        connection.execute(_MAKE)
        for body in bodies:
            _copy(connection, body)
        return _count(connection)


def _best(url: str, bodies: Sequence[bytes], connections: int, pupils: int) -> float:
    return min(_timed(url, bodies, connections, pupils) for _ in range(RUNS))


def _timed(url: str, bodies: Sequence[bytes], connections: int, pupils: int) -> float:
    """Seconds until each of the bodies is in the table, each in a transaction of its own."""
    with ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(url)) for _ in range(connections)]
        for statement in (sql.SQL("DROP TABLE IF EXISTS pupil"), _MAKE):
            opened[0].execute(statement)
        opened[0].commit()
        left: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for body in bodies:
            left.put(body)
        threads = [threading.Thread(target=_drain, args=(connection, left)) for connection in opened]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        if _count(opened[0]) != pupils:
            raise RuntimeError("a copied row is missing")
    return seconds


def _drain(connection: psycopg.Connection, left: queue.SimpleQueue[bytes]) -> None:
    while True:
        try:
            body = left.get_nowait()
        except queue.Empty:
            return
        _copy(connection, body)
        connection.commit()


def _copy(connection: psycopg.Connection, body: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(body)


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pupil").fetchone()
    assert row is not None
    return int(row[0])
