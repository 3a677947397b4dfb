"""The inbox: a handler runs in a transaction that already holds its message's row, so an effect happens once."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from services.contracts.envelope import Envelope, UnknownEvent
from services.kit.logs import adopt_correlation
from services.kit.messaging import inbox
from services.kit.outbox import KEPT_DAYS

if TYPE_CHECKING:
    from services.kit.service import Runtime


class Handled(enum.Enum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"


def handle_once(runtime: Runtime, envelope: Envelope) -> Handled:
    """Run the service's handler for the message unless it already ran; commits both or neither.

    Raises what the handler raises, UnknownEvent if the service has no handler for the type, EventMismatch if the
    body is not what the event's declaration says.
    """
    handler = runtime.service.handler(envelope.type)
    if handler is None:
        raise UnknownEvent(envelope.type)
    event = envelope.event()
    adopt_correlation(envelope.correlationid, envelope.traceparent)
    with runtime.database.transaction(cause=envelope) as tx:
        claim = insert(inbox).values(event_id=envelope.id, type=envelope.type).on_conflict_do_nothing()
        if tx.execute(claim.returning(inbox.c.event_id)).first() is None:
            return Handled.DUPLICATE
        handler(event, tx)
    return Handled.APPLIED


def purge(connection: Connection, *, days: int = 2 * KEPT_DAYS) -> int:
    """Delete rows of messages so old that no outbox holds them any more; returns how many."""
    return connection.execute(
        sa.text("DELETE FROM inbox WHERE received_at < clock_timestamp() - make_interval(days => :days)"),
        {"days": days},
    ).rowcount
