"""The portal's own tables: accounts, sessions of the pages, and counted sign-in attempts.

A session holds no token: one is made for each request from the account's grants of that moment. Not here: what
a session or an attempt means (sessions, throttle).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()

account = sa.Table(
    "account",
    METADATA,
    sa.Column(
        "username", sa.Text, primary_key=True, comment="lower case; the subject of this person's tokens"
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False, comment="argon2id, with its parameters and salt"),
    sa.Column("grants", JSONB, nullable=False, comment="[[role, scope], …] (services/contracts/access.py)"),
    sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

session = sa.Table(
    "session",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True, comment="SHA-256 of the id in the person's cookie"),
    sa.Column(
        "username", sa.Text, sa.ForeignKey("account.username", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("chosen", sa.Integer, nullable=False, server_default="0", comment="index into the grants"),
    sa.Column("auth_time", sa.BigInteger, comment="unix seconds of the last step-up"),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

attempt = sa.Table(
    "attempt",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True, comment="SHA-256 of an account, a client, or both"),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False, index=True),
)
