"""Intake's tables. The queries on them live beside, by subject: register, rounds, documents, submissions, uploads."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

METADATA = sa.MetaData()
_TIME = sa.DateTime(timezone=True)


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


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
    _text("smis8"),
    _text("name"),
    sa.Column("esa", sa.Text, sa.ForeignKey("area.esa"), nullable=False, index=True),
    _text("levels"),
    _text("province"),
)

round_ = sa.Table(
    "round",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="of the plan"),
    sa.Column("plan", JSONB, nullable=False),
    sa.Column("extensions", JSONB, nullable=False),
    _text("state", server_default="open", comment="open | closing | fenced | sealed"),
    _text("closure", server_default=""),
    sa.Column("closing_revision", sa.BigInteger, nullable=False, server_default="0"),
)

submission = sa.Table(
    "submission",
    METADATA,
    sa.Column("round", sa.Text, sa.ForeignKey("round.name"), primary_key=True),
    sa.Column("school", sa.Text, sa.ForeignKey("school.code"), primary_key=True),
    _text("esa"),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    _text("state", server_default="empty"),
    sa.Column("sha256", sa.Text),
    sa.Column("pupils", sa.Integer, nullable=False, server_default="0"),
    sa.Column("upload", UUID(as_uuid=False), comment="that gave the current version"),
    sa.Column("arrived_at", _TIME, comment="of that upload, on the round clock"),
    sa.Column("errors", sa.Integer, nullable=False, server_default="0"),
    sa.Column("warnings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("notes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unexplained", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cases_open", sa.Integer, nullable=False, server_default="0", comment="known and unanswered"),
    sa.Column("counts", JSONB, nullable=False, server_default="[]", comment="pupils by grade and sex"),
    sa.Column("screening", JSONB),
    sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("confirmed_by", server_default="", comment="subject of the confirmer"),
)
sa.Index("submission_progress", submission.c.round, submission.c.esa, submission.c.school)

document = sa.Table(
    "document",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="canonical CSV, zstd"),
    sa.Column("identified", sa.LargeBinary, nullable=False, comment="what matching needs, CSV, zstd"),
    sa.Column("pupils", sa.Integer, nullable=False),
)

version = sa.Table(
    "version",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("sha256", sa.Text, sa.ForeignKey("document.sha256"), nullable=False),
    sa.Column("upload", UUID(as_uuid=False), nullable=False),
    sa.Column("at", _TIME, nullable=False),
)

upload = sa.Table(
    "upload",
    METADATA,
    sa.Column("id", UUID(as_uuid=False), primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
    _text("round"),
    _text("school"),
    _text("state", server_default="received"),
    _text("filename"),
    _text("media_type"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="the file, zstd"),
    sa.Column("size", sa.Integer, comment="of the file in bytes; null: content is the file as it came"),
    _text("content_sha256"),
    _text("by"),
    sa.Column("arrived_at", _TIME, nullable=False, comment="round clock"),
    sa.Column("received_at", _TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", _TIME),
    sa.Column("sha256", sa.Text, comment="of the canonical roster"),
    sa.Column("pupils", sa.Integer, nullable=False, server_default="0"),
    sa.Column("counts", JSONB, nullable=False, server_default="{}"),
    sa.Column("reason", JSONB, comment="why it was rejected, failed, late or superseded: code, th, en"),
    sa.Column("findings", JSONB, nullable=False, server_default="[]"),
    _text("correlation", server_default=""),
    _text("traceparent", server_default=""),
)
sa.Index("upload_school", upload.c.round, upload.c.school, upload.c.number)
sa.Index(
    "upload_waiting",
    upload.c.number,
    postgresql_where=sa.text("state IN ('received', 'checking')"),
)

explanation = sa.Table(
    "explanation",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True, comment="the pupil's key, or empty for the whole roster"),
    _text("sentence"),
    _text("by"),
    sa.Column("at", _TIME, nullable=False),
)

duplicate = sa.Table(
    "duplicate",
    METADATA,
    sa.Column("case", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    _text("round"),
    sa.Column("revision", sa.BigInteger, nullable=False),
    _text("state"),
    _text("decision"),
    sa.Column("parties", JSONB, nullable=False),
    _text("key", comment="of this school's pupil"),
)
sa.Index("duplicate_school", duplicate.c.round, duplicate.c.school)

act = sa.Table(
    "act",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    _text("act"),
    _text("subject"),
    _text("by"),
    _text("role"),
    sa.Column("at", _TIME, nullable=False, comment="when it arrived, round clock"),
    sa.Column("sha256", sa.Text),
    sa.Column("pupils", sa.Integer, nullable=False),
    _text("reason", server_default=""),
    sa.Column("receipt", JSONB, nullable=False),
)
