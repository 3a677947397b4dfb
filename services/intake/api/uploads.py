"""What became of an upload: its state, and its findings by row and field with what to do about each."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from services.contracts.access import sees_pupils
from services.contracts.roster.fields import by_key
from services.intake.rules.catalogue import CATALOGUE
from services.intake.tables import unsettled, uploads
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import not_found
from services.kit.http import transaction

blueprint = Blueprint("uploads", __name__)


@blueprint.get("/api/v1/uploads/<upload_id>")
def get_upload(upload_id: str) -> ResponseReturnValue:
    """What became of an upload, for people of its school."""
    with transaction() as tx:
        row = _own_upload(tx, upload_id)
    return jsonify(describe(row))


def describe(row: sa.Row[Any]) -> dict[str, Any]:
    """An upload as the API shows it."""
    return {
        "upload": row.id,
        "school": row.school,
        "round": row.round,
        "state": row.state,
        "filename": row.filename,
        "received_at": row.received_at.isoformat(),
        "arrived_at": row.arrived_at.isoformat(),
        "pupils": row.pupils,
        "counts": row.counts,
        "reason": row.reason,
        "sha256": row.sha256,
    }


@blueprint.get("/api/v1/uploads/<upload_id>/findings")
def get_findings(upload_id: str) -> ResponseReturnValue:
    """The findings as JSON, or as CSV for a spreadsheet where text/csv is preferred."""
    with transaction() as tx:
        row = _own_upload(tx, upload_id)
        found = worded(row.findings, unsettled.explanations(tx, row.round, row.school))
    if request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        return _csv(found)
    return jsonify(findings=found)


def worded(findings: Sequence[dict[str, Any]], explained: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Stored findings with their rule's words. `row` is the row in the clerk's own file."""
    return [
        {
            "rule": f["rule"],
            "severity": f["severity"],
            "row": f["source_row"],
            "line": f["line"],
            "field": f["field"],
            "field_th": by_key(f["field"]).th if f["field"] else "",
            "th": CATALOGUE[f["rule"]].th,
            "en": CATALOGUE[f["rule"]].en,
            "fix_th": CATALOGUE[f["rule"]].fix_th,
            "fix_en": CATALOGUE[f["rule"]].fix_en,
            "key": f["key"],
            "explained": explained.get((f["rule"], f["key"])),
        }
        for f in findings
    ]


def _csv(found: Sequence[dict[str, Any]]) -> Response:
    columns = ("row", "severity", "field_th", "th", "fix_th", "en", "fix_en", "rule", "explained")
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(found)
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv; charset=utf-8")


def _own_upload(tx: Transaction, upload_id: str) -> sa.Row[Any]:
    """The upload, for people of its school; 404 for anybody else."""
    try:
        row = uploads.find(tx, str(uuid.UUID(upload_id)))
    except ValueError:
        row = None
    if row is None or not sees_pupils(principal().grants, row.school):
        raise not_found()
    return row
