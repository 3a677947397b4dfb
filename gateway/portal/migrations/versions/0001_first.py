"""Messaging tables (every service has them), accounts, sessions, attempts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.kit import messaging

revision = "0001_first"
down_revision = None


def upgrade() -> None:
    messaging.create(op.get_bind())
    op.create_table(
        "account",
        sa.Column(
            "username",
            sa.Text,
            primary_key=True,
            comment="lower case; the subject of this person's tokens",
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "password_hash",
            sa.Text,
            nullable=False,
            comment="argon2id, with its parameters and salt",
        ),
        sa.Column(
            "grants",
            JSONB,
            nullable=False,
            comment="[[role, scope], …] (services/contracts/access.py)",
        ),
        sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, primary_key=True, comment="SHA-256 of the id in the person's cookie"),
        sa.Column(
            "username",
            sa.Text,
            sa.ForeignKey("account.username", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("chosen", sa.Integer, nullable=False, server_default="0", comment="index into the grants"),
        sa.Column("auth_time", sa.BigInteger, comment="unix seconds of the last step-up"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text, primary_key=True, comment="SHA-256 of an account, a client, or both"),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    for name in ("attempt", "session", "account"):
        op.drop_table(name)
    messaging.drop(op.get_bind())
