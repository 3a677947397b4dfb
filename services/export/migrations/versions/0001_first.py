"""The first tables of the export service: register, rounds, inventories, packages, and who read them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.kit import messaging

revision = "0001_first"
down_revision = None


def upgrade() -> None:
    messaging.create(op.get_bind())
    op.create_table(
        "area",
        sa.Column("esa", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "school",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("esa", sa.Text, nullable=False, index=True),
        sa.Column("smis8", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("province", sa.Text, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "round",
        sa.Column("round", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("plan", JSONB, comment="null until the round's opening was heard of"),
        sa.Column("seal_revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("seal", JSONB, comment="the signed statement; null until sealed"),
    )
    op.create_table(
        "inventory",
        sa.Column("round", sa.Text, primary_key=True),
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("buildings", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
    )
    _create_packages()


def _create_packages() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("round", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True)),
        sa.Column(
            "due", sa.DateTime(timezone=True), comment="real time from which it may be (re)taken; null: done"
        ),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("schools_done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("schools_total", sa.Integer, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("files", JSONB, nullable=False, server_default="[]"),
        sa.Column("error", JSONB),
        sa.Index("export_due", "due"),
        sa.Index("export_of_round", "round", unique=True, postgresql_where=sa.text("state <> 'failed'")),
    )
    op.create_table(
        "reading",
        sa.Column("position", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("export", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for name in ("reading", "export", "inventory", "round", "school", "area"):
        op.drop_table(name)
    messaging.drop(op.get_bind())
