"""The relay a team would write first: kombu publishes an outbox row, waits for the broker's confirm, and takes the next.

Rows are read and marked in batches, so that waiting for the broker is all it loses by. Also here: how many messages have
arrived, whoever sent them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from kombu import Connection, Producer
from psycopg.rows import dict_row

from services.contracts.envelope import Envelope
from services.contracts.event import REGISTRY
from services.contracts.topology import EVENTS, consumers

BATCH = 256
ARRIVE_SECONDS = 30.0
_TAKE = """
    SELECT CAST(o.id AS text) AS id, o.type, o.subject, o.time, o.about, o.correlation AS correlationid,
           o.causation AS causationid, o.traceparent,
           CASE o.type WHEN 'intake.roster.accepted.v1' THEN d.body WHEN 'intake.roster.identified.v1' THEN d.identified END
           AS document
      FROM outbox AS o LEFT JOIN document AS d ON d.sha256 = o.document
     WHERE o.published_at IS NULL ORDER BY o.position LIMIT %s FOR UPDATE OF o SKIP LOCKED
"""
_MARK = (
    "UPDATE outbox SET published_at = clock_timestamp(), sends = sends + 1 WHERE id = ANY(CAST(%s AS uuid[]))"
)


def confirm_each(database: str, broker: str) -> float:
    """Send every unpublished row of intake's outbox; seconds from the first read to the last mark."""
    with (
        psycopg.connect(database, row_factory=dict_row) as rows,
        Connection(broker, transport_options={"confirm_publish": True}) as connection,
    ):
        producer = Producer(connection.channel())
        began = time.perf_counter()
        while _batch(rows, producer):
            pass
        return time.perf_counter() - began


def _batch(rows: psycopg.Connection[dict[str, Any]], producer: Producer) -> int:
    with rows.transaction(), rows.cursor(binary=True) as cursor:
        taken = cursor.execute(_TAKE, [BATCH]).fetchall()
        for row in taken:
            _publish(producer, Envelope(source="/tabian/intake", **row))
        cursor.execute(_MARK, [[row["id"] for row in taken]])
    return len(taken)


def _publish(producer: Producer, envelope: Envelope) -> None:
    """Returns when the broker has confirmed this message."""
    producer.publish(
        envelope.body(),
        exchange=EVENTS,
        routing_key=envelope.type,
        headers=envelope.headers(),
        content_type=envelope.content_type,
        content_encoding="binary",
        delivery_mode=2,
        message_id=envelope.id,
        type=envelope.type,
        retry=False,
    )


def expected(types: Mapping[str, int]) -> dict[str, int]:
    """How many messages each consumer's queue holds when so many events of each type were sent to their consumers."""
    counts = Counter(dict.fromkeys(consumers(), 0))
    for event_type, number in types.items():
        for consumer in REGISTRY[event_type].consumers:
            counts[consumer] += number
    return dict(counts)


def await_arrival(broker: str, wanted: Mapping[str, int]) -> None:
    """Until the consumers' queues hold exactly that. Raises RuntimeError where they do not."""
    deadline = time.monotonic() + ARRIVE_SECONDS
    with Connection(broker) as connection:
        while (held := _held(connection, wanted)) != dict(wanted):
            if time.monotonic() > deadline:
                raise RuntimeError(f"sent {dict(wanted)}, arrived {held}")
            time.sleep(0.1)


def empty(broker: str, queues: Iterable[str]) -> None:
    """Throw away what the queues hold."""
    with Connection(broker) as connection, connection.channel() as channel:
        for queue in queues:
            channel.queue_purge(queue)


def _held(connection: Connection, queues: Iterable[str]) -> dict[str, int]:
    with connection.channel() as channel:
        return {name: int(channel.queue_declare(name, passive=True).message_count) for name in queues}
