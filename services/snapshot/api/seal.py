"""The seal of a round, and the proof that a school is under it. Both verify offline (`tabian verify`)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.contracts.event import to_plain
from services.contracts.statements import Leaf, Proof
from services.kit.errors import not_found
from services.kit.http import transaction
from services.snapshot.api.desk import is_hq, school_seen, seal_of
from services.snapshot.tables import results

blueprint = Blueprint("seal", __name__)
STEP_BYTES = 32


@blueprint.get("/api/v1/rounds/<round_name>/snapshot")
def get_seal(round_name: str) -> ResponseReturnValue:
    """The signed seal, for everybody signed in; headquarters also sees the packages built from it."""
    with transaction() as tx:
        row = seal_of(tx, round_name)
        shown: dict[str, Any] = {"round": round_name, "closure": row.closure, "seal": row.seal}
        if is_hq():
            shown["packages"] = [dict(one._mapping) for one in results.packages(tx, round_name)]
        return jsonify(shown)


@blueprint.get("/api/v1/rounds/<round_name>/snapshot/proofs/<school>")
def get_proof(round_name: str, school: str) -> ResponseReturnValue:
    """The inclusion proof of one school: for its own people, its area and headquarters."""
    with transaction() as tx:
        seal = seal_of(tx, round_name)
        row = results.find_school(tx, round_name, school) if "\0" not in school else None
        if row is None:
            raise not_found()
        school_seen(tx, school, row.esa)
        return jsonify(_proof(row, seal.seal).payload())


def _proof(row: sa.Row[Any], statement: dict[str, Any]) -> Proof:
    path = bytes(row.path).hex()
    width = 2 * STEP_BYTES
    return Proof(
        round=row.round,
        school=row.school,
        leaf=Leaf(school=row.school, state=row.state, sha256=row.sha256, pupils=row.pupils),
        index=row.position,
        size=statement["payload"]["schools"],
        path=tuple(path[start : start + width] for start in range(0, len(path), width)),
        seal=to_plain(statement),
    )
