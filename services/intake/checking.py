"""The checker: takes uploads in micro-batches through reading, canonicalising, checking and storing.

One vectorised pass for many rosters, one transaction for their ends. A file that kills its checker is tried alone
afterwards and given up after some attempts; it blocks nobody else. Not here: what the rules are.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from services.contracts.intake import RosterAccepted, RosterIdentified
from services.contracts.roster import canonical
from services.intake.rules import checks, identified
from services.intake.rules.catalogue_refusals import Unreadable
from services.intake.rules.reading import Readout, read
from services.intake.rules.states import OPEN_STATES, SIGNED, readiness
from services.intake.tables import documents, rounds, submission, submissions, uploads
from services.intake.tables.documents import Document
from services.intake.tables.register import find_school
from services.kit.crash import crash_point
from services.kit.database import Transaction
from services.kit.logs import adopt_correlation, stack_of
from services.kit.service import Runtime

log = logging.getLogger(__name__)
BATCH = 50

FAILED = {
    "code": "checker-failed",
    "th": "ระบบตรวจไฟล์นี้ไม่สำเร็จหลายครั้ง โปรดบันทึกไฟล์ใหม่เป็น .xlsx หรือ .csv แล้วส่งอีกครั้ง",
    "en": "Checking this file failed several times; save it anew as .xlsx or .csv and send it again",
}
SUPERSEDED = {
    "code": "superseded",
    "th": "มีไฟล์ที่ส่งทีหลังถูกใช้แล้ว ไฟล์นี้จึงไม่ถูกใช้",
    "en": "A file that arrived later is in place already; this one is not used",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A readable upload after its pass: the document, its findings (JSON-able) and pupils by grade and sex."""

    document: Document
    findings: list[dict[str, Any]]
    counts: list[dict[str, Any]]

    def tally(self) -> dict[str, int]:
        severities = [finding["severity"] for finding in self.findings]
        return {f"{name}s": severities.count(name) for name in ("error", "warning", "note")}


def check_uploads(runtime: Runtime) -> bool:
    """One batch from claim to end; False when nothing waits."""
    _fail_exhausted(runtime)
    with runtime.database.transaction() as tx:
        claimed = uploads.claim(tx, BATCH)
        schools = {row.school: find_school(tx, row.school) for row in claimed}
        plans = {name: rounds.find_round(tx, name) for name in {row.round for row in claimed}}
    if not claimed:
        return False
    crash_point("checker-after-claim")
    secret = runtime.keys.identity
    outcomes = _pass(claimed, schools, plans, secret)
    crash_point("checker-before-commit")
    with runtime.database.transaction() as tx:
        for row in sorted(claimed, key=lambda row: (row.round, row.school, row.number)):
            adopt_correlation(row.correlation)
            _end(tx, row, outcomes[row.id])
            log.info("upload checked", extra={"upload": row.id})
    crash_point("checker-after-commit")
    return True


def _pass(
    claimed: Sequence[sa.Row[Any]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Checked | Unreadable | None]:
    """upload id → what became of it; None where checking itself failed."""
    outcomes: dict[str, Checked | Unreadable | None] = {}
    readable: list[tuple[sa.Row[Any], Readout]] = []
    for row in claimed:
        try:
            readable.append((row, read(row.content, row.media_type, row.filename)))
        except Unreadable as refused:
            outcomes[row.id] = refused
        except Exception as problem:
            log.error("reading failed", extra={"error": type(problem).__name__, "stack": stack_of(problem)})
            outcomes[row.id] = None
    try:
        outcomes |= _check_together(readable, schools, plans, secret)
    except Exception as problem:
        log.error("checking failed", extra={"error": type(problem).__name__, "stack": stack_of(problem)})
        outcomes |= _check_apart(readable, schools, plans, secret)
    return outcomes


def _check_apart(
    readable: list[tuple[sa.Row[Any], Readout]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Checked | Unreadable | None]:
    """One by one, so that the roster the batch failed on harms no other."""
    outcomes: dict[str, Checked | Unreadable | None] = {}
    for pair in readable:
        try:
            outcomes |= _check_together([pair], schools, plans, secret)
        except Exception as problem:
            log.error("checking failed", extra={"error": type(problem).__name__, "stack": stack_of(problem)})
            outcomes[pair[0].id] = None
    return outcomes


def _check_together(
    readable: list[tuple[sa.Row[Any], Readout]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Checked | Unreadable | None]:
    if not readable:
        return {}
    frames = canonical.canonicalise_many([readout.frame for _, readout in readable])
    rosters = []
    for (row, _), frame in zip(readable, frames, strict=True):
        plan, school = plans[row.round].plan, schools[row.school]
        rosters.append(checks.Roster(frame, school.code, school.smis8, plan.count_day, plan.academic_year))
    found = checks.check(rosters)
    bodies = canonical.encode_many(frames)
    identities = iter(
        identified.identity_keys(pl.concat([frame.select("national_id") for frame in frames]), secret)
    )
    return {
        row.id: _checked(frame, body, list(itertools.islice(identities, frame.height)), findings, secret)
        for (row, _), frame, body, findings in zip(readable, frames, bodies, found, strict=True)
    }


def _checked(
    frame: pl.DataFrame, body: bytes, identities: list[str], found: Sequence[checks.Finding], secret: bytes
) -> Checked:
    keys = identified.pupil_keys(frame, identities, secret) if found else []
    counts = frame.group_by("grade", "sex").len("pupils").sort("grade", "sex").to_dicts()
    return Checked(
        Document(
            canonical.digest(body),
            canonical.pack(body),
            canonical.pack(identified.identified_csv(frame, identities)),
            frame.height,
        ),
        [asdict(f) | {"key": keys[f.line - 1] if f.line else ""} for f in found],
        counts,
    )


def _end(tx: Transaction, row: sa.Row[Any], outcome: Checked | Unreadable | None) -> None:
    """Bring one upload to its end under the fence and the submission's row lock; None is left for another attempt."""
    entered = rounds.enter_round(tx, row.round)
    current = submissions.find(tx, row.round, row.school, lock=True)
    held = uploads.hold(tx, row.id)
    if entered is None or entered.state not in OPEN_STATES or current is None or held is None:
        return
    if outcome is None:
        uploads.give_back(tx, row.id)
    elif isinstance(outcome, Unreadable):
        reason = {"code": outcome.code, "th": outcome.th, "en": outcome.en, "row": outcome.row}
        uploads.end(tx, row.id, "rejected", reason=reason)
    elif current.state in SIGNED or uploads.newer_in_place(
        tx, row.round, row.school, row.arrived_at, row.number
    ):
        uploads.end(tx, row.id, "superseded", reason=SUPERSEDED)
    elif current.sha256 == outcome.document.sha256:
        uploads.end(tx, row.id, "unchanged", **_results(outcome))
        _point(tx, current, row, outcome)
        submissions.refresh(tx, row.round, row.school, "upload")
    else:
        uploads.end(tx, row.id, "accepted", **_results(outcome))
        _accept(tx, current, row, outcome)


def _results(outcome: Checked) -> dict[str, Any]:
    return {
        "sha256": outcome.document.sha256,
        "pupils": outcome.document.pupils,
        "counts": outcome.tally(),
        "findings": outcome.findings,
    }


def _point(tx: Transaction, current: sa.Row[Any], row: sa.Row[Any], outcome: Checked) -> None:
    """Let the submission show this upload's findings (rows of this file), whatever its bytes were called."""
    tx.execute(
        sa.update(submission)
        .where(submission.c.round == row.round, submission.c.school == row.school)
        .values(
            upload=row.id,
            arrived_at=row.arrived_at,
            sha256=outcome.document.sha256,
            pupils=outcome.document.pupils,
            counts=outcome.counts,
            screening=current.screening if current.sha256 == outcome.document.sha256 else None,
            **outcome.tally(),
        )
    )


def _accept(tx: Transaction, current: sa.Row[Any], row: sa.Row[Any], outcome: Checked) -> None:
    """A new version: store it, move the pointer, and tell the others, all in this transaction."""
    documents.store(tx, outcome.document)
    _point(tx, current, row, outcome)
    waiting = submissions.recount(tx, row.round, row.school)
    state = readiness(submissions.for_rules(tx, waiting))
    revision = submissions.change(tx, waiting, "upload", state=state)
    documents.add_version(
        tx, row.round, row.school, revision, outcome.document.sha256, row.id, row.arrived_at
    )
    told = {
        "round": row.round,
        "school": row.school,
        "revision": revision,
        "sha256": outcome.document.sha256,
        "pupils": outcome.document.pupils,
    }
    tx.publish(RosterAccepted(**told), subject=row.school)
    tx.publish(RosterIdentified(**told), subject=row.school)


def _fail_exhausted(runtime: Runtime) -> None:
    with runtime.database.transaction() as tx:
        for row in uploads.exhausted(tx):
            uploads.end(tx, row.id, "failed", reason=FAILED)
            log.error("upload given up", extra={"upload": row.id, "attempts": uploads.ATTEMPTS})
