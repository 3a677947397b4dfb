"""Queries on snapshot's copy of the register: which school belongs to which area."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.intake import AreaRegistered
from services.kit.database import Transaction
from services.snapshot.tables import area, school


def keep_area(tx: Transaction, event: AreaRegistered) -> None:
    """Take over one area with its schools. A school follows the greatest revision that named it, so that one which
    moved between areas ends in the right one whatever the order."""
    row = {"esa": event.esa, "name": event.name, "revision": event.revision}
    newer = insert(area).values(row)
    newer = newer.on_conflict_do_update(
        index_elements=["esa"], set_=row, where=area.c.revision < event.revision
    )
    if tx.execute(newer.returning(area.c.esa)).first() is None:
        return
    codes = [one.code for one in event.schools]
    gone = sa.delete(school).where(
        school.c.esa == event.esa, school.c.revision < event.revision, school.c.code.not_in(codes)
    )
    tx.execute(gone)
    if codes:
        _keep_schools(tx, event)


def _keep_schools(tx: Transaction, event: AreaRegistered) -> None:
    rows = [
        {"code": one.code, "esa": event.esa, "name": one.name, "revision": event.revision}
        for one in event.schools
    ]
    statement = insert(school).values(rows)
    given = statement.excluded
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["code"],
            set_={"esa": given.esa, "name": given.name, "revision": given.revision},
            where=school.c.revision < given.revision,
        )
    )


def find_school(tx: Transaction, code: str) -> sa.Row[Any] | None:
    return tx.execute(sa.select(school).where(school.c.code == code)).one_or_none()


def unknown_schools(tx: Transaction, codes: Iterable[str]) -> list[str]:
    """Those of the codes that the register does not have, in order."""
    wanted = set(codes)
    found = tx.execute(sa.select(school.c.code).where(school.c.code.in_(wanted))).scalars()
    return sorted(wanted - set(found))
