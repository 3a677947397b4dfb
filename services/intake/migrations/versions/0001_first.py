"""Intake's tables, with outbox and inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it arrived, round clock"),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("round", "school", "revision"),
    )
    op.create_table(
        "area",
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("esa"),
    )
    op.create_table(
        "document",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="canonical CSV, zstd"),
        sa.Column("identified", sa.LargeBinary(), nullable=False, comment="what matching needs, CSV, zstd"),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "duplicate",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("parties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="of this school's pupil"),
        sa.PrimaryKeyConstraint("case", "school"),
    )
    op.create_index("duplicate_school", "duplicate", ["round", "school"], unique=False)
    op.create_table(
        "explanation",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="the pupil's key, or empty for the whole roster"),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("round", "school", "rule", "key"),
    )
    op.create_table(
        "round",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the plan"),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("extensions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            server_default="open",
            nullable=False,
            comment="open | closing | fenced | sealed",
        ),
        sa.Column("closure", sa.Text(), server_default="", nullable=False),
        sa.Column("closing_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False, comment="round clock"),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True, comment="of the canonical roster"),
        sa.Column("pupils", sa.Integer(), server_default="0", nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "reason",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="why it was rejected, failed, late or superseded: code, th, en",
        ),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("correlation", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("upload_school", "upload", ["round", "school", "number"], unique=False)
    op.create_index(
        "upload_waiting",
        "upload",
        ["number"],
        unique=False,
        postgresql_where=sa.text("state IN ('received', 'checking')"),
    )
    op.create_table(
        "school",
        sa.Column("code", sa.Text(), nullable=False, comment="10-digit"),
        sa.Column("smis8", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["esa"],
            ["area.esa"],
        ),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index(op.f("ix_school_esa"), "school", ["esa"], unique=False)
    op.create_table(
        "version",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("upload", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["document.sha256"],
        ),
        sa.PrimaryKeyConstraint("round", "school", "revision"),
    )
    op.create_table(
        "submission",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="empty", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), server_default="0", nullable=False),
        sa.Column("upload", sa.UUID(as_uuid=False), nullable=True, comment="that gave the current version"),
        sa.Column(
            "arrived_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of that upload, on the round clock",
        ),
        sa.Column("errors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("warnings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("notes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unexplained", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "cases_open", sa.Integer(), server_default="0", nullable=False, comment="known and unanswered"
        ),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="pupils by grade and sex",
        ),
        sa.Column("screening", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("locked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "confirmed_by", sa.Text(), server_default="", nullable=False, comment="subject of the confirmer"
        ),
        sa.ForeignKeyConstraint(
            ["round"],
            ["round.name"],
        ),
        sa.ForeignKeyConstraint(
            ["school"],
            ["school.code"],
        ),
        sa.PrimaryKeyConstraint("round", "school"),
    )
    op.create_index("submission_progress", "submission", ["round", "esa", "school"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "document", sa.Text(), nullable=True, comment="sha256 of the stored document that is the body"
        ),
        sa.Column("correlation", sa.Text(), server_default="", nullable=False),
        sa.Column("causation", sa.Text(), server_default="", nullable=False),
        sa.Column("traceparent", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sends", sa.Integer(), server_default="0", nullable=False, comment="confirmed sends"),
        sa.Column("next_send_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("awaiting", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("applied", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("parked", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "reason", sa.Text(), server_default="", nullable=False, comment="why it was parked; no data"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_due",
        "outbox",
        ["next_send_at"],
        unique=False,
        postgresql_where=sa.text("next_send_at IS NOT NULL"),
    )
    op.create_index(
        "outbox_parked", "outbox", ["position"], unique=False, postgresql_where=sa.text("parked <> '{}'")
    )


def downgrade() -> None:
    op.drop_index("outbox_parked", table_name="outbox", postgresql_where=sa.text("parked <> '{}'"))
    op.drop_index("outbox_due", table_name="outbox", postgresql_where=sa.text("next_send_at IS NOT NULL"))
    op.drop_table("outbox")
    op.drop_table("inbox")
    op.drop_index("submission_progress", table_name="submission")
    op.drop_table("submission")
    op.drop_table("version")
    op.drop_index(op.f("ix_school_esa"), table_name="school")
    op.drop_table("school")
    op.drop_index(
        "upload_waiting", table_name="upload", postgresql_where=sa.text("state IN ('received', 'checking')")
    )
    op.drop_index("upload_school", table_name="upload")
    op.drop_table("upload")
    op.drop_table("round")
    op.drop_table("explanation")
    op.drop_index("duplicate_school", table_name="duplicate")
    op.drop_table("duplicate")
    op.drop_table("document")
    op.drop_table("area")
    op.drop_table("act")
