"""One pupil of a school's own roll: reading, editing (which is an upload like any other), removing, and explaining
why a warning is right. Addressed by a keyed HMAC, never by the national ID."""

from __future__ import annotations

from typing import Any

import polars as pl
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.dialects.postgresql import insert

from services.contracts.roster import canonical
from services.contracts.roster.fields import COLUMNS
from services.intake import schemas
from services.intake.api.desk import Desk, open_desk
from services.intake.api.rosters import receive
from services.intake.rules.acts import may_build_on, may_explain
from services.intake.rules.identified import identity_keys, pupil_keys
from services.intake.tables import documents, explanation, submissions, unsettled, uploads
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found
from services.kit.http import body, if_match, runtime, transaction

blueprint = Blueprint("pupils", __name__)
_PUPIL = "/api/v1/rounds/<round_name>/schools/<school>/roster/students/<key>"


@blueprint.get(_PUPIL)
def get_pupil(round_name: str, school: str, key: str) -> ResponseReturnValue:
    """One pupil of the current roll: every field, and the line in the document."""
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, pupils=True)
        frame, line = _find(tx, desk, key)
    values = frame.select(COLUMNS).row(line - 1, named=True)
    return jsonify(key=key, line=line, values=values, sha256=desk.row.sha256)


@blueprint.patch(_PUPIL)
def patch_pupil(round_name: str, school: str, key: str) -> ResponseReturnValue:
    """Change fields of one pupil. The whole roster is checked anew: the answer is that of an upload."""
    values = {name: str(value) for name, value in body(schemas.PupilEdit()).items()}
    if not values:
        raise Problem(422, "nothing-changed", "ไม่ได้ระบุข้อมูลที่จะแก้", "Name at least one field to change")
    with transaction() as tx:
        desk, frame, line = _for_edit(tx, round_name, school, key)
        return _again(tx, desk, canonical.with_values(frame, line, values))


@blueprint.delete(_PUPIL)
def delete_pupil(round_name: str, school: str, key: str) -> ResponseReturnValue:
    """Take one pupil off the roll. The answer is that of an upload."""
    with transaction() as tx:
        desk, frame, line = _for_edit(tx, round_name, school, key)
        return _again(tx, desk, canonical.without_line(frame, line))


def _for_edit(tx: Transaction, round_name: str, school: str, key: str) -> tuple[Desk, pl.DataFrame, int]:
    desk = open_desk(tx, round_name, school, lock=True, pupils=True)
    if desk.row.sha256 != if_match():
        raise Problem(
            412,
            "stale-version",
            "ข้อมูลเปลี่ยนไปจากรุ่นที่ท่านเห็น โปรดเปิดหน้าใหม่และตรวจสอบอีกครั้ง",
            "The roster is no longer the version you saw; reload and check again",
            current=desk.row.sha256,
        )
    return desk, *_find(tx, desk, key)


def _again(tx: Transaction, desk: Desk, frame: pl.DataFrame) -> ResponseReturnValue:
    """Send the edited roll in, unless an upload is under way: it would be replaced unseen by this one, which does not
    know it. The same edit sent twice is one upload."""
    content = canonical.encode(frame)
    same = uploads.same_content(tx, desk.round.name, desk.row.school, canonical.digest(content))
    if same is None or same.id != desk.submission.upload_waiting:
        may_build_on(desk.submission)
    return receive(tx, desk, content, canonical.MEDIA_TYPE, "")


def _find(tx: Transaction, desk: Desk, key: str) -> tuple[pl.DataFrame, int]:
    """(the current roll, the pupil's line in it, 1-based). Raises Problem 404."""
    if desk.row.sha256 is None:
        raise not_found()
    frame = documents.read_frame(tx, desk.row.sha256)
    secret = runtime().keys.identity
    keys = pupil_keys(frame, identity_keys(frame, secret), secret)
    if key not in keys:
        raise not_found()
    return frame, keys.index(key) + 1


@blueprint.post("/api/v1/rounds/<round_name>/schools/<school>/explanations")
def explain(round_name: str, school: str) -> ResponseReturnValue:
    """Say in a sentence why a warning is right as it stands; it holds for later versions too."""
    given: dict[str, Any] = body(schemas.Explanation())
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True, pupils=True)
        _check_explainable(tx, desk, given)
        values = given | {
            "round": round_name,
            "school": school,
            "by": desk.who.subject,
            "at": desk.actor.at,
        }
        statement = insert(explanation).values(values)
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["round", "school", "rule", "key"],
                set_={name: statement.excluded[name] for name in ("sentence", "by", "at")},
            )
        )
        submissions.refresh(tx, round_name, [school], "explain")
        row = submissions.find(tx, round_name, school)
        assert row is not None, "a submission that was just refreshed"
    return jsonify(state=row.state, unexplained=row.unexplained)


def _check_explainable(tx: Transaction, desk: Desk, given: dict[str, Any]) -> None:
    may_explain(desk.actor, desk.submission, desk.round.state)
    wanted = (given["rule"], given["key"])
    warnings = (f for f in unsettled.current_findings(tx, desk.row) if f["severity"] == "warning")
    if wanted not in {(f["rule"], f["key"]) for f in warnings}:
        raise Problem(
            404, "no-such-warning", "ไม่มีข้อควรตรวจสอบนี้ในข้อมูลปัจจุบัน", "The current roster has no such warning"
        )
