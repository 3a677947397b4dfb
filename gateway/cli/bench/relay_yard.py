"""The relay against one that has each message confirmed before the next: the same rows of intake's outbox, sent by either to
the same queues, which nobody reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psycopg

from deploy.rehearsal.bench.confirming import await_arrival, confirm_each, empty, expected
from deploy.rehearsal.bench.database import own_database
from services.intake.app import SERVICE
from services.kit.broker import rabbit_queues
from services.kit.broker.rabbit import RabbitBroker
from services.kit.migrations import migrate
from services.kit.relay import Relay
from services.kit.runtime import build_runtime
from services.kit.settings import Settings

_COPIED = (
    b"SELECT * FROM document WHERE sha256 IN (SELECT document FROM outbox ORDER BY position LIMIT %d)",
    b"SELECT * FROM outbox ORDER BY position LIMIT %d",
)
_UNSENT = """
    UPDATE outbox SET published_at = NULL, sends = 0, next_send_at = clock_timestamp(), parked = '{}',
           awaiting = awaiting || applied || parked, applied = '{}'
"""


@dataclass(frozen=True, slots=True)
class Relayed:
    """Events a second, by Tabian's relay and with each confirmed before the next."""

    events: int
    relay_per_s: float
    confirm_each_per_s: float


def relayed(server: str, intake: str, broker: str, keys: Path, *, most: int) -> Relayed:
    """Measure with the first `most` rows of the outbox in the database `intake`; `broker` is a virtual host in which nothing
    else happens. Raises RuntimeError where a message does not arrive."""
    rabbit_queues.declare(broker)
    with own_database(server, "yardstick_relay") as url:
        migrate(SERVICE, _engine(url))
        wanted, events = _fill(url, intake, most), _unsent(url)
        empty(broker, wanted)
        ours = _relay(url, broker, keys)
        await_arrival(broker, wanted)
        empty(broker, wanted)
        _unsent(url)
        theirs = confirm_each(url, broker)
        await_arrival(broker, wanted)
    return Relayed(events, events / ours, events / theirs)


def _relay(url: str, broker: str, keys: Path) -> float:
    """Seconds until the relay has nothing left to send."""
    with _tabian(url, broker, keys) as relay:
        began = perf_counter()
        while relay.step():
            pass
        return perf_counter() - began


@contextmanager
def _tabian(url: str, broker: str, keys: Path) -> Iterator[Relay]:
    """Intake's relay, connected."""
    port = RabbitBroker(broker)
    runtime = build_runtime(SERVICE, Settings(database_url=_engine(url), keys=keys), broker=port)
    try:
        if not port.publisher.soon(10):
            raise RuntimeError("the broker is away")
        port.reports(SERVICE.name)
        yield Relay(runtime)
    finally:
        port.close()
        runtime.database.close()


def _fill(url: str, intake: str, most: int) -> dict[str, int]:
    """Copy the rows with their documents; how many messages each consumer is to get."""
    with psycopg.connect(intake) as source, psycopg.connect(url) as target:
        for query, table in zip(_COPIED, (b"document", b"outbox"), strict=True):
            out = b"COPY (" + query % most + b") TO STDOUT (FORMAT binary)"
            into = b"COPY " + table + b" FROM STDIN (FORMAT binary)"
            with source.cursor().copy(out) as taken, target.cursor().copy(into) as put:
                for data in taken:
                    put.write(data)
        return expected(dict(target.execute("SELECT type, count(*) FROM outbox GROUP BY type").fetchall()))


def _unsent(url: str) -> int:
    """Make every row as if it was just written; how many there are."""
    with psycopg.connect(url, autocommit=True) as connection:
        count = connection.execute(_UNSENT).rowcount
        connection.execute("VACUUM ANALYZE outbox")
        return count


def _engine(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
