"""Dedup's part of closing a round, as a job that resumes wherever it was killed: fence the acts, compare the manifest
with what was screened, ask for what lacks, and answer with the outcomes once both are equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from services.contracts.dedup import IdentifiedRequested, Outcome, RoundSettled
from services.dedup import casework
from services.dedup.rules.standing import outcomes
from services.dedup.screening import withdraw
from services.dedup.tables import cases, closures
from services.kit.crash import crash_point
from services.kit.database import Transaction
from services.kit.service import Runtime

OUTCOMES_PER_PART = 1000
SCHOOLS_PER_REQUEST = 500
FENCE_WAIT_MS = 1000


def fence(runtime: Runtime) -> bool:
    """Take no more answers and decisions in one round whose manifest is whole. Acts under way are waited for a second;
    then OperationalError, and the job tries again."""
    with runtime.database.transaction() as tx:
        due = closures.to_fence(tx)
    if due is None:
        return False
    with runtime.database.transaction() as tx:
        tx.lock_exclusive(casework.acts_lock(due.round), timeout_ms=FENCE_WAIT_MS)
        row = closures.row_of(tx, due.round, due.closure)
        if not row.aborted and row.fenced_at is None:
            closures.change(tx, due.round, due.closure, fenced_at=sa.func.clock_timestamp())
    crash_point("dedup-after-fence")
    return True


def settle(runtime: Runtime) -> bool:
    """Bring every fenced round one step on; whether any moved."""
    with runtime.database.transaction() as tx:
        due = closures.to_settle(tx)
    return any([_settle_one(runtime, row.round, row.closure) for row in due])


def _settle_one(runtime: Runtime, round_name: str, closure: str) -> bool:
    with runtime.database.transaction() as tx:
        row = closures.claim(tx, round_name, closure)
        if row is None:
            return False
        lacking = closures.lacking(tx, round_name, closure)
        if lacking:
            return bool(row.may_ask) and _ask(tx, round_name, closure, lacking)
        surplus = closures.surplus(tx, round_name, closure)
        for school in surplus:
            withdraw(tx, round_name, school)
        if not surplus:
            _answer_if_equal(tx, row)
    crash_point("dedup-after-settle")
    return True


def _ask(tx: Transaction, round_name: str, closure: str, schools: Sequence[str]) -> bool:
    for start in range(0, len(schools), SCHOOLS_PER_REQUEST):
        part = tuple(schools[start : start + SCHOOLS_PER_REQUEST])
        tx.publish(IdentifiedRequested(round=round_name, closure=closure, schools=part), subject=round_name)
    closures.change(tx, round_name, closure, asked_at=sa.func.clock_timestamp())
    return True


def _answer_if_equal(tx: Transaction, row: sa.Row[tuple[object, ...]]) -> None:
    # From here on nothing is screened, so what is compared is what is answered.
    closures.lock_screened(tx, row.round)
    if closures.lacking(tx, row.round, row.closure):
        return
    found = [
        outcome
        for case in cases.not_cleared(tx, row.round)
        for outcome in outcomes(case.case, case.state, case.decision, case.parties)
    ]
    parts = list(_parts(sorted(found, key=lambda o: (o.school, o.line))))
    for number, part in enumerate(parts):
        told = RoundSettled(
            round=row.round,
            closure=row.closure,
            manifest_sha256=row.manifest_sha256,
            part=number,
            parts=len(parts),
            outcomes=part,
        )
        tx.publish(told, subject=row.round)
    closures.change(tx, row.round, row.closure, settled_at=sa.func.clock_timestamp())


def _parts(found: Sequence[Outcome]) -> Iterator[tuple[Outcome, ...]]:
    """At most OUTCOMES_PER_PART each; one empty part where there is nothing."""
    for start in range(0, max(len(found), 1), OUTCOMES_PER_PART):
        yield tuple(found[start : start + OUTCOMES_PER_PART])
