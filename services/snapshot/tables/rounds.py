"""Queries on the rounds. Whoever changes a round or its closing holds the round's row lock, and tells the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.contracts.calendar import Extension, RoundPlan
from services.contracts.snapshot import RoundOpened
from services.kit.database import Transaction
from services.snapshot.tables import closure, round_


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it stands. `state`: open, or the phase of the closing that is under way or done."""

    name: str
    revision: int
    plan: RoundPlan
    extensions: tuple[Extension, ...]
    state: str


def find_round(tx: Transaction, name: str) -> Round | None:
    row = tx.execute(_rounds().where(round_.c.name == name)).one_or_none()
    return _round(row) if row else None


def all_rounds(tx: Transaction) -> list[Round]:
    """In the order of the days they count."""
    found = [_round(row) for row in tx.execute(_rounds())]
    return sorted(found, key=lambda one: (one.plan.count_day, one.name))


def lock_round(tx: Transaction, name: str) -> Round | None:
    """The round, under its row lock until the transaction ends."""
    # Not the strongest lock: a reader's foreign key or another row lock on it must not wait for a seal.
    lock = sa.select(round_.c.name).where(round_.c.name == name).with_for_update(key_share=True)
    return find_round(tx, name) if tx.execute(lock).first() else None


def try_lock_round(tx: Transaction, name: str) -> Round | None:
    """The same without waiting: None while another process works on it."""
    lock = sa.select(round_.c.name).where(round_.c.name == name)
    lock = lock.with_for_update(key_share=True, skip_locked=True)
    return find_round(tx, name) if tx.execute(lock).first() else None


def add_round(tx: Transaction, plan: RoundPlan, by: str) -> None:
    """Open it, and tell the others."""
    values = {"plan": plan.to_plain(), "extensions": [], "opened_at": tx.now(), "opened_by": by}
    tx.execute(sa.insert(round_).values(name=plan.name, revision=next_revision(0), **values))
    _tell(tx, plan.name)


def change_round(
    tx: Transaction, held: Round, *, plan: RoundPlan | None = None, extensions: Sequence[Extension] = ()
) -> None:
    """Another plan, or more extensions; the whole round is told again. The caller holds its lock."""
    longer = [*held.extensions, *extensions]
    tx.execute(
        sa.update(round_)
        .where(round_.c.name == held.name)
        .values(
            revision=next_revision(held.revision),
            plan=(plan or held.plan).to_plain(),
            extensions=[one.to_plain() for one in longer],
        )
    )
    _tell(tx, held.name)


def advance_revision(tx: Transaction, held: Round) -> int:
    """The revision of an event about this round's closing. The caller holds its lock."""
    revision = next_revision(held.revision)
    tx.execute(sa.update(round_).where(round_.c.name == held.name).values(revision=revision))
    return revision


def next_revision(previous: int) -> int:
    """Greater than any before, also after a restore: real unix milliseconds, at least previous + 1."""
    return max(previous + 1, int(time.time() * 1000))


def _tell(tx: Transaction, name: str) -> None:
    row = tx.execute(sa.select(round_).where(round_.c.name == name)).one()
    told = RoundOpened(round=name, revision=row.revision, plan=row.plan, extensions=tuple(row.extensions))
    tx.publish(told, subject=name)


def _rounds() -> sa.Select[Any]:
    live = sa.and_(closure.c.round == round_.c.name, closure.c.phase != "aborted")
    state = sa.func.coalesce(closure.c.phase, "open").label("state")
    return sa.select(round_, state).select_from(round_.outerjoin(closure, live))


def _round(row: sa.Row[Any]) -> Round:
    return Round(
        row.name,
        row.revision,
        RoundPlan.from_plain(row.plan),
        tuple(Extension.from_plain(one) for one in row.extensions),
        row.state,
    )
