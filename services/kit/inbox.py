"""The inbox: a handler runs in a transaction that already holds its message's row, so an effect happens once."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from services.contracts.envelope import Envelope, UnknownEvent
from services.kit.messaging import inbox
from services.kit.outbox import KEPT_DAYS
from services.kit.service import Arrival, Together

if TYPE_CHECKING:
    from services.kit.database import Transaction
    from services.kit.service import Runtime


class Handled(enum.Enum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"


def handle_once(runtime: Runtime, envelopes: Sequence[Envelope]) -> dict[str, Handled]:
    """Run the service's handler for messages of one type unless it ran for them before; commits all or nothing. Only a
    handler that takes several together is given more than one. Returns event id → what became of it.

    Raises what the handler raises, UnknownEvent if the service has no handler for the type, EventMismatch if a
    body is not what the event's declaration says.
    """
    first = envelopes[0]
    handler = runtime.service.handler(first.type)
    if handler is None:
        raise UnknownEvent(first.type)
    arrivals = {envelope.id: Arrival(envelope.event(), envelope) for envelope in envelopes}
    with runtime.database.transaction(cause=first if len(arrivals) == 1 else None) as tx:
        fresh = _enter(tx, first.type, sorted(arrivals))
        new = [arrival for key, arrival in arrivals.items() if key in fresh]
        if isinstance(handler, Together):
            if new:
                handler.run(new, tx)
        elif new:
            handler(new[0].event, tx)
    return {key: Handled.APPLIED if key in fresh else Handled.DUPLICATE for key in arrivals}


def _enter(tx: Transaction, event_type: str, ids: Sequence[str]) -> set[str]:
    """Take the messages' rows, in order of id, so that two processes with the same messages wait for each other and
    never both ways; returns the ids that had none."""
    rows = [{"event_id": event_id, "type": event_type} for event_id in ids]
    entered = insert(inbox).values(rows).on_conflict_do_nothing().returning(inbox.c.event_id)
    return set(tx.execute(entered).scalars())


def purge(connection: Connection, *, days: int = 2 * KEPT_DAYS) -> int:
    """Delete rows of messages so old that no outbox holds them any more; returns how many."""
    return connection.execute(
        sa.text("DELETE FROM inbox WHERE received_at < clock_timestamp() - make_interval(days => :days)"),
        {"days": days},
    ).rowcount
