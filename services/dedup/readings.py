"""What dedup tells of its tables: the cases by their age."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.dedup.metrics import CASES
from services.dedup.rules.standing import DECIDED, OPEN
from services.dedup.tables import closure, duplicate
from services.kit.service import Reading, Runtime, Sample

STATES = (OPEN, DECIDED)
YOUNG, OF_TODAY, OLD = "under-1h", "under-1d", "over-1d"


def _by_age(now: datetime) -> sa.Select[tuple[str, str, int]]:
    opened, over = duplicate.c.opened_at, (closure.c.round == duplicate.c.round) & closure.c.sealed
    age = sa.case(
        (opened > now - timedelta(hours=1), YOUNG), (opened > now - timedelta(days=1), OF_TODAY), else_=OLD
    ).label("age")
    return (
        sa.select(duplicate.c.state, age, sa.func.count().label("cases"))
        .where(duplicate.c.state.in_(STATES), ~sa.exists().where(over))
        .group_by(duplicate.c.state, age)
    )


def read_cases(runtime: Runtime) -> Iterator[Sample]:
    """Goes through the cases of all rounds."""
    with runtime.database.look() as connection:
        rows = connection.execute(_by_age(runtime.clock.now())).all()
    found = {(row.state, row.age): row.cases for row in rows}
    for state, age in itertools.product(STATES, (YOUNG, OF_TODAY, OLD)):
        yield CASES, (state, age), found.get((state, age), 0)


READINGS = (Reading("cases", 30, read_cases),)
