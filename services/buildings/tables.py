"""The tables of the buildings service and the queries on them. A school's inventory row is the lock under which its
records change; a building keeps its number from year to year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services.buildings.rules import RECORDING, Building
from services.kit.database import Transaction

METADATA = sa.MetaData()

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
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
round_ = sa.Table(
    "round",
    METADATA,
    sa.Column("round", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("academic_year", sa.Integer, nullable=False),
    sa.Column("plan", JSONB, nullable=False),
    sa.Column("extensions", JSONB, nullable=False),
)
inventory = sa.Table(
    "inventory",
    METADATA,
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
building = sa.Table(
    "building",
    METADATA,
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
act = sa.Table(
    "act",
    METADATA,
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

_RECORD = tuple(field.name for field in fields(Building))


def find_school(tx: Transaction, code: str) -> sa.Row[Any] | None:
    """(code, esa, name, esa_name) of a registered school."""
    query = (
        sa.select(school.c.code, school.c.esa, school.c.name, area.c.name.label("esa_name"))
        .join(area, area.c.esa == school.c.esa)
        .where(school.c.code == code)
    )
    return tx.execute(query).first()


def find_round(tx: Transaction, name: str) -> sa.Row[Any] | None:
    return tx.execute(sa.select(round_).where(round_.c.round == name)).first()


def read_inventory(tx: Transaction, round_name: str, code: str) -> sa.Row[Any] | None:
    return tx.execute(_inventory(round_name, code)).first()


def lock_inventory(tx: Transaction, round_name: str, code: str) -> sa.Row[Any]:
    """The school's inventory row, made if it is the first, locked until the transaction ends."""
    blank = insert(inventory).values(round=round_name, school=code, state=RECORDING, revision=0)
    tx.execute(blank.on_conflict_do_nothing())
    return tx.execute(_inventory(round_name, code).with_for_update()).one()


def _inventory(round_name: str, code: str) -> sa.Select[Any]:
    return sa.select(inventory).where(inventory.c.round == round_name, inventory.c.school == code)


def save_inventory(tx: Transaction, round_name: str, code: str, **values: Any) -> None:
    here = (inventory.c.round == round_name) & (inventory.c.school == code)
    tx.execute(sa.update(inventory).where(here).values(**values))


def records(tx: Transaction, round_name: str, code: str) -> list[tuple[Building, int]]:
    """The school's records with their revisions, by number."""
    here = (building.c.round == round_name) & (building.c.school == code)
    rows = tx.execute(sa.select(building).where(here).order_by(building.c.number))
    return [(_record(row), row.revision) for row in rows]


def record(tx: Transaction, round_name: str, code: str, number: int) -> tuple[Building, int] | None:
    row = tx.execute(sa.select(building).where(_one(round_name, code, number))).first()
    return None if row is None else (_record(row), row.revision)


def _record(row: sa.Row[Any]) -> Building:
    return Building(**{name: row._mapping[name] for name in _RECORD})


def _one(round_name: str, code: str, number: int) -> sa.ColumnElement[bool]:
    c = building.c
    return sa.and_(c.round == round_name, c.school == code, c.number == number)


def next_number(tx: Transaction, code: str) -> int:
    """One more than the school ever used, in any year; safe while its inventory row is locked."""
    top = tx.execute(sa.select(sa.func.max(building.c.number)).where(building.c.school == code)).scalar()
    return int(top or 0) + 1


def insert_records(tx: Transaction, round_name: str, code: str, new: Sequence[Building]) -> None:
    if new:
        rows = [{"round": round_name, "school": code, **asdict(one)} for one in new]
        tx.execute(sa.insert(building).values(rows))


def update_record(tx: Transaction, round_name: str, code: str, changed: Building, revision: int) -> None:
    values = {name: value for name, value in asdict(changed).items() if name != "number"}
    here = _one(round_name, code, changed.number)
    tx.execute(sa.update(building).where(here).values(revision=revision, **values))


def earlier_round(tx: Transaction, code: str, academic_year: int) -> str | None:
    """The latest round before that year in which the school has records."""
    held = sa.exists().where(building.c.round == round_.c.round, building.c.school == code)
    query = sa.select(round_.c.round).where(round_.c.academic_year < academic_year, held)
    return tx.execute(query.order_by(round_.c.academic_year.desc()).limit(1)).scalar()


def progress(
    tx: Transaction,
    round_name: str,
    where: Sequence[sa.ColumnElement[bool]],
    *,
    state: str | None,
    after: str,
    limit: int,
) -> list[sa.Row[Any]]:
    """Registered schools with their inventories, by code, those after `after`."""
    joined, shown = _joined(round_name)
    query = sa.select(school.c.code, school.c.name, school.c.esa, *shown).select_from(joined).where(*where)
    if state is not None:
        query = query.where(_state() == state)
    return list(tx.execute(query.where(school.c.code > after).order_by(school.c.code).limit(limit)))


def summary(tx: Transaction, round_name: str, where: Sequence[sa.ColumnElement[bool]]) -> list[sa.Row[Any]]:
    """(state, schools, standing) of those schools."""
    joined, _ = _joined(round_name)
    standing = sa.func.coalesce(sa.func.sum(inventory.c.standing), 0).label("standing")
    query = sa.select(_state(), sa.func.count().label("schools"), standing).select_from(joined)
    return list(tx.execute(query.where(*where).group_by(_state())))


def by_type(
    tx: Transaction, round_name: str, where: Sequence[sa.ColumnElement[bool]], demolished: str
) -> list[sa.Row[Any]]:
    """(type, condition, buildings, rooms) over those schools, without what is demolished."""
    rooms = sa.func.sum(building.c.rooms_actual).label("rooms")
    query = (
        sa.select(building.c.type, building.c.condition, sa.func.count().label("buildings"), rooms)
        .join(school, school.c.code == building.c.school)
        .where(building.c.round == round_name, building.c.use_status != demolished, *where)
        .group_by(building.c.type, building.c.condition)
        .order_by(building.c.type, building.c.condition)
    )
    return list(tx.execute(query))


def _state() -> sa.Label[str]:
    # spelt out in the statement: as a parameter PostgreSQL would not see that GROUP BY means the same expression
    first = sa.literal(RECORDING, literal_execute=True)
    return sa.func.coalesce(inventory.c.state, first).label("state")


def _joined(round_name: str) -> tuple[sa.Join, tuple[sa.ColumnElement[Any], ...]]:
    here = (inventory.c.school == school.c.code) & (inventory.c.round == round_name)
    standing = sa.func.coalesce(inventory.c.standing, 0).label("standing")
    revision = sa.func.coalesce(inventory.c.revision, 0).label("revision")
    return sa.outerjoin(school, inventory, here), (_state(), standing, revision, inventory.c.sha256)


def add_act(
    tx: Transaction,
    at: datetime,
    round_name: str,
    code: str,
    name: str,
    by: str,
    number: int | None = None,
    **about: Any,
) -> None:
    """Keep who did what when; nothing is ever taken out of this table."""
    row = {"round": round_name, "school": code, "number": number, "act": name, "by": by, "at": at}
    tx.execute(sa.insert(act).values(**row, about=about))


def acts(tx: Transaction, round_name: str, code: str) -> list[sa.Row[Any]]:
    """The latest hundred acts on a school's inventory, oldest first."""
    here = (act.c.round == round_name) & (act.c.school == code)
    rows = tx.execute(sa.select(act).where(here).order_by(act.c.position.desc()).limit(100)).all()
    return list(reversed(rows))
