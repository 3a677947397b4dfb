"""For export only: the schools of a sealed round as one stream of frames, in order of school code, with the extracts of those whose pupils
count. Other pupils' data stay here.

A frame is one JSON line and then `bytes` bytes of the extract, zstd-compressed. Resumable by `after`. Read in
pages, each in a short transaction of its own: a slow reader holds nothing open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, request

from services.contracts.access import Grant
from services.kit.auth import principal
from services.kit.database import Database
from services.kit.errors import not_found
from services.kit.http import runtime, transaction
from services.snapshot.api.desk import seal_of
from services.snapshot.rules.counts import COUNTED_STATES
from services.snapshot.tables import results

blueprint = Blueprint("extracts", __name__)
SCHOOLS_PER_PAGE = 50
EXPORT = Grant("service", "export")


@blueprint.get("/internal/v1/rounds/<round_name>/extracts")
def stream(round_name: str) -> Response:
    """Every school after the code `after`. Others than the export service find nothing here."""
    after = request.args.get("after", "")
    if EXPORT not in principal().grants or "\0" in after:
        raise not_found()
    with transaction() as tx:
        seal_of(tx, round_name)
    frames = _frames(runtime().database, round_name, after)
    return Response(frames, content_type="application/octet-stream")


def _frames(database: Database, round_name: str, after: str) -> Iterator[bytes]:
    while True:
        with database.transaction() as tx:
            page = results.page_of_extracts(tx, round_name, after, COUNTED_STATES, SCHOOLS_PER_PAGE)
        yield b"".join(map(_frame, page))
        if len(page) < SCHOOLS_PER_PAGE:
            return
        after = page[-1].school


def _frame(row: sa.Row[Any]) -> bytes:
    packed = bytes(row.extract) if row.extract is not None else b""
    header = {
        "school": row.school,
        "esa": row.esa,
        "state": row.state,
        "sha256": row.sha256,
        "pupils": row.pupils,
        "counted": row.state in COUNTED_STATES,
        "not_counted": [{"line": line, "reason": reason} for line, reason in row.lines],
        "bytes": len(packed),
    }
    return json.dumps(header).encode() + b"\n" + packed
