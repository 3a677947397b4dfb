"""Queries on intake's own copy of the rounds, and the fence every upload and act passes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.calendar import Extension, RoundPlan, Window
from services.contracts.snapshot import RoundOpened
from services.intake.tables import round_, school, submission
from services.kit.database import Transaction

PAIRING_WAIT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Round:
    """A round as intake knows it. `state`: open | closing | fenced | sealed."""

    name: str
    plan: RoundPlan
    extensions: tuple[Extension, ...]
    state: str
    closure: str

    def windows(self, school_code: str, *activities: str) -> list[Window]:
        """When the school may do any of these activities."""
        return [self.plan.window(a, school=school_code, extensions=self.extensions) for a in activities]


def fence_name(name: str) -> str:
    """The advisory lock that separates uploads and acts (shared) from fencing (exclusive)."""
    return f"intake-round-{name}"


COLUMNS = (
    round_.c.name.label("round_name"),
    round_.c.state.label("round_state"),
    round_.c.closure.label("round_closure"),
    sa.cast(round_.c.plan, sa.Text).label("round_plan"),
    sa.cast(round_.c.extensions, sa.Text).label("round_extensions"),
)
"""What `of_row` makes a round of. Plans come as text, of which the same is read once."""

_FOUND = sa.select(*COLUMNS).where(round_.c.name == sa.bindparam("name"))


def find_round(tx: Transaction, name: str) -> Round | None:
    row = tx.execute(_FOUND, {"name": name}).one_or_none()
    return of_row(row) if row else None


def enter_round(tx: Transaction, name: str) -> Round | None:
    """The round, under the shared side of its fence: it cannot be fenced until this transaction ends."""
    enter(tx, name)
    return find_round(tx, name)


def enter(tx: Transaction, name: str) -> None:
    """Take the shared side of a round's fence; what is read of it afterwards stands until this transaction ends."""
    tx.lock_shared(fence_name(name))


def of_row(row: sa.Row[Any]) -> Round | None:
    """The round in a row with `COLUMNS`; None while it is known by its closing only."""
    planned = _planned(row.round_plan, row.round_extensions)
    return planned and Round(row.round_name, *planned, row.round_state, row.round_closure)


@lru_cache(maxsize=32)
def _planned(plan: str, extensions: str) -> tuple[RoundPlan, tuple[Extension, ...]] | None:
    plain = json.loads(plan)
    return (
        (RoundPlan.from_plain(plain), tuple(map(Extension.from_plain, json.loads(extensions))))
        if plain
        else None
    )


def keep_plan(tx: Transaction, event: RoundOpened) -> bool:
    """Take over a plan unless a newer one is held; True if the round takes rosters and its schools may be new."""
    if event.plan.get("kind") != "roster":
        return False
    values = {
        "name": event.round,
        "revision": event.revision,
        "plan": event.plan,
        "extensions": list(event.extensions),
    }
    statement = insert(round_).values(values)
    newer = round_.c.revision < statement.excluded.revision
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values, where=newer))
    return True


def add_submissions(tx: Transaction, names: Sequence[str] | None = None) -> None:
    """Every registered school has a submission in every unsealed round (or the named ones). One at a time: a register and
    a round that come at the same moment would not see each other's rows."""
    tx.lock_exclusive("intake-submissions", timeout_ms=PAIRING_WAIT_MS)
    rounds = sa.select(round_.c.name, school.c.code, school.c.esa).where(
        round_.c.state != "sealed", round_.c.revision > 0
    )
    if names is not None:
        rounds = rounds.where(round_.c.name.in_(names))
    pairs = rounds.join(school, sa.true())
    tx.execute(insert(submission).from_select(["round", "school", "esa"], pairs).on_conflict_do_nothing())


def move_submissions(tx: Transaction) -> None:
    """A school that moved to another area takes its submissions in unsealed rounds along."""
    unsealed = sa.select(round_.c.name).where(round_.c.state != "sealed")
    tx.execute(
        sa.update(submission)
        .where(submission.c.school == school.c.code, submission.c.esa != school.c.esa)
        .where(submission.c.round.in_(unsealed))
        .values(esa=school.c.esa)
    )


def set_state(tx: Transaction, name: str, state: str, *, closure: str, revision: int) -> bool:
    """Pass into a closing state unless a later closing event already did; True if it took effect.

    The plan may arrive after it: until then the round is known by its closing only.
    """
    statement = insert(round_).values(
        name=name, revision=0, plan={}, extensions=[], state=state, closure=closure, closing_revision=revision
    )
    changed = tx.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"state": state, "closure": closure, "closing_revision": revision},
            where=sa.and_(round_.c.closing_revision < revision, round_.c.state != "sealed"),
        ).returning(round_.c.name)
    )
    return changed.first() is not None
