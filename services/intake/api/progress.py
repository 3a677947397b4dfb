"""How far the round is: the list of schools for those who oversee them, and one school's submission with what blocks it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from services.contracts.access import esas_seen
from services.intake.api.describe import describe_school
from services.intake.api.desk import open_desk
from services.intake.rules.states import STATES
from services.intake.tables import rounds, submissions
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found
from services.kit.http import transaction

blueprint = Blueprint("progress", __name__)
PAGE = 500


@blueprint.get("/api/v1/rounds/<round_name>/schools")
def list_schools(round_name: str) -> ResponseReturnValue:
    """Schools in order of code; `cursor` is the last code of the page before."""
    state = request.args.get("state", "")
    if state and state not in STATES:
        raise Problem(400, "unknown-state", f"ไม่มีสถานะ {state[:20]}", f"The states are {', '.join(STATES)}")
    cursor = request.args.get("cursor", "")
    if cursor and not cursor.isdigit():
        raise Problem(
            422, "bad-cursor", "cursor ต้องเป็นค่า next ของหน้าก่อน", "The cursor is the `next` of the page before"
        )
    limit = min(request.args.get("limit", PAGE, type=int), PAGE)
    with transaction() as tx:
        esas = _esas(tx, round_name)
        rows = submissions.page(tx, round_name, esas, state, cursor, max(limit, 1))
        totals = submissions.summary(tx, round_name, esas)
    return jsonify(
        schools=[_line(row) for row in rows],
        next=rows[-1].school if len(rows) == limit else None,
        summary=totals,
    )


def _esas(tx: Transaction, round_name: str) -> tuple[str, ...] | None:
    """The areas asked for that this officer may see; 404 for people of schools and for other areas."""
    seen, wanted = esas_seen(principal().grants), request.args.get("esa", "")
    unknown = bool(wanted) and not wanted.isdigit()
    if seen == () or unknown or rounds.find_round(tx, round_name) is None:
        raise not_found()
    if not wanted:
        return seen
    if seen is not None and wanted not in seen:
        raise not_found()
    return (wanted,)


def _line(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "school": row.school,
        "name": row.name,
        "esa": row.esa,
        "state": row.state,
        "pupils": row.pupils,
        "errors": row.errors,
        "unexplained": row.unexplained,
        "cases_open": row.cases_open,
        "revision": row.revision,
        "sha256": row.sha256,
        "locked": row.locked,
    }


@blueprint.get("/api/v1/rounds/<round_name>/schools/<school>")
def get_school(round_name: str, school: str) -> ResponseReturnValue:
    """One school's submission: its state, what blocks it, and what this person may do now."""
    with transaction() as tx:
        desk = open_desk(tx, round_name, school)
        return jsonify(describe_school(tx, desk))
