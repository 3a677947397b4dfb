"""The tables of the export service and the queries on them: register, sealed rounds, packages. A package being built is
leased: whoever holds the lease renews it, and a lease that ran out is taken by another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.export.rules.layout import SchoolFacts
from services.kit.database import Transaction

METADATA = sa.MetaData()
LEASE_SECONDS = 30
QUEUED, BUILDING, BUILT, FAILED = "queued", "building", "built", "failed"

area = sa.Table(
    "area",
    METADATA,
    sa.Column("esa", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
school = sa.Table(
    "school",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("esa", sa.Text, nullable=False, index=True),
    sa.Column("smis8", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("levels", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
round_ = sa.Table(
    "round",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("plan", JSONB, comment="null until the round's opening was heard of"),
    sa.Column("seal_revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seal", JSONB, comment="the signed statement; null until sealed"),
)
inventory = sa.Table(
    "inventory",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("school", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("buildings", sa.Integer, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
)
export = sa.Table(
    "export",
    METADATA,
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
    # one package per round, unless an earlier attempt failed for good
    sa.Index("export_of_round", "round", unique=True, postgresql_where=sa.text("state <> 'failed'")),
)
reading = sa.Table(
    "reading",
    METADATA,
    sa.Column("position", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("export", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

_REAL_NOW = sa.func.clock_timestamp()


def find_round(tx: Transaction, name: str) -> sa.Row[Any] | None:
    return tx.execute(sa.select(round_).where(round_.c.round == name)).first()


def request_export(tx: Transaction, **values: Any) -> sa.Row[Any]:
    """The round's package: a new one, or the one that is already asked for."""
    new = insert(export).values(state=QUEUED, due=_REAL_NOW, **values)
    tx.execute(new.on_conflict_do_nothing())
    there = sa.select(export).where(export.c.round == values["round"], export.c.state != FAILED)
    return tx.execute(there).one()


def list_exports(tx: Transaction, round_name: str) -> list[sa.Row[Any]]:
    """The round's packages, latest first."""
    query = sa.select(export).where(export.c.round == round_name)
    return list(tx.execute(query.order_by(export.c.requested_at.desc(), export.c.id)))


def find_export(tx: Transaction, export_id: str) -> sa.Row[Any] | None:
    return tx.execute(sa.select(export).where(export.c.id == export_id)).first()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to build one package, as long as it is renewed."""

    export: str
    round: str
    attempt: int


class LeaseLost(Exception):
    """Another process took this package over."""


def take(tx: Transaction) -> Lease | None:
    """A package that is due: newly asked for, put off, or left behind by a process that died."""
    due = sa.select(export.c.id).where(export.c.due <= _REAL_NOW).order_by(export.c.due).limit(1)
    statement = (
        sa.update(export)
        .where(export.c.id == due.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            state=BUILDING,
            attempt=export.c.attempt + 1,
            due=_in(LEASE_SECONDS),
            schools_done=0,
            rows=0,
        )
        .returning(export.c.id, export.c.round, export.c.attempt)
    )
    row = tx.execute(statement).first()
    return None if row is None else Lease(row.id, row.round, row.attempt)


def take_back(tx: Transaction) -> None:
    """Every builder is known to be dead: what they were building is due again now."""
    tx.execute(sa.update(export).where(export.c.state == BUILDING).values(due=_REAL_NOW))


def renew(tx: Transaction, lease: Lease, *, schools_done: int, rows: int) -> None:
    """Keep the lease and show progress. Raises LeaseLost."""
    _settle(tx, lease, due=_in(LEASE_SECONDS), schools_done=schools_done, rows=rows)


def put_off(tx: Transaction, lease: Lease, seconds: int, error: Mapping[str, str]) -> None:
    """Give the package back to be tried again. Raises LeaseLost."""
    _settle(tx, lease, state=QUEUED, due=_in(seconds), error=dict(error))


def fail(tx: Transaction, lease: Lease, error: Mapping[str, str]) -> None:
    """Trying again will not help. Raises LeaseLost."""
    _settle(tx, lease, state=FAILED, due=None, error=dict(error))


def finish(tx: Transaction, lease: Lease, **values: Any) -> None:
    """The package is complete. Raises LeaseLost; holds the row, so no other process finishes at the same time."""
    _settle(tx, lease, state=BUILT, due=None, error=None, **values)


def _settle(tx: Transaction, lease: Lease, **values: Any) -> None:
    mine = (export.c.id == lease.export) & (export.c.attempt == lease.attempt) & (export.c.state == BUILDING)
    if tx.execute(sa.update(export).where(mine).values(**values).returning(export.c.id)).first() is None:
        raise LeaseLost


def _in(seconds: int) -> sa.ColumnElement[datetime]:
    return _REAL_NOW + sa.text(f"interval '{int(seconds)} s'")


def school_facts(tx: Transaction, buildings_round: str) -> dict[str, SchoolFacts]:
    """What register and buildings round know, by school."""
    confirmed = (inventory.c.school == school.c.code) & (inventory.c.round == buildings_round)
    joined = sa.outerjoin(sa.outerjoin(school, area, area.c.esa == school.c.esa), inventory, confirmed)
    s, i = school.c, inventory.c
    named = sa.func.coalesce(area.c.name, "").label("esa_name")
    query = sa.select(s.code, s.smis8, s.name, named, s.province, s.levels, i.buildings, i.level)
    return {row.code: _facts(row) for row in tx.execute(query.select_from(joined))}


def _facts(row: sa.Row[Any]) -> SchoolFacts:
    confirmed = row.level in ("school", "area")
    return SchoolFacts(
        smis8=row.smis8,
        name=row.name,
        esa_name=row.esa_name,
        province=row.province,
        levels=row.levels,
        buildings=row.buildings if confirmed else None,
        buildings_level=row.level if confirmed else "",
    )


def add_reading(tx: Transaction, export_id: str, file: str, by: str, at: datetime) -> None:
    """Keep who fetched which file when: the files hold national IDs."""
    tx.execute(sa.insert(reading).values(export=export_id, file=file, by=by, at=at))
