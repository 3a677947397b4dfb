"""How far the buildings round is: schools by state, and counts by type, for an area, headquarters, or a school's own."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from services.buildings import tables
from services.buildings.rules import DEMOLISHED, STATES
from services.buildings.site import CODE, find_plan
from services.contracts.access import CLERK, DIRECTOR, esas_seen
from services.contracts.refusal import Refusal
from services.contracts.roster.codes import table
from services.kit.auth import Principal, principal
from services.kit.errors import not_found
from services.kit.http import transaction

overview = Blueprint("overview", __name__)
PAGE, MOST = 50, 500


@overview.get("/api/v1/bobec/<round_name>/schools")
def schools(round_name: str) -> ResponseReturnValue:
    """Schools and the state of their inventory, in pages."""
    where, state, limit = _scope(principal()), _state(), _limit()
    with transaction() as tx:
        find_plan(tx, round_name)
        page = tables.progress(tx, round_name, where, state=state, after=_cursor(), limit=limit + 1)
        totals = tables.summary(tx, round_name, where)
    return jsonify(
        schools=[_line(row) for row in page[:limit]],
        next=page[limit - 1].code if len(page) > limit else None,
        summary={
            "schools": sum(row.schools for row in totals),
            "buildings": sum(int(row.standing) for row in totals),
            "by_state": {row.state: row.schools for row in totals},
        },
    )


@overview.get("/api/v1/bobec/<round_name>/summary")
def types(round_name: str) -> ResponseReturnValue:
    """Buildings by type and condition; what is demolished is not counted."""
    where = _scope(principal())
    with transaction() as tx:
        find_plan(tx, round_name)
        rows = tables.by_type(tx, round_name, where, DEMOLISHED)
    labels = {value.code: value.label for value in table("building_type").values}
    return jsonify(
        types=[
            {
                "type": row.type,
                "type_th": labels.get(row.type, ""),
                "condition": row.condition,
                "buildings": row.buildings,
                "rooms": int(row.rooms),
            }
            for row in rows
        ]
    )


def _scope(who: Principal) -> Sequence[sa.ColumnElement[bool]]:
    """Which schools are this person's to see; `esa` narrows it. Raises 404 for another's area."""
    areas, asked = esas_seen(who.grants), request.args.get("esa")
    own = [grant.scope for grant in who.grants if grant.role in (CLERK, DIRECTOR)]
    if areas is not None and not areas and not own:
        raise not_found()
    if asked is not None:
        if not CODE.fullmatch(asked) or (areas is not None and asked not in areas):
            raise not_found()
        return [tables.school.c.esa == asked]
    if areas is None:
        return []
    return [sa.or_(tables.school.c.esa.in_(areas), tables.school.c.code.in_(own))]


def _state() -> str | None:
    state = request.args.get("state")
    if state is not None and state not in STATES:
        raise Refusal(
            422,
            "no-such-state",
            f"สถานะต้องเป็น: {', '.join(STATES)}",
            f"The state must be one of: {', '.join(STATES)}",
        )
    return state


def _cursor() -> str:
    given = request.args.get("cursor", "")
    if given and not CODE.fullmatch(given):
        raise Refusal(422, "bad-cursor", "cursor ไม่ถูกต้อง", "The cursor is not one this address gave")
    return given


def _limit() -> int:
    asked = request.args.get("limit", str(PAGE))
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= MOST:
        raise Refusal(
            422, "bad-limit", f"limit ต้องเป็น 1 ถึง {MOST}", f"limit must be a whole number from 1 to {MOST}"
        )
    return int(asked)


def _line(row: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    return {
        "school": row.code,
        "name": row.name,
        "esa": row.esa,
        "state": row.state,
        "buildings": row.standing,
        "revision": row.revision,
        "sha256": row.sha256,
    }
