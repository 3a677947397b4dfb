"""Queries on the submissions: reading one for the guards, keeping it true to its findings and cases, moving it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.contracts.intake import SubmissionChanged
from services.contracts.roster.canonical import unpack
from services.intake.rules.identified import keys_of
from services.intake.rules.states import COUNTED, SEALED, SIGNED, Submission, readiness
from services.intake.tables import act, duplicate, explanation, school, submission, upload
from services.intake.tables.documents import read_identified
from services.intake.tables.register import next_revision
from services.kit.database import Transaction

WAITING = ("received", "checking")


def find(tx: Transaction, round_name: str, code: str, *, lock: bool = False) -> sa.Row[Any] | None:
    """The submission's row; `lock`: held until the transaction ends, so that uploads and acts exclude each other."""
    query = sa.select(submission).where(submission.c.round == round_name, submission.c.school == code)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def for_rules(tx: Transaction, row: sa.Row[Any]) -> Submission:
    """The submission as the guards see it."""
    return Submission(
        state=row.state,
        sha256=row.sha256,
        pupils=row.pupils,
        locked=row.locked,
        confirmed_by=row.confirmed_by,
        errors=row.errors,
        unexplained=row.unexplained,
        cases_open=row.cases_open,
        upload_waiting=waiting_upload(tx, row.round, row.school),
    )


def waiting_upload(tx: Transaction, round_name: str, school: str) -> str | None:
    """Id of the newest upload of the school that is still received or checking."""
    u = upload.c
    return tx.execute(
        sa.select(u.id)
        .where(u.round == round_name, u.school == school, u.state.in_(WAITING))
        .order_by(u.number.desc())
        .limit(1)
    ).scalar_one_or_none()


def change(tx: Transaction, row: sa.Row[Any], act_name: str, **values: Any) -> int:
    """Write the new values under a greater revision and tell the others; returns the revision."""
    revision = next_revision(row.revision)
    changed = tx.execute(
        sa.update(submission)
        .where(submission.c.round == row.round, submission.c.school == row.school)
        .values(revision=revision, **values)
        .returning(submission)
    ).one()
    tx.publish(
        SubmissionChanged(
            round=row.round,
            school=row.school,
            esa=row.esa,
            revision=revision,
            state=changed.state,
            sha256=changed.sha256,
            pupils=changed.pupils,
            act=act_name,
            at=tx.now().isoformat(),
        ),
        subject=row.school,
    )
    return revision


def recount(tx: Transaction, round_name: str, code: str) -> sa.Row[Any]:
    """Recount what is unexplained and which known cases are unanswered; returns the fresh row."""
    row = find(tx, round_name, code, lock=True)
    assert row is not None, "recounting a submission that is not there"
    fresh = {"unexplained": len(unexplained(tx, row)), "cases_open": len(unanswered(tx, row))}
    this = (submission.c.round == round_name, submission.c.school == code)
    tx.execute(sa.update(submission).where(*this).values(**fresh))
    return tx.execute(sa.select(submission).where(*this)).one()


def refresh(tx: Transaction, round_name: str, code: str, cause: str) -> None:
    """Recount; draft and ready follow what was found, signed states stay."""
    row = recount(tx, round_name, code)
    state = readiness(for_rules(tx, row))
    if row.state not in SIGNED and row.state != state:
        change(tx, row, cause, state=state)


def current_findings(tx: Transaction, row: sa.Row[Any]) -> list[dict[str, Any]]:
    """The findings of the school's current version, as stored with the upload that gave it."""
    if row.upload is None:
        return []
    found: list[dict[str, Any]] = tx.execute(
        sa.select(upload.c.findings).where(upload.c.id == row.upload)
    ).scalar_one()
    return found


def explanations(tx: Transaction, round_name: str, school: str) -> dict[tuple[str, str], str]:
    """(rule, pupil key) → the school's sentence."""
    e = explanation.c
    rows = tx.execute(sa.select(e.rule, e.key, e.sentence).where(e.round == round_name, e.school == school))
    return {(row.rule, row.key): row.sentence for row in rows}


def unexplained(tx: Transaction, row: sa.Row[Any]) -> list[dict[str, Any]]:
    warnings = [f for f in current_findings(tx, row) if f["severity"] == "warning"]
    if not warnings:
        return []
    explained = explanations(tx, row.round, row.school)
    return [f for f in warnings if (f["rule"], f["key"]) not in explained]


def cases(tx: Transaction, round_name: str, school: str) -> Sequence[sa.Row[Any]]:
    """What intake knows of the school's duplicate cases."""
    d = duplicate.c
    return tx.execute(
        sa.select(duplicate).where(d.round == round_name, d.school == school).order_by(d.case)
    ).all()


def own_party(case: sa.Row[Any]) -> dict[str, Any]:
    """The school's own side of a case."""
    return next((p for p in case.parties if p["school"] == case.school), {})


def unanswered(tx: Transaction, row: sa.Row[Any]) -> list[sa.Row[Any]]:
    """Known open cases the school has not answered, neither by a sentence nor by removing the pupil."""
    open_cases = [
        c
        for c in cases(tx, row.round, row.school)
        if c.state == "open" and own_party(c).get("answer") == "none"
    ]
    if not open_cases or row.sha256 is None:
        return []
    held = keys_of(unpack(read_identified(tx.connection, row.sha256)))
    return [c for c in open_cases if c.key in held]


def seal(tx: Transaction, round_name: str) -> None:
    """Certified and acknowledged submissions become sealed."""
    grown = sa.func.greatest(submission.c.revision + 1, next_revision(0))
    tx.execute(
        sa.update(submission)
        .where(submission.c.round == round_name, submission.c.state.in_(COUNTED))
        .values(state=SEALED, revision=grown)
    )


def record_act(
    tx: Transaction,
    row: sa.Row[Any],
    revision: int,
    at: datetime,
    values: Mapping[str, Any],
    receipt: Mapping[str, Any],
) -> None:
    """Keep an act with its receipt. `values`: act, subject, by, role, reason, sha256, pupils."""
    tx.execute(
        sa.insert(act).values(
            round=row.round, school=row.school, revision=revision, at=at, receipt=dict(receipt), **values
        )
    )


def acts(tx: Transaction, round_name: str, school: str) -> Sequence[sa.Row[Any]]:
    """Every act on the submission, oldest first."""
    return tx.execute(
        sa.select(act).where(act.c.round == round_name, act.c.school == school).order_by(act.c.revision)
    ).all()


def page(
    tx: Transaction, round_name: str, esas: Sequence[str] | None, state: str, cursor: str, limit: int
) -> Sequence[sa.Row[Any]]:
    """Submissions after a school code, in order of code, with the school's name."""
    query = (
        sa.select(submission, school.c.name)
        .join(school, school.c.code == submission.c.school)
        .where(submission.c.round == round_name, submission.c.school > cursor)
        .order_by(submission.c.school)
        .limit(limit)
    )
    if esas is not None:
        query = query.where(submission.c.esa.in_(esas))
    if state:
        query = query.where(submission.c.state == state)
    return tx.execute(query).all()


def summary(tx: Transaction, round_name: str, esas: Sequence[str] | None) -> dict[str, Any]:
    """Schools and pupils of the round by state."""
    query = sa.select(
        submission.c.state,
        sa.func.count().label("schools"),
        sa.func.sum(submission.c.pupils).label("pupils"),
    )
    query = query.where(submission.c.round == round_name).group_by(submission.c.state)
    if esas is not None:
        query = query.where(submission.c.esa.in_(esas))
    rows = tx.execute(query).all()
    return {
        "schools": sum(row.schools for row in rows),
        "pupils": int(sum(row.pupils for row in rows)),
        "by_state": {row.state: row.schools for row in rows},
    }
