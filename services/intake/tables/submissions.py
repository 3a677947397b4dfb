"""Queries on the submissions: reading them for the guards, keeping them true to their findings and cases, moving them on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.contracts.intake import SubmissionChanged
from services.intake.rules.states import COUNTED, SEALED, SIGNED, Submission, readiness
from services.intake.tables import act, school, submission, unsettled, upload
from services.intake.tables.register import next_revision
from services.kit.database import Transaction
from services.kit.sql import is_one_of

WAITING = ("received", "checking")


def find(tx: Transaction, round_name: str, code: str, *, lock: bool = False) -> sa.Row[Any] | None:
    """The submission's row; `lock`: held until the transaction ends, so that uploads and acts exclude each other."""
    query = sa.select(submission).where(submission.c.round == round_name, submission.c.school == code)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def hold(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, sa.Row[Any]]:
    """The submissions by school, locked in order of school."""
    s = submission.c
    query = sa.select(submission).where(s.round == round_name, is_one_of(s.school, codes)).order_by(s.school)
    return {row.school: row for row in tx.execute(query.with_for_update())}


def seen(values: Mapping[str, Any], upload_waiting: str | None = None) -> Submission:
    """The submission with these values as the guards see it."""
    names = ("state", "sha256", "pupils", "locked", "confirmed_by", "errors", "unexplained", "cases_open")
    return Submission(**{name: values[name] for name in names}, upload_waiting=upload_waiting)


def for_rules(tx: Transaction, row: sa.Row[Any]) -> Submission:
    return seen(row._asdict(), waiting_upload(tx, row.round, row.school))


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
    values["revision"] = next_revision(row.revision)
    tx.execute(
        sa.update(submission)
        .where(submission.c.round == row.round, submission.c.school == row.school)
        .values(**values)
    )
    tell(tx, row._asdict() | values, act_name)
    return int(values["revision"])


_SHOWN = sa.update(submission).where(
    submission.c.round == sa.bindparam("of_round"), submission.c.school == sa.bindparam("of_school")
)


def show(tx: Transaction, round_name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write the values of many submissions. Each: school, and the same columns."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "school"]
    statement = _SHOWN.values({name: sa.bindparam(name) for name in names})
    tx.execute(statement, [{"of_round": round_name, "of_school": row["school"], **row} for row in rows])


def tell(tx: Transaction, values: Mapping[str, Any], act_name: str) -> None:
    """Tell the others how the submission stands."""
    told = {
        name: values[name] for name in ("round", "school", "esa", "revision", "state", "sha256", "pupils")
    }
    tx.publish(SubmissionChanged(**told, act=act_name, at=tx.now().isoformat()), subject=values["school"])


def refresh(tx: Transaction, round_name: str, codes: Collection[str], cause: str) -> None:
    """Recount what these schools have left; draft and ready follow what was found, signed states stay."""
    rows = hold(tx, round_name, codes)
    left = unsettled.left(tx, round_name, rows.values())
    after = {code: _refreshed(row, left[code]) for code, row in rows.items()}
    show(tx, round_name, [{"school": code, **values} for code, values in after.items()])
    for code, row in rows.items():
        if after[code]["revision"] != row.revision:
            tell(tx, row._asdict() | after[code], cause)


def _refreshed(row: sa.Row[Any], left: dict[str, int]) -> dict[str, Any]:
    state = row.state if row.state in SIGNED else readiness(seen(row._asdict() | left))
    revision = row.revision if state == row.state else next_revision(row.revision)
    return {**left, "state": state, "revision": revision}


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
