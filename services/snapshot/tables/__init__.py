"""Snapshot's tables. The queries on them live beside, by subject: register, rounds, documents, closings, results.

What messages bring is kept without foreign keys, since they come in any order; `round` is the lock of a round.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()
_TIME = sa.DateTime(timezone=True)


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


def _number(name: str, **options: object) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, **options)  # type: ignore[arg-type]


area = sa.Table(
    "area",
    METADATA,
    sa.Column("esa", sa.Text, primary_key=True),
    _text("name"),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

school = sa.Table(
    "school",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True, comment="10-digit"),
    sa.Column("esa", sa.Text, nullable=False, index=True),
    _text("name"),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

round_ = sa.Table(
    "round",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="of the last event that told of this round"),
    sa.Column("plan", JSONB, nullable=False),
    sa.Column("extensions", JSONB, nullable=False),
    sa.Column("opened_at", _TIME, nullable=False, comment="round clock"),
    _text("opened_by"),
)

submission = sa.Table(
    "submission",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="the greatest heard of"),
    _text("state"),
    sa.Column("sha256", sa.Text),
)

document = sa.Table(
    "document",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="canonical CSV, zstd"),
    sa.Column("extract", sa.LargeBinary, comment="its fields for packages, CSV, zstd; null: to be made"),
    sa.Column("extract_sha256", sa.Text, comment="of the extract's plain bytes"),
)

roster_count = sa.Table(
    "roster_count",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("age_day", sa.Date, primary_key=True, comment="full years are counted to this day"),
    _number("pupils"),
    sa.Column("cells", JSONB, nullable=False, comment="[[grade, sex, reason, pupils]], counted by columns"),
    sa.Column("recounted", JSONB, nullable=False, comment="the same, counted line by line"),
    sa.Column(
        "line_cells",
        sa.LargeBinary,
        comment="of each line its place in cells, a byte each; null: to be counted again",
    ),
    sa.Column("line_recounted", sa.LargeBinary, comment="the same, its place in recounted"),
    sa.Column("lines", JSONB, nullable=False, comment="[[line, reason]] of pupils not counted in any case"),
)

closure = sa.Table(
    "closure",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
    _text("round"),
    _text("phase", comment="closing | fenced | settled | compared | sealed | aborted"),
    _text("announced_by"),
    sa.Column("announced_at", _TIME, nullable=False, comment="round clock; the seal's closed_at"),
    _text("manifest_sha256", server_default=""),
    _number("parts", server_default="0"),
    _number("schools", server_default="0"),
    sa.Column("steps", JSONB, nullable=False, comment="[{step, at}], round clock"),
    sa.Column("comparison", JSONB, comment="the last one: missing, disagreeing, astray, behind"),
    sa.Column("refusal", JSONB, comment="why it cannot go on and must be aborted: code, th, en, schools"),
    sa.Column("asked_at", _TIME, comment="real time of the last request for documents"),
)
sa.Index("closure_live", closure.c.round, unique=True, postgresql_where=sa.text("phase <> 'aborted'"))

fence = sa.Table(
    "fence",
    METADATA,
    sa.Column("closure", sa.Text, primary_key=True),
    _number("parts"),
    _number("schools"),
    _text("manifest_sha256"),
)

manifest_part = sa.Table(
    "manifest_part",
    METADATA,
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
)

manifest_entry = sa.Table(
    "manifest_entry",
    METADATA,
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    _text("esa"),
    sa.Column("revision", sa.BigInteger, nullable=False),
    _text("state"),
    sa.Column("sha256", sa.Text),
    _number("pupils"),
)

settlement = sa.Table(
    "settlement",
    METADATA,
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    _number("parts"),
    _text("manifest_sha256"),
)

outcome = sa.Table(
    "outcome",
    METADATA,
    sa.Column("closure", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="place in its part"),
    _text("school"),
    _text("sha256"),
    _number("line"),
    _text("reason"),
    _text("case"),
)

sealed = sa.Table(
    "sealed",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    _text("closure"),
    sa.Column("seal", JSONB, nullable=False, comment="the signed statement"),
    sa.Column("budget", JSONB, comment="academic_year, term, payment, items; null: no money hangs on it"),
)

sealed_school = sa.Table(
    "sealed_school",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    _text("esa"),
    _number("position", comment="of its leaf, from 0"),
    _text("state"),
    sa.Column("sha256", sa.Text),
    _number("pupils"),
    _number("counted"),
    _number("heads_without_rate"),
    sa.Column(
        "path", sa.LargeBinary, nullable=False, comment="inclusion proof: 32 bytes a step, leaf upward"
    ),
    sa.Column("lines", JSONB, nullable=False, comment="[[line, reason]] not counted in a counted school"),
)
sa.Index("sealed_school_area", sealed_school.c.round, sealed_school.c.esa, sealed_school.c.school)

sealed_count = sa.Table(
    "sealed_count",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("grade", sa.Text, primary_key=True, comment="empty: not known"),
    sa.Column("sex", sa.Text, primary_key=True, comment="empty: not known"),
    sa.Column("reason", sa.Text, primary_key=True, comment="empty: counted"),
    _number("pupils"),
)

budget_line = sa.Table(
    "budget_line",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, primary_key=True),
    sa.Column("grade", sa.Text, primary_key=True, comment="empty: one rate for the level"),
    _number("heads"),
    _number("rate", comment="baht"),
    _text("certainty", comment="verified | derived | recall"),
)

package = sa.Table(
    "package",
    METADATA,
    sa.Column("package", sa.Text, primary_key=True),
    _text("round"),
    _text("root"),
    _text("manifest_sha256"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    _text("at"),
)
