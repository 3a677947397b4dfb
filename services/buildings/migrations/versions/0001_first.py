"""The first tables of the buildings service: register, rounds, inventories, records and acts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "round",
        sa.Column("round", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("academic_year", sa.Integer, nullable=False),
        sa.Column("plan", JSONB, nullable=False),
        sa.Column("extensions", JSONB, nullable=False),
    )
    op.create_table(
        "inventory",
        sa.Column("round", sa.Text, primary_key=True),
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, comment="of the canonical list that is confirmed; null while recording"),
        sa.Column("standing", sa.Integer, nullable=False, server_default="0"),
        sa.Column("confirmed_by", sa.Text, comment="subject of the school's confirmation"),
        sa.Column("carried_from", sa.Text),
        sa.Column("carried", sa.Integer),
        sa.Column("left_behind", ARRAY(sa.Integer)),
    )
    _create_records()


def _create_records() -> None:
    op.create_table(
        "building",
        sa.Column("round", sa.Text, primary_key=True),
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("design", sa.Text, nullable=False),
        sa.Column("rooms_design", sa.Integer),
        sa.Column("rooms_actual", sa.Integer, nullable=False),
        sa.Column("rooms_special", sa.Integer, nullable=False),
        sa.Column("year_built_be", sa.Integer, nullable=False),
        sa.Column("cost_baht", sa.BigInteger),
        sa.Column("budget_source", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("use_status", sa.Text, nullable=False),
        sa.Index("building_by_school", "school", "number"),
    )
    op.create_table(
        "act",
        sa.Column("position", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("round", sa.Text, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, comment="of the building; null: the whole inventory"),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about", JSONB, nullable=False),
        sa.Index("act_by_school", "round", "school", "position"),
    )


def downgrade() -> None:
    for name in ("act", "building", "inventory", "round", "school", "area"):
        op.drop_table(name)
    messaging.drop(op.get_bind())
