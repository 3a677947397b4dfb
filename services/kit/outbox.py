"""The outbox: rows are claimed when due, sent, and sent again until every declared consumer reported them.

Unreported after a minute: sent again, with back-off to ten minutes; after three resends, or when a consumer gives
a message up for good, the row is parked for that consumer and stays named until it is replayed or discarded.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from services.contracts.envelope import describe
from services.contracts.event import REGISTRY
from services.kit.event_ids import new_id
from services.kit.logs import correlation_id, traceparent
from services.kit.messaging import outbox

if TYPE_CHECKING:
    from services.contracts.envelope import Envelope

LEASE_SECONDS = 60
RESEND_SECONDS = (60, 120, 300, 600)
RESENDS = 3
KEPT_DAYS = 14


def row_of(event: object, *, subject: str, time: datetime, cause: Envelope | None) -> dict[str, Any]:
    """The outbox row of one event, due at once, under the correlation of the moment."""
    event_type, about = describe(event)
    declaration = REGISTRY[event_type]
    return {
        "id": new_id(),
        "type": event_type,
        "subject": subject,
        "time": time,
        "about": about,
        "document": about["sha256"] if declaration.document else None,
        "correlation": correlation_id(),
        "causation": cause.id if cause else "",
        "traceparent": traceparent(),
        "awaiting": list(declaration.consumers),
    }


_APPEND = sa.insert(outbox)


def append(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert events' rows, in their order."""
    if rows:
        connection.execute(_APPEND, rows)


# ARRAY: an IN may be looked up once per row and would then lock, and claim, more than the limit.
_CLAIM = sa.text(
    """
    UPDATE outbox SET next_send_at = clock_timestamp() + make_interval(secs => :lease)
     WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE next_send_at <= clock_timestamp()
                         ORDER BY next_send_at, position LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING CAST(id AS text) AS id, position, type, subject, time, about, document, correlation, causation, traceparent
    """
)


def claim(connection: Connection, limit: int) -> list[sa.Row[Any]]:
    """Up to `limit` due rows, leased: if the claimer dies they are due again after LEASE_SECONDS."""
    park_exhausted(connection)
    rows = connection.execute(_CLAIM, {"lease": LEASE_SECONDS, "limit": limit}).all()
    return sorted(rows, key=lambda row: row.position)


def release(connection: Connection, ids: Sequence[str]) -> None:
    """Give back claimed rows that could not be sent; due again after a second."""
    if not ids:
        return
    connection.execute(
        sa.text(
            "UPDATE outbox SET next_send_at = CASE WHEN awaiting = '{}' THEN NULL"
            " ELSE clock_timestamp() + interval '1 s' END WHERE id = ANY(:ids)"
        ),
        {"ids": _uuids(ids)},
    )


def mark_published(connection: Connection, ids: Sequence[str]) -> None:
    """The broker confirmed these; the next send is due when a report stays out."""
    connection.execute(
        sa.text(
            """
            UPDATE outbox SET published_at = coalesce(published_at, clock_timestamp()), sends = sends + 1,
                next_send_at = CASE WHEN awaiting = '{}' THEN NULL ELSE clock_timestamp()
                    + make_interval(secs => (CAST(:waits AS int[]))[least(sends + 1, 4)]) END
             WHERE id = ANY(:ids)
            """
        ),
        {"ids": _uuids(ids), "waits": list(RESEND_SECONDS)},
    )


@dataclass(frozen=True, slots=True)
class Report:
    """What one consumer says it did: event ids applied, and ids given up for good with the error's name."""

    consumer: str
    applied: tuple[str, ...] = ()
    parked: tuple[tuple[str, str], ...] = ()


def record(connection: Connection, report: Report) -> None:
    """Take over a consumer's report. Reporting twice, late, or out of order changes nothing. What a consumer reports has
    been published, also where the relay was killed before it could note that."""
    settle = sa.text(
        """
        UPDATE outbox SET awaiting = array_remove(awaiting, :consumer), parked = array_remove(parked, :consumer),
            discarded = array_remove(discarded, :consumer), applied = applied || :consumer,
            published_at = coalesce(published_at, clock_timestamp()),
            next_send_at = CASE WHEN array_remove(awaiting, :consumer) = '{}' THEN NULL ELSE next_send_at END
         WHERE id = ANY(:ids) AND NOT :consumer = ANY(applied)
        """
    ).bindparams(sa.bindparam("consumer", type_=sa.Text))
    if report.applied:
        connection.execute(settle, {"consumer": report.consumer, "ids": _uuids(report.applied)})
    for event_id, reason in report.parked:
        _park(connection, report.consumer, event_id, reason)


def _park(connection: Connection, consumer: str, event_id: str, reason: str) -> None:
    connection.execute(
        sa.text(
            """
            UPDATE outbox SET awaiting = array_remove(awaiting, :consumer), parked = parked || :consumer,
                reason = :reason, published_at = coalesce(published_at, clock_timestamp()),
                next_send_at = CASE WHEN array_remove(awaiting, :consumer) = '{}' THEN NULL ELSE next_send_at END
             WHERE id = CAST(:id AS uuid) AND :consumer = ANY(awaiting)
            """
        ).bindparams(sa.bindparam("consumer", type_=sa.Text)),
        {"consumer": consumer, "id": event_id, "reason": reason[:200]},
    )


def park_exhausted(connection: Connection) -> None:
    """Park what was resent RESENDS times without a report."""
    connection.execute(
        sa.text(
            """
            UPDATE outbox SET parked = parked || awaiting, awaiting = '{}', next_send_at = NULL,
                reason = 'no report after ' || sends || ' sends'
             WHERE next_send_at <= clock_timestamp() AND sends > :resends AND awaiting <> '{}'
            """
        ),
        {"resends": RESENDS},
    )


def adopt(connection: Connection, event_type: str) -> int:
    """Let consumers that were declared after rows of this type were written have those rows; returns how many rows.
    A consumer that is awaited, applied, parked or discarded is none of them."""
    known = "awaiting || applied || parked || discarded"
    found = connection.execute(
        sa.text(
            f"""
            UPDATE outbox SET sends = 0, next_send_at = clock_timestamp(),
                awaiting = awaiting || ARRAY(SELECT unnest(CAST(:consumers AS text[])) EXCEPT SELECT unnest({known}))
             WHERE type = :type AND NOT CAST(:consumers AS text[]) <@ ({known})
            """
        ),
        {"type": event_type, "consumers": list(REGISTRY[event_type].consumers)},
    )
    return found.rowcount


def make_due(connection: Connection) -> None:
    """Send again now whatever no consumer reported: the broker is known to hold nothing. Earlier sends count no more,
    or a process killed often would park what no consumer ever saw."""
    connection.execute(
        sa.text(
            "UPDATE outbox SET next_send_at = clock_timestamp(), sends = 0 WHERE next_send_at IS NOT NULL"
        )
    )


def parked(connection: Connection) -> list[sa.Row[Any]]:
    """The parked rows: id, type, subject, parked (consumers), reason, sends, created_at. No bodies."""
    o = outbox.c
    return list(
        connection.execute(
            sa.select(o.id, o.type, o.subject, o.parked, o.reason, o.sends, o.created_at)
            .where(o.parked != sa.text("'{}'"))
            .order_by(o.position)
        )
    )


def replay(connection: Connection, event_id: str, consumer: str, *, wait_seconds: int = 0) -> bool:
    """Await a parked consumer again, its sends counted anew; sent at once, or after `wait_seconds` where its message is
    put back in another way. False if it is not parked for that consumer."""
    found = connection.execute(
        sa.text(
            """
            UPDATE outbox SET parked = array_remove(parked, :consumer), awaiting = awaiting || :consumer, sends = 0,
                next_send_at = clock_timestamp() + make_interval(secs => :wait)
             WHERE id = CAST(:id AS uuid) AND :consumer = ANY(parked)
            """
        ).bindparams(sa.bindparam("consumer", type_=sa.Text)),
        {"id": event_id, "consumer": consumer, "wait": wait_seconds},
    )
    return found.rowcount == 1


def discard(connection: Connection, event_id: str, consumer: str, why: str) -> bool:
    """Give up a parked consumer for good; when and why stays in the row, and the row stays. False if not parked."""
    found = connection.execute(
        sa.text(
            """
            UPDATE outbox SET parked = array_remove(parked, :consumer), discarded = discarded || :consumer,
                discarding = concat_ws(E'\n', nullif(discarding, ''),
                    to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SSOF') || ' ' || :consumer || ': ' || :why)
             WHERE id = CAST(:id AS uuid) AND :consumer = ANY(parked)
            """
        ).bindparams(sa.bindparam("consumer", type_=sa.Text), sa.bindparam("why", type_=sa.Text)),
        {"id": event_id, "consumer": consumer, "why": why},
    )
    return found.rowcount == 1


def purge(connection: Connection, *, days: int = KEPT_DAYS) -> int:
    """Delete rows that every consumer applied, older than `days`; returns how many."""
    return connection.execute(
        sa.text(
            "DELETE FROM outbox WHERE next_send_at IS NULL AND parked = '{}' AND discarded = '{}'"
            " AND published_at IS NOT NULL"
            " AND created_at < clock_timestamp() - make_interval(days => :days)"
        ),
        {"days": days},
    ).rowcount


def _uuids(ids: Sequence[str]) -> list[uuid.UUID]:
    return [uuid.UUID(event_id) for event_id in ids]
