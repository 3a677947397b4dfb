"""The outbox and inbox tables that every service's database has, and the migration step that makes them.

An outbox row is sent until each declared consumer reported it: `awaiting` empties into `applied` or `parked`, and a
person may empty `parked` into `discarded`.
`next_send_at` is null when nothing is left to do, so one small index finds what is due.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

METADATA = sa.MetaData()

outbox = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", UUID(as_uuid=False), primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("about", JSONB, nullable=False),
    sa.Column("document", sa.Text, comment="sha256 of the stored document that is the body"),
    sa.Column("correlation", sa.Text, nullable=False, server_default=""),
    sa.Column("causation", sa.Text, nullable=False, server_default=""),
    sa.Column("traceparent", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("published_at", sa.DateTime(timezone=True)),
    sa.Column("sends", sa.Integer, nullable=False, server_default="0", comment="confirmed sends"),
    sa.Column("next_send_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Column("awaiting", ARRAY(sa.Text), nullable=False),
    sa.Column("applied", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("parked", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="why it was parked; no data"),
    sa.Column("discarded", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column(
        "discarding", sa.Text, nullable=False, server_default="", comment="when and why it was discarded"
    ),
)
sa.Index("outbox_due", outbox.c.next_send_at, postgresql_where=outbox.c.next_send_at.is_not(None))
sa.Index("outbox_parked", outbox.c.position, postgresql_where=sa.text("parked <> '{}'"))

inbox = sa.Table(
    "inbox",
    METADATA,
    sa.Column("event_id", UUID(as_uuid=False), primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


def create(connection: sa.Connection) -> None:
    """The first step of every service's first migration."""
    METADATA.create_all(connection, checkfirst=False)


def drop(connection: sa.Connection) -> None:
    METADATA.drop_all(connection, checkfirst=False)


def add_discarded(connection: sa.Connection) -> None:
    """The second version of the outbox. Databases whose first version was made by this code have the columns."""
    for column in ("discarded text[] NOT NULL DEFAULT '{}'", "discarding text NOT NULL DEFAULT ''"):
        connection.execute(sa.text(f"ALTER TABLE outbox ADD COLUMN IF NOT EXISTS {column}"))
    comment = "COMMENT ON COLUMN outbox.discarding IS 'when and why it was discarded'"
    connection.execute(sa.text(comment))


def drop_discarded(connection: sa.Connection) -> None:
    for column in ("discarded", "discarding"):
        connection.execute(sa.text(f"ALTER TABLE outbox DROP COLUMN {column}"))
