"""Messages in: the register (for scope checks) and the rounds of buildings; rounds of rosters are not ours."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.buildings import tables
from services.contracts.calendar import RoundPlan
from services.contracts.event import to_plain
from services.contracts.intake import AreaRegistered
from services.contracts.snapshot import RoundOpened
from services.kit.database import Transaction


def on_area(event: AreaRegistered, tx: Transaction) -> None:
    """Take over one area with its schools. A school follows the greatest revision that named it, so that one which
    moved between areas ends in the right one whatever the order."""
    row = {"esa": event.esa, "name": event.name, "revision": event.revision}
    area = insert(tables.area).values(row)
    newer = area.on_conflict_do_update(
        index_elements=["esa"], set_=row, where=tables.area.c.revision < event.revision
    )
    if tx.execute(newer.returning(tables.area.c.esa)).first() is None:
        return
    codes = [one.code for one in event.schools]
    gone = sa.delete(tables.school).where(
        tables.school.c.esa == event.esa,
        tables.school.c.revision < event.revision,
        tables.school.c.code.not_in(codes),
    )
    tx.execute(gone)
    if not codes:
        return
    schools = insert(tables.school).values(
        [
            {"code": one.code, "esa": event.esa, "name": one.name, "revision": event.revision}
            for one in event.schools
        ]
    )
    given = schools.excluded
    tx.execute(
        schools.on_conflict_do_update(
            index_elements=["code"],
            set_={"esa": given.esa, "name": given.name, "revision": given.revision},
            where=tables.school.c.revision < given.revision,
        )
    )


def on_round(event: RoundOpened, tx: Transaction) -> None:
    """Keep the plan of a buildings round; rounds of rosters are passed over."""
    plan = RoundPlan.from_plain(event.plan)
    if plan.kind != "buildings":
        return
    row = {
        "round": event.round,
        "revision": event.revision,
        "academic_year": plan.academic_year,
        "plan": event.plan,
        "extensions": to_plain(event.extensions),
    }
    statement = insert(tables.round_).values(row)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["round"], set_=row, where=tables.round_.c.revision < event.revision
        )
    )
