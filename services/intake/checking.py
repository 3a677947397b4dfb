"""The checker: takes uploads in micro-batches through reading, canonicalising and checking, in one pass for many rosters.

Their ends are `ending`'s. A file that kills its checker is tried alone
afterwards and given up after some attempts; it blocks nobody else. Not here: what the rules are.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl
import sqlalchemy as sa

from services.contracts.roster import canonical
from services.intake.ending import Checked, Outcome, end_all
from services.intake.rules import checks, identified
from services.intake.rules.catalogue_refusals import Unreadable
from services.intake.rules.reading import Readout, read
from services.intake.tables import rounds, uploads
from services.intake.tables.documents import Document
from services.intake.tables.register import find_schools
from services.kit import tracing
from services.kit.crash import crash_point
from services.kit.logs import stack_of, under
from services.kit.service import Runtime

log = logging.getLogger(__name__)
BATCH = 50

FAILED = {
    "code": "checker-failed",
    "th": "ระบบตรวจไฟล์นี้ไม่สำเร็จหลายครั้ง โปรดบันทึกไฟล์ใหม่เป็น .xlsx หรือ .csv แล้วส่งอีกครั้ง",
    "en": "Checking this file failed several times; save it anew as .xlsx or .csv and send it again",
}


def check_uploads(runtime: Runtime) -> bool:
    """One batch from claim to end; False when nothing waits."""
    _fail_exhausted(runtime)
    with runtime.database.transaction() as tx:
        claimed = uploads.claim(tx, BATCH)
        schools = find_schools(tx, {row.school for row in claimed})
        plans = {name: rounds.find_round(tx, name) for name in {row.round for row in claimed}}
    if not claimed:
        return False
    crash_point("checker-after-claim")
    pieces = [tracing.Piece("check upload", row.correlation, row.traceparent) for row in claimed]
    with tracing.spans(runtime.service.name, "internal", pieces) as spans:
        outcomes = _pass(claimed, schools, plans, runtime.keys.identity)
        crash_point("checker-before-commit")
        traces = {row.id: span.traceparent for row, span in zip(claimed, spans, strict=True)}
        with runtime.database.transaction() as tx:
            end_all(tx, claimed, outcomes, traces)
    crash_point("checker-after-commit")
    for row in claimed:
        with under(row.correlation, row.traceparent):
            log.info("upload checked", extra={"upload": row.id})
    return True


def _pass(
    claimed: Sequence[sa.Row[Any]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Outcome]:
    """upload id → what became of it; None where checking itself failed."""
    outcomes: dict[str, Outcome] = {}
    readable: list[tuple[sa.Row[Any], Readout]] = []
    for row in claimed:
        try:
            readable.append((row, read(uploads.file_of(row), row.media_type, row.filename)))
        except Unreadable as refused:
            outcomes[row.id] = refused
        except Exception as problem:
            _say("reading failed", row, problem)
            outcomes[row.id] = None
    try:
        outcomes |= _check_together(readable, schools, plans, secret)
    except Exception as problem:
        log.error("checking failed", extra={"error": type(problem).__name__, "stack": stack_of(problem)})
        outcomes |= _check_apart(readable, schools, plans, secret)
    return outcomes


def _check_apart(
    readable: list[tuple[sa.Row[Any], Readout]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Outcome]:
    """One by one, so that the roster the batch failed on harms no other."""
    outcomes: dict[str, Outcome] = {}
    for pair in readable:
        try:
            outcomes |= _check_together([pair], schools, plans, secret)
        except Exception as problem:
            _say("checking failed", pair[0], problem)
            outcomes[pair[0].id] = None
    return outcomes


def _say(what: str, row: sa.Row[Any], problem: Exception) -> None:
    """Of one upload, under the id it came with."""
    with under(row.correlation, row.traceparent):
        about = {"upload": row.id, "error": type(problem).__name__, "stack": stack_of(problem)}
        log.error(what, extra=about)


def _check_together(
    readable: list[tuple[sa.Row[Any], Readout]], schools: dict[str, Any], plans: dict[str, Any], secret: bytes
) -> dict[str, Outcome]:
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


def _fail_exhausted(runtime: Runtime) -> None:
    with runtime.database.transaction() as tx:
        for row in uploads.exhausted(tx):
            uploads.end(tx, row.id, "failed", reason=FAILED)
            with under(row.correlation, row.traceparent):
                log.error("upload given up", extra={"upload": row.id, "attempts": uploads.ATTEMPTS})
