"""Queries on the register of areas and schools."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.event import to_plain
from services.contracts.intake import AreaRegistered, RegisteredSchool
from services.intake.rules.register import Area
from services.intake.tables import area, school
from services.kit.database import Transaction
from services.kit.sql import is_one_of


def find_schools(tx: Transaction, codes: Collection[str]) -> dict[str, sa.Row[Any]]:
    """The schools of these codes that there are, by code."""
    rows = tx.execute(sa.select(school).where(is_one_of(school.c.code, codes)))
    return {row.code: row for row in rows}


def next_revision(previous: int) -> int:
    """Greater than any before, also after a restore: real unix milliseconds, at least previous + 1."""
    return max(previous + 1, int(time.time() * 1000))


def register_area(tx: Transaction, given: Area) -> bool:
    """Make the register's area as given, and tell the others; False if it was so already."""
    held = tx.execute(sa.select(area).where(area.c.esa == given.esa).with_for_update()).one_or_none()
    if held and held.name == given.name and _schools_of(tx, given.esa) == given.schools:
        return False
    revision = next_revision(held.revision if held else 0)
    values = {"esa": given.esa, "name": given.name, "revision": revision}
    tx.execute(insert(area).values(values).on_conflict_do_update(index_elements=["esa"], set_=values))
    rows = [to_plain(member) | {"esa": given.esa} for member in given.schools]
    statement = insert(school)
    columns = {name: statement.excluded[name] for name in ("smis8", "name", "esa", "levels", "province")}
    tx.execute(statement.on_conflict_do_update(index_elements=["code"], set_=columns), rows)
    tx.publish(
        AreaRegistered(esa=given.esa, name=given.name, revision=revision, schools=given.schools),
        subject=given.esa,
    )
    return True


def _schools_of(tx: Transaction, esa: str) -> tuple[RegisteredSchool, ...]:
    c = school.c
    rows = tx.execute(
        sa.select(c.code, c.smis8, c.name, c.levels, c.province).where(c.esa == esa).order_by(c.code)
    )
    return tuple(RegisteredSchool(**row._mapping) for row in rows)
