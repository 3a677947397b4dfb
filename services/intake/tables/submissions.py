"""Queries on the submissions: reading them for the guards, keeping them true to their findings and cases, moving them on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from services.contracts.intake import SubmissionsChanged, SubmissionState
from services.intake.rules.states import COUNTED, SEALED, SIGNED, Submission, readiness
from services.intake.tables import act, area, round_, rounds, school, submission, unsettled, upload
from services.intake.tables.register import next_revision
from services.kit.database import Transaction
from services.kit.logs import correlation_id, traceparent, under
from services.kit.sql import is_one_of

WAITING = ("received", "checking")
_OF_SCHOOLS = sa.any_(sa.bindparam("of_schools", type_=ARRAY(sa.Text)))

_ALL_OPENED = (
    sa.select(
        submission,
        *rounds.COLUMNS,
        school.c.esa.label("school_esa"),
        school.c.name.label("school_name"),
        school.c.levels.label("school_levels"),
        area.c.name.label("school_esa_name"),
    )
    .join_from(submission, round_)
    .join(school, school.c.code == submission.c.school)
    .join(area, area.c.esa == school.c.esa)
    .where(submission.c.round == sa.bindparam("of_round"))
)
_OPENED = _ALL_OPENED.where(submission.c.school == sa.bindparam("of_school"))
_OPENED_LOCKED = _OPENED.with_for_update(of=submission)
_OPENED_FREE = (
    _ALL_OPENED.where(submission.c.school == _OF_SCHOOLS)
    .order_by(submission.c.school)
    .with_for_update(of=submission, skip_locked=True)
)


def find(tx: Transaction, round_name: str, code: str, *, lock: bool = False) -> sa.Row[Any] | None:
    """The submission's row with its round's columns and its school's (`school_…`); `lock`: held until the transaction
    ends, so that uploads and acts exclude each other."""
    given = {"of_round": round_name, "of_school": code}
    return tx.execute(_OPENED_LOCKED if lock else _OPENED, given).one_or_none()


def find_free(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, sa.Row[Any]]:
    """The same of those of these schools whose submissions nobody else holds, held until the transaction ends."""
    rows = tx.execute(_OPENED_FREE, {"of_round": round_name, "of_schools": list(codes)})
    return {row.school: row for row in rows}


def hold(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, sa.Row[Any]]:
    """The submissions by school, locked in order of school."""
    s = submission.c
    query = sa.select(submission).where(s.round == round_name, is_one_of(s.school, codes)).order_by(s.school)
    return {row.school: row for row in tx.execute(query.with_for_update())}


def seen(values: Mapping[str, Any], upload_waiting: str | None = None) -> Submission:
    """The submission with these values as the guards see it."""
    names = ("state", "sha256", "pupils", "locked", "confirmed_by", "errors", "unexplained", "cases_open")
    return Submission(**{name: values[name] for name in names}, upload_waiting=upload_waiting)


_WAITING = (
    sa.select(upload.c.school, upload.c.id)
    .ext(distinct_on(upload.c.school))
    .where(
        upload.c.round == sa.bindparam("of_round"),
        upload.c.school == _OF_SCHOOLS,
        upload.c.state.in_(WAITING),
    )
    .order_by(upload.c.school, upload.c.number.desc())
)


def waiting_uploads(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, str]:
    """School → id of its newest upload that is still received or checking."""
    given = {"of_round": round_name, "of_schools": list(codes)}
    return {row.school: row.id for row in tx.execute(_WAITING, given)}


@lru_cache(maxsize=32)
def _writing(columns: tuple[str, ...]) -> sa.Update:
    """The statement that writes these columns of a submission; made once, as making it takes longer than running it."""
    this = (submission.c.round == sa.bindparam("of_round"), submission.c.school == sa.bindparam("of_school"))
    return sa.update(submission).where(*this).values({name: sa.bindparam(name) for name in columns})


def show(tx: Transaction, round_name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write the values of many submissions. Each: school, and the same columns."""
    if rows:
        columns = tuple(name for name in rows[0] if name != "school")
        given = [{"of_round": round_name, "of_school": row["school"], **row} for row in rows]
        tx.execute(_writing(columns), given)


def state_of(tx: Transaction, values: Mapping[str, Any], act_name: str) -> SubmissionState:
    """How the submission with these values stands, for `tell`; it goes on under the correlation of the moment."""
    named = {name: values[name] for name in ("school", "esa", "revision", "state", "sha256", "pupils")}
    return SubmissionState(
        **named,
        act=act_name,
        at=tx.now().isoformat(),
        correlation=correlation_id(),
        trace=traceparent(),
    )


def tell(tx: Transaction, round_name: str, states: Sequence[SubmissionState]) -> None:
    """Tell the others how these submissions stand, in one event; its own correlation is that of the first."""
    if not states:
        return
    first, *others = states
    event = SubmissionsChanged(round=round_name, submissions=tuple(states))
    with under(first.correlation, first.trace):
        tx.publish(event, subject=round_name if others else first.school)


def refresh(tx: Transaction, round_name: str, codes: Collection[str], cause: str) -> None:
    """Recount what these schools have left; draft and ready follow what was found, signed states stay."""
    rows = hold(tx, round_name, codes)
    left = unsettled.left(tx, round_name, rows.values())
    after = {code: _refreshed(row, left[code]) for code, row in rows.items()}
    show(tx, round_name, [{"school": code, **values} for code, values in after.items()])
    moved = [row for code, row in rows.items() if after[code]["revision"] != row.revision]
    tell(tx, round_name, [state_of(tx, row._asdict() | after[row.school], cause) for row in moved])


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


_ACT = sa.insert(act)


def record_acts(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Keep acts with their receipts. Each: every column of the table."""
    if rows:
        tx.execute(_ACT, rows)


def last_act(tx: Transaction, round_name: str, school: str) -> sa.Row[Any] | None:
    """The newest act on the submission."""
    return tx.execute(_acts(round_name, school).order_by(act.c.revision.desc()).limit(1)).one_or_none()


def acts(tx: Transaction, round_name: str, school: str) -> Sequence[sa.Row[Any]]:
    """Every act on the submission, oldest first."""
    return tx.execute(_acts(round_name, school).order_by(act.c.revision)).all()


def _acts(round_name: str, school: str) -> sa.Select[Any]:
    return sa.select(act).where(act.c.round == round_name, act.c.school == school)


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
