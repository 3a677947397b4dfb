"""Dedup's tables. The queries on them live beside, by subject: register, rounds, holders, cases, closures."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

METADATA = sa.MetaData()
_TIME = sa.DateTime(timezone=True)


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


school = sa.Table(
    "school",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True, comment="10-digit"),
    _text("name"),
    _text("esa", index=True),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="of the area that last named it"),
)

round_ = sa.Table(
    "round",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("plan", JSONB, nullable=False),
    sa.Column("extensions", JSONB, nullable=False),
)

screened = sa.Table(
    "screened",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column(
        "revision", sa.BigInteger, nullable=False, server_default="-1", comment="as of which it is current"
    ),
    _text("sha256", server_default="", comment="of the roster last screened; empty: none"),
)

identity_key = sa.Table(
    "identity_key",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column(
        "key", sa.LargeBinary, primary_key=True, comment="keyed HMAC; its row lock serialises screening"
    ),
)

holder = sa.Table(
    "holder",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, nullable=False),
    _text("first_name"),
    _text("last_name"),
    _text("birth_date"),
    _text("sex"),
)
# The school first: an index that begins with the round is taken, before the first ANALYZE, for look-ups by key as well.
sa.Index("holder_school", holder.c.school, holder.c.round)

duplicate = sa.Table(
    "duplicate",
    METADATA,
    sa.Column("case", UUID(as_uuid=False), primary_key=True, server_default=sa.func.gen_random_uuid()),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, comment="order of opening, for paging"),
    _text("round"),
    sa.Column("key", sa.LargeBinary, nullable=False),
    _text("state", server_default=""),
    _text("decision", server_default=""),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column(
        "parties", JSONB, nullable=False, server_default="[]", comment="as last published while not cleared"
    ),
    sa.Column("opened_at", _TIME, nullable=False, comment="round clock"),
    sa.UniqueConstraint("round", "key", name="duplicate_key"),
    sa.UniqueConstraint("round", "number", name="duplicate_number"),
)

party = sa.Table(
    "party",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("case", UUID(as_uuid=False), sa.ForeignKey("duplicate.case"), primary_key=True, index=True),
)

answer = sa.Table(
    "answer",
    METADATA,
    sa.Column("case", UUID(as_uuid=False), sa.ForeignKey("duplicate.case"), primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    _text("sentence"),
    _text("by", comment="subject"),
    sa.Column("at", _TIME, nullable=False, comment="when it arrived, round clock"),
)

ruling = sa.Table(
    "ruling",
    METADATA,
    sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case", UUID(as_uuid=False), sa.ForeignKey("duplicate.case"), nullable=False, index=True),
    _text("belongs_to"),
    _text("reason"),
    sa.Column("schools", ARRAY(sa.Text), nullable=False, comment="between which it was made"),
    _text("by", comment="subject"),
    _text("role"),
    sa.Column("at", _TIME, nullable=False, comment="when it arrived, round clock"),
)

closure = sa.Table(
    "closure",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0", comment="as announced"),
    _flag("aborted"),
    _flag("sealed"),
    sa.Column("parts", sa.Integer, comment="of the manifest; null until intake fenced"),
    sa.Column("manifest_sha256", sa.Text),
    _flag("complete"),
    sa.Column("fenced_at", _TIME, comment="answers and decisions are no longer taken; real time"),
    sa.Column("asked_at", _TIME, comment="for rosters that lack; real time"),
    sa.Column("settled_at", _TIME, comment="real time"),
)

manifest_part = sa.Table(
    "manifest_part",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
)

manifest_entry = sa.Table(
    "manifest_entry",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("closure", sa.Text, primary_key=True),
    _text("esa"),
    sa.Column("revision", sa.BigInteger, nullable=False),
    _text("state"),
    sa.Column("sha256", sa.Text),
    sa.Column("pupils", sa.Integer, nullable=False),
)
