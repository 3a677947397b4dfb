"""The HTTP API of packages: ask for one, see how far it is, fetch its files. Headquarters only; others find nothing."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, send_file, url_for
from flask.typing import ResponseReturnValue

from services.contracts.access import HQ, holds
from services.contracts.refusal import Refusal
from services.export import tables
from services.export.files import Store
from services.export.schemas import NothingSchema
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import not_found
from services.kit.http import body, runtime, transaction

packages = Blueprint("packages", __name__)
ROUND = "/api/v1/rounds/<round_name>/exports"
ONE = "/api/v1/exports/<uuid:export_id>"
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def blueprints() -> tuple[Blueprint, ...]:
    return (packages,)


@packages.get(ROUND)
def list_(round_name: str) -> ResponseReturnValue:
    """The packages of a round."""
    with transaction() as tx:
        _round(tx, round_name)
        return jsonify(exports=[_shape(row) for row in tables.list_exports(tx, round_name)])


@packages.post(ROUND)
def ask(round_name: str) -> ResponseReturnValue:
    """The round's package is built in the background; asked again, the same one answers."""
    body(NothingSchema())
    with transaction() as tx:
        found = _round(tx, round_name)
        if found.seal is None or found.plan is None:
            raise Refusal(
                409,
                "round-not-sealed",
                "รอบนี้ยังไม่ปิดและผนึก จึงยังสร้างชุดข้อมูลส่งมอบไม่ได้",
                "This round is not sealed yet; a package is made of a sealed round only",
            )
        row = tables.request_export(
            tx,
            id=str(uuid.uuid4()),
            round=round_name,
            requested_by=principal().subject,
            requested_at=tx.now(),
            schools_total=found.seal["payload"]["schools"],
        )
    answer = jsonify(_shape(row))
    answer.headers["Location"] = url_for("packages.show", export_id=row.id)
    return answer, 202


@packages.get(ONE)
def show(export_id: uuid.UUID) -> ResponseReturnValue:
    """How far a package is, and its files."""
    with transaction() as tx:
        return jsonify(_shape(_export(tx, export_id)))


@packages.get(f"{ONE}/files/<name>")
def file(export_id: uuid.UUID, name: str) -> ResponseReturnValue:
    """One file of a finished package; that it was fetched, and by whom, is kept."""
    with transaction() as tx:
        row = _export(tx, export_id)
        facts = next((one for one in row.files if one["name"] == name), None)
        if facts is None:
            raise not_found()
        tables.add_reading(tx, row.id, facts["name"], principal().subject, tx.now())
    return _send(row.id, facts)


def _send(export_id: str, facts: dict[str, Any]) -> Response:
    path = Store(runtime().settings.data).folder(export_id).resolve() / facts["name"]
    answer = send_file(
        path, mimetype=TYPES[path.suffix[1:]], as_attachment=True, etag=facts["sha256"], conditional=True
    )
    digest = base64.b64encode(bytes.fromhex(facts["sha256"])).decode()
    answer.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    if answer.status_code == 200:
        answer.headers["Content-Digest"] = f"sha-256=:{digest}:"
    return answer


def _only_headquarters() -> None:
    if not holds(principal().grants, HQ):
        raise not_found()


def _round(tx: Transaction, name: str) -> sa.Row[Any]:
    _only_headquarters()
    found = tables.find_round(tx, name) if name.isascii() and name.isprintable() else None
    if found is None:
        raise not_found()
    return found


def _export(tx: Transaction, export_id: uuid.UUID) -> sa.Row[Any]:
    _only_headquarters()
    found = tables.find_export(tx, str(export_id))
    if found is None:
        raise not_found()
    return found


def _shape(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "export": row.id,
        "round": row.round,
        "state": row.state,
        "rows": row.rows,
        "progress": {"schools": row.schools_done, "total": row.schools_total},
        "files": row.files,
        "error": row.error,
        "requested_by": row.requested_by,
        "requested_at": row.requested_at.isoformat(),
        "built_at": row.built_at.isoformat() if row.built_at else None,
    }
