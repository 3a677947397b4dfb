"""Snapshot's tables, with outbox and inbox."""

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
    op.create_table(
        "area",
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("esa"),
    )
    op.create_table(
        "budget_line",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False, comment="empty: one rate for the level"),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False, comment="baht"),
        sa.Column("certainty", sa.Text(), nullable=False, comment="verified | derived | recall"),
        sa.PrimaryKeyConstraint("round", "school", "item", "level", "grade"),
    )
    op.create_table(
        "closure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column(
            "phase",
            sa.Text(),
            nullable=False,
            comment="closing | fenced | settled | compared | sealed | aborted",
        ),
        sa.Column("announced_by", sa.Text(), nullable=False),
        sa.Column(
            "announced_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="round clock; the seal's closed_at",
        ),
        sa.Column("manifest_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("parts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("schools", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "steps",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{step, at}], round clock",
        ),
        sa.Column(
            "comparison",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="the last one: missing, disagreeing, astray, behind",
        ),
        sa.Column(
            "refusal",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="why it cannot go on and must be aborted: code, th, en, schools",
        ),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="real time of the last request for documents",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "closure_live", "closure", ["round"], unique=True, postgresql_where=sa.text("phase <> 'aborted'")
    )
    op.create_table(
        "document",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="canonical CSV, zstd"),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "fence",
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("schools", sa.Integer(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("closure"),
    )
    op.create_table(
        "manifest_entry",
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("closure", "school", "part"),
    )
    op.create_table(
        "manifest_part",
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("closure", "part"),
    )
    op.create_table(
        "outcome",
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="place in its part"),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("closure", "part", "number"),
    )
    op.create_table(
        "package",
        sa.Column("package", sa.Text(), nullable=False),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("package"),
    )
    op.create_table(
        "roster_count",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("age_day", sa.Date(), nullable=False, comment="full years are counted to this day"),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column(
            "cells",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[grade, sex, reason, pupils]], counted by columns",
        ),
        sa.Column(
            "recounted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the same, counted line by line",
        ),
        sa.Column(
            "lines",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[line, reason]] of pupils not counted in any case",
        ),
        sa.PrimaryKeyConstraint("sha256", "age_day"),
    )
    op.create_table(
        "round",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "revision", sa.BigInteger(), nullable=False, comment="of the last event that told of this round"
        ),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("extensions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, comment="round clock"),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "school",
        sa.Column("code", sa.Text(), nullable=False, comment="10-digit"),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index(op.f("ix_school_esa"), "school", ["esa"], unique=False)
    op.create_table(
        "sealed",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column(
            "seal", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="the signed statement"
        ),
        sa.Column(
            "budget",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="academic_year, term, payment, items; null: no money hangs on it",
        ),
        sa.PrimaryKeyConstraint("round"),
    )
    op.create_table(
        "sealed_count",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False, comment="empty: not known"),
        sa.Column("sex", sa.Text(), nullable=False, comment="empty: not known"),
        sa.Column("reason", sa.Text(), nullable=False, comment="empty: counted"),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round", "school", "grade", "sex", "reason"),
    )
    op.create_table(
        "sealed_school",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("esa", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="of its leaf, from 0"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("heads_without_rate", sa.Integer(), nullable=False),
        sa.Column(
            "path", sa.LargeBinary(), nullable=False, comment="inclusion proof: 32 bytes a step, leaf upward"
        ),
        sa.Column(
            "lines",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[line, reason]] not counted in a counted school",
        ),
        sa.PrimaryKeyConstraint("round", "school"),
    )
    op.create_index("sealed_school_area", "sealed_school", ["round", "esa", "school"], unique=False)
    op.create_table(
        "settlement",
        sa.Column("closure", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("closure", "part"),
    )
    op.create_table(
        "submission",
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="the greatest heard of"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("round", "school"),
    )


def downgrade() -> None:
    op.drop_table("submission")
    op.drop_table("settlement")
    op.drop_index("sealed_school_area", table_name="sealed_school")
    op.drop_table("sealed_school")
    op.drop_table("sealed_count")
    op.drop_table("sealed")
    op.drop_index(op.f("ix_school_esa"), table_name="school")
    op.drop_table("school")
    op.drop_table("round")
    op.drop_table("roster_count")
    op.drop_table("package")
    op.drop_table("outcome")
    op.drop_table("manifest_part")
    op.drop_table("manifest_entry")
    op.drop_table("fence")
    op.drop_table("document")
    op.drop_index("closure_live", table_name="closure", postgresql_where=sa.text("phase <> 'aborted'"))
    op.drop_table("closure")
    op.drop_table("budget_line")
    op.drop_table("area")
    messaging.drop(op.get_bind())
