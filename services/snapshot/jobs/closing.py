"""The job that carries closings on: each step in a transaction of its own under the round's lock, from what has arrived.

Killed between any two steps, it goes on from the last one written; a step that cannot be taken yet writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.contracts.snapshot import RosterRequested
from services.kit.crash import crash_point
from services.kit.database import Transaction
from services.kit.service import Runtime
from services.snapshot.jobs.sealing import seal_round
from services.snapshot.rules.closing import Closing, NotNow, compare, fence, settle
from services.snapshot.rules.comparison import compare_documents
from services.snapshot.tables import closings, documents, rounds
from services.snapshot.tables.rounds import Round

log = logging.getLogger(__name__)
SCHOOLS_PER_REQUEST = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at closing, under its round's lock."""

    runtime: Runtime
    round: Round
    row: sa.Row[Any]

    @property
    def closing(self) -> Closing:
        return closings.closing_of(self.row)


def advance_closings(runtime: Runtime) -> bool:
    """Take one step of every closing that can take one; whether any did."""
    with runtime.database.transaction() as tx:
        names = closings.rounds_under_way(tx)
    return any([_advance(runtime, name) for name in names])


def _advance(runtime: Runtime, name: str) -> bool:
    with runtime.database.transaction() as tx:
        held = rounds.try_lock_round(tx, name)
        row = closings.latest(tx, name) if held else None
        if held is None or row is None or row.phase not in _STEPS or row.refusal is not None:
            return False
        attempt = Attempt(runtime, held, row)
        try:
            reached = _STEPS[row.phase](tx, attempt)
        except NotNow as refusal:
            log.error("closing cannot go on", extra={"round": name, "closure": row.id, "error": refusal.code})
            closings.refuse(tx, row, refusal)
            return True
        if reached is None:
            return False
        crash_point(f"closing-before-{reached}")
    crash_point(f"closing-after-{reached}")
    return True


def _fence(tx: Transaction, attempt: Attempt) -> str | None:
    told = closings.fenced(tx, attempt.row)
    if told is None:
        return None
    return closings.step(tx, attempt.row, fence(attempt.closing, told))


def _settle(tx: Transaction, attempt: Attempt) -> str | None:
    here = closings.progress(tx, attempt.row)
    if here.manifest_parts < attempt.row.parts or here.outcome_parts < (here.outcome_parts_of or 1):
        return None
    # With every part here, what does not fit together now never will: NotNow ends this attempt.
    whole, parts = closings.manifest(tx, attempt.row.id), closings.settled_parts(tx, attempt.row.id)
    return closings.step(tx, attempt.row, settle(attempt.closing, attempt.row.id, whole, parts))


def _compare(tx: Transaction, attempt: Attempt) -> str | None:
    row, age_day = attempt.row, attempt.round.plan.age_day
    last = closings.comparison_of(row)
    if last and documents.missing(tx, row.id, age_day) == len(last.missing) and not closings.may_ask(tx, row):
        return None
    found = compare_documents(
        closings.manifest(tx, row.id),
        documents.held(tx, row.id, age_day),
        closings.outcomes(tx, row.id),
        closings.heard_since(tx, row),
    )
    ask = bool(found.missing) and not found.contradictory and closings.may_ask(tx, row)
    closings.keep_comparison(tx, row, found, asked=ask)
    if found.equal or found.contradictory:
        return closings.step(tx, row, compare(attempt.closing, row.id, found))
    if ask:
        _ask_for(tx, row, found.missing)
    return "asking"


def _ask_for(tx: Transaction, row: sa.Row[Any], schools: Sequence[str]) -> None:
    for start in range(0, len(schools), SCHOOLS_PER_REQUEST):
        part = tuple(schools[start : start + SCHOOLS_PER_REQUEST])
        tx.publish(RosterRequested(round=row.round, closure=row.id, schools=part), subject=row.round)


def _seal(tx: Transaction, attempt: Attempt) -> str | None:
    return seal_round(tx, attempt.runtime, attempt.round, attempt.row)


_STEPS: Mapping[str, Callable[[Transaction, Attempt], str | None]] = {
    "closing": _fence,
    "fenced": _settle,
    "settled": _compare,
    "compared": _seal,
}
