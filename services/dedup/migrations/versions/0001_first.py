"""Dedup's tables, with outbox and inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit import messaging

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    messaging.create(op.get_bind())
    _register_and_rounds()
    _index()
    _cases()
    _closing()


def _register_and_rounds() -> None:
    op.create_table(
        "school",
        sa.Column("code", sa.Text(), nullable=False, comment="10-digit"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the area that last named it"),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_school_esa", "school", ["esa"], unique=False)
    op.create_table(
        "round",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("extensions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _index() -> None:
    op.create_table(
        "screened",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="-1",
            nullable=False,
            comment="as of which it is current",
        ),
        sa.Column(
            "sha256",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="of the roster last screened; empty: none",
        ),
        sa.PrimaryKeyConstraint("round", "school"),
    )
    op.create_table(
        "identity_key",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column(
            "key", sa.LargeBinary(), nullable=False, comment="keyed HMAC; its row lock serialises screening"
        ),
        sa.PrimaryKeyConstraint("round", "key"),
    )
    op.create_table(
        "holder",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("round", "key", "school"),
    )
    op.create_index("holder_school", "holder", ["school", "round"], unique=False)


def _cases() -> None:
    op.create_table(
        "duplicate",
        sa.Column(
            "case", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column(
            "number",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="order of opening, for paging",
        ),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "parties",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="as last published while not cleared",
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, comment="round clock"),
        sa.PrimaryKeyConstraint("case"),
        sa.UniqueConstraint("round", "key", name="duplicate_key"),
        sa.UniqueConstraint("round", "number", name="duplicate_number"),
    )
    op.create_table(
        "party",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("case", sa.UUID(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["duplicate.case"]),
        sa.PrimaryKeyConstraint("round", "school", "case"),
    )
    op.create_index("ix_party_case", "party", ["case"], unique=False)
    op.create_table(
        "answer",
        sa.Column("case", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="subject"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it arrived, round clock"),
        sa.ForeignKeyConstraint(["case"], ["duplicate.case"]),
        sa.PrimaryKeyConstraint("case", "school"),
    )
    op.create_table(
        "ruling",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("belongs_to", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "schools", postgresql.ARRAY(sa.Text()), nullable=False, comment="between which it was made"
        ),
        sa.Column("by", sa.Text(), nullable=False, comment="subject"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it arrived, round clock"),
        sa.ForeignKeyConstraint(["case"], ["duplicate.case"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_ruling_case", "ruling", ["case"], unique=False)


def _closing() -> None:
    op.create_table(
        "closure",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False, comment="as announced"),
        sa.Column("aborted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("sealed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=True, comment="of the manifest; null until intake fenced"),
        sa.Column("manifest_sha256", sa.Text(), nullable=True),
        sa.Column("complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "fenced_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="answers and decisions are no longer taken; real time",
        ),
        sa.Column(
            "asked_at", sa.DateTime(timezone=True), nullable=True, comment="for rosters that lack; real time"
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True, comment="real time"),
        sa.PrimaryKeyConstraint("round", "closure"),
    )
    op.create_table(
        "manifest_part",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round", "closure", "part"),
    )
    op.create_table(
        "manifest_entry",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round", "school", "closure"),
    )


def downgrade() -> None:
    for table in (
        "manifest_entry",
        "manifest_part",
        "closure",
        "ruling",
        "answer",
        "party",
        "duplicate",
        "holder",
        "identity_key",
        "screened",
        "round",
        "school",
    ):
        op.drop_table(table)
    messaging.drop(op.get_bind())
