"""The monolith's tables: a row a pupil with every column of the field table, findings, and pupils seen on another roll."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.contracts.roster.fields import COLUMNS


class Base(DeclarativeBase):
    """All tables of the monolith."""


class School(Base):
    """The register."""

    __tablename__ = "school"
    code: Mapped[str] = mapped_column(primary_key=True)
    smis8: Mapped[str]


class Roster(Base):
    """The last file a school sent."""

    __tablename__ = "roster"
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.code"), primary_key=True)
    sha256: Mapped[str]
    pupils: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


# Keys that the application knows beforehand: no row has to be read back after it was written.
class Pupil(Base):
    """A pupil on a roll."""

    __table__ = sa.Table(
        "pupil",
        Base.metadata,
        sa.Column("school", sa.Text, sa.ForeignKey("school.code"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False, default="", index=name == "national_id")
            for name in COLUMNS
        ),
    )


class Finding(Base):
    """A rule that a row breaks in a field; row 0 is the roll as a whole."""

    __tablename__ = "finding"
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.code"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)


class Duplicate(Base):
    """A pupil who was on another school's roll when this one came."""

    __tablename__ = "duplicate"
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.code"), primary_key=True)
    other: Mapped[str] = mapped_column(sa.ForeignKey("school.code"), primary_key=True)
    national_id: Mapped[str] = mapped_column(primary_key=True)


OF_A_SCHOOL = (Pupil, Finding, Duplicate, Roster)
"""What a school's next roll replaces."""
