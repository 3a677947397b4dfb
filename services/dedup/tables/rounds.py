"""The rounds' calendars as snapshot last told of them, with the extensions granted."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.calendar import Extension, RoundPlan
from services.contracts.event import to_plain
from services.contracts.snapshot import RoundOpened
from services.dedup.tables import round_
from services.kit.database import Transaction

_NAME = re.compile(r"[a-z0-9-]{1,30}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A round's plan and what was granted beyond it."""

    plan: RoundPlan
    extensions: tuple[Extension, ...]


def keep(tx: Transaction, event: RoundOpened) -> None:
    """Take over the calendar if it is newer. Raises CalendarFault for one that cannot be read."""
    RoundPlan.from_plain(event.plan)
    for extension in event.extensions:
        Extension.from_plain(extension)
    made = insert(round_).values(
        name=event.round,
        revision=event.revision,
        plan=event.plan,
        extensions=to_plain(event.extensions),
    )
    new = made.excluded
    tx.execute(
        made.on_conflict_do_update(
            index_elements=["name"],
            set_={"revision": new.revision, "plan": new.plan, "extensions": new.extensions},
            where=round_.c.revision < new.revision,
        )
    )


def calendar(tx: Transaction, name: str) -> Calendar | None:
    """The calendar of a round; None if no such round was opened (or the name cannot be one)."""
    if not _NAME.fullmatch(name):
        return None
    row = tx.execute(sa.select(round_.c.plan, round_.c.extensions).where(round_.c.name == name)).first()
    if row is None:
        return None
    return Calendar(RoundPlan.from_plain(row.plan), tuple(Extension.from_plain(e) for e in row.extensions))
