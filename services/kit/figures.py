"""What every service tells of its tables, its database and its disks.

PostgreSQL's figures come over the service's own connection: its role sees its own database, and that is what it has to
tell (docs/decisions/0024). Not here: what conservation counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from services.contracts.event import declaration_of
from services.kit import metrics
from services.kit.conservation import Conservation
from services.kit.service import Reading, Runtime, Sample, Service

EVERY = {"outbox": 5.0, "conservation": 15.0, "database": 15.0, "disks": 60.0}
"""Reading → how often it is taken, in seconds."""


def readings(runtime: Runtime) -> tuple[Reading, ...]:
    """What one process of the service measures for all, the service's own readings among them."""
    events = runtime.service.publishes or runtime.service.consumes
    messages = (_reading("outbox", read_outbox), _reading("conservation", Conservation(runtime.service).read))
    return (
        *(messages if events else ()),
        _reading("database", DatabaseFigures().read),
        *runtime.service.readings,
    )


def disks(runtime: Runtime) -> tuple[Reading, ...]:
    """What only a process sees to which the disks are shown."""
    return (_reading("disks", read_disks),) if runtime.settings.disks else ()


def _reading(name: str, read: Callable[[Runtime], Iterable[Sample]]) -> Reading:
    return Reading(name, EVERY[name], read)


@dataclass(frozen=True, slots=True)
class Depth:
    """waiting: rows some consumer has yet to apply; oldest_seconds: age of the oldest unpublished; parked: rows."""

    waiting: int
    oldest_seconds: float
    parked: int


def depth(connection: Connection) -> Depth:
    """Goes through all that waits, by two small indexes."""
    row = connection.execute(
        sa.text(
            """
            SELECT count(*) FILTER (WHERE next_send_at IS NOT NULL),
                   coalesce(extract(epoch FROM clock_timestamp()
                       - min(created_at) FILTER (WHERE published_at IS NULL)), 0),
                   count(*) FILTER (WHERE parked <> '{}')
              FROM outbox WHERE next_send_at IS NOT NULL OR parked <> '{}'
            """
        )
    ).one()
    return Depth(int(row[0]), float(row[1]), int(row[2]))


def lag(connection: Connection) -> dict[str, float]:
    """Consumer → seconds since the oldest row was published that it has not applied. Goes through all that waits."""
    rows = connection.execute(
        sa.text(
            """
            SELECT consumer, extract(epoch FROM clock_timestamp() - min(published_at)) AS seconds
              FROM outbox, unnest(awaiting) AS consumer
             WHERE next_send_at IS NOT NULL AND published_at IS NOT NULL GROUP BY consumer
            """
        )
    )
    return {row.consumer: float(row.seconds) for row in rows}


def read_outbox(runtime: Runtime) -> Iterator[Sample]:
    """How much waits, and since when."""
    name = runtime.service.name
    with runtime.database.look() as connection:
        found, behind = depth(connection), lag(connection)
    yield metrics.OUTBOX_WAITING, (name,), found.waiting
    yield metrics.OUTBOX_OLDEST_SECONDS, (name,), found.oldest_seconds
    yield metrics.OUTBOX_PARKED, (name,), found.parked
    for consumer in sorted(_consumers(runtime.service) | behind.keys()):
        yield metrics.APPLIED_LAG_SECONDS, (name, consumer), behind.get(consumer, 0.0)


def _consumers(service: Service) -> set[str]:
    return {consumer for cls in service.publishes for consumer in declaration_of(cls).consumers}


_STATES = {"active": "active", "idle": "idle", "idle in transaction": "idle-in-transaction"}
_OTHER = "other"
_CONNECTIONS = sa.text(
    """
    SELECT coalesce(state, '') AS state, count(*) AS connections,
           max(extract(epoch FROM clock_timestamp() - xact_start)) FILTER (WHERE pid <> pg_backend_pid()) AS oldest
      FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1
    """
)
_COUNTED = sa.text(
    """
    SELECT xact_commit, xact_rollback, deadlocks, blks_hit, blks_read, temp_bytes,
           pg_database_size(current_database()) AS size, current_setting('max_connections')::int AS most,
           (SELECT sum(numbackends)::int FROM pg_stat_database) AS taken
      FROM pg_stat_database WHERE datname = current_database()
    """
)
_COUNTERS = {
    "xact_commit": metrics.DATABASE_COMMITS,
    "xact_rollback": metrics.DATABASE_ROLLBACKS,
    "deadlocks": metrics.DATABASE_DEADLOCKS,
    "blks_hit": metrics.DATABASE_BLOCKS_HIT,
    "blks_read": metrics.DATABASE_BLOCKS_READ,
    "temp_bytes": metrics.DATABASE_TEMPORARY_BYTES,
}


@dataclass(slots=True)
class DatabaseFigures:
    """PostgreSQL's figures of the service's database. What it counts grows by what came since the last look, so that a
    counter of ours begins at 0 and never falls, also when the server forgets."""

    _before: dict[str, int] = field(default_factory=dict)

    def read(self, runtime: Runtime) -> Iterator[Sample]:
        name = runtime.service.name
        with runtime.database.look() as connection:
            counted, sessions = connection.execute(_COUNTED).one(), connection.execute(_CONNECTIONS).all()
        self._count(name, counted)
        yield metrics.DATABASE_SIZE_BYTES, (name,), counted.size
        yield metrics.DATABASE_CONNECTIONS_TAKEN, (name,), counted.taken
        yield metrics.DATABASE_CONNECTIONS_MAX, (name,), counted.most
        oldest = max((float(row.oldest) for row in sessions if row.oldest is not None), default=0.0)
        yield metrics.DATABASE_OLDEST_SECONDS, (name,), oldest
        for state, connections in _by_state(sessions).items():
            yield metrics.DATABASE_CONNECTIONS, (name, state), connections

    def _count(self, name: str, counted: sa.Row[Any]) -> None:
        for column, family in _COUNTERS.items():
            value = int(getattr(counted, column))
            family.labels(name).inc(max(0, value - self._before.get(column, value)))
            self._before[column] = value


def _by_state(sessions: Iterable[sa.Row[Any]]) -> dict[str, int]:
    found = dict.fromkeys((*_STATES.values(), _OTHER), 0)
    for row in sessions:
        found[_STATES.get(row.state, _OTHER)] += row.connections
    return found


def read_disks(runtime: Runtime) -> Iterator[Sample]:
    """The file systems of TABIAN_DISKS. Raises OSError for a path that is not there."""
    for mount in runtime.settings.disks:
        found = os.statvfs(mount)
        yield metrics.DISK_FREE_BYTES, (str(mount),), found.f_bavail * found.f_frsize
        yield metrics.DISK_SIZE_BYTES, (str(mount),), found.f_blocks * found.f_frsize
