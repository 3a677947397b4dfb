"""A school's roster: the file in, the canonical document out, versions and their differences."""

from __future__ import annotations

import hashlib
import urllib.parse
import uuid
import zlib
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from services.intake.api.desk import Desk, open_desk
from services.intake.rules.acts import may_upload
from services.intake.rules.states import EMPTY
from services.intake.tables import documents, uploads
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found
from services.kit.http import raw_body, transaction
from services.kit.logs import correlation_id, traceparent

blueprint = Blueprint("rosters", __name__)
ROSTER_BYTES = 16 * 1024 * 1024


@blueprint.put("/api/v1/rounds/<round_name>/schools/<school>/roster")
def put_roster(round_name: str, school: str) -> ResponseReturnValue:
    """Take the file as it is, whatever is in it: 202 and where to ask. The same bytes twice are one upload."""
    content = _content()
    named = urllib.parse.unquote(request.headers.get("X-Filename", ""))
    filename = "".join(filter(str.isprintable, named))[:200]
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        return receive(tx, desk, content, request.mimetype, filename)


def receive(
    tx: Transaction, desk: Desk, content: bytes, media_type: str, filename: str
) -> ResponseReturnValue:
    """Keep an upload for the checker; its answer is 202 with its address."""
    may_upload(desk.actor, desk.submission, desk.round.state, desk.windows("update", "confirm"))
    digest = hashlib.sha256(content).hexdigest()
    again = _already(tx, desk, digest)
    if again is not None:
        return _accepted(again.id, again.state)
    upload_id = str(uuid.uuid4())
    uploads.add(
        tx,
        id=upload_id,
        round=desk.round.name,
        school=desk.row.school,
        filename=filename,
        media_type=media_type,
        content=content,
        content_sha256=digest,
        by=desk.who.subject,
        arrived_at=desk.actor.at,
        correlation=correlation_id(),
        traceparent=traceparent(),
    )
    return _accepted(upload_id, "received")


def _already(tx: Transaction, desk: Desk, digest: str) -> Any | None:
    """The upload these bytes already are, if they still stand; bytes of an earlier version need If-Match."""
    earlier = uploads.same_content(tx, desk.round.name, desk.row.school, digest)
    if earlier is None or earlier.state in ("failed", "late", "superseded"):
        return None
    newest = uploads.latest(tx, desk.round.name, desk.row.school)
    if earlier.state == "rejected" or earlier.id == desk.row.upload or (newest and earlier.id == newest.id):
        return earlier
    if desk.row.sha256 in request.if_match.as_set():
        return None
    raise Problem(
        409,
        "earlier-version",
        "ไฟล์นี้เป็นรุ่นเก่าที่เคยส่งแล้ว และมีรุ่นใหม่กว่าแทนที่ หากต้องการกลับไปใช้ ให้ยืนยันการย้อนรุ่น",
        "These bytes are an earlier version that a newer one replaced; to go back to it repeat with If-Match: the current version",
        current=desk.row.sha256,
    )


def _accepted(upload_id: str, state: str) -> ResponseReturnValue:
    location = f"/api/v1/uploads/{upload_id}"
    return jsonify(upload=upload_id, state=state, location=location), 202, {"Location": location}


def _content() -> bytes:
    """The body, inflated if it came gzipped; never more than ROSTER_BYTES either way."""
    data = raw_body(ROSTER_BYTES)
    if request.headers.get("Content-Encoding", "identity") == "identity":
        return data
    if request.headers["Content-Encoding"] != "gzip":
        raise Problem(
            415, "encoding", "รับเฉพาะ Content-Encoding: gzip", "Only Content-Encoding gzip is taken"
        )
    inflater = zlib.decompressobj(wbits=31)
    try:
        inflated = inflater.decompress(data, ROSTER_BYTES + 1)
    except zlib.error as problem:
        raise Problem(400, "not-gzip", "ข้อมูลที่บีบอัดเสียหาย", "The body is not sound gzip") from problem
    if len(inflated) > ROSTER_BYTES:
        raise Problem(413, "too-large", "ข้อมูลที่ส่งใหญ่เกินกำหนด", "The body is larger than this address takes")
    if not inflater.eof:
        raise Problem(400, "not-gzip", "ข้อมูลที่บีบอัดเสียหาย", "The body is not sound gzip")
    return inflated


@blueprint.get("/api/v1/rounds/<round_name>/schools/<school>/roster")
def get_roster(round_name: str, school: str) -> ResponseReturnValue:
    """The canonical CSV whose SHA-256 is the ETag; `?version=<sha256>` for one the school had before."""
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, pupils=True)
        sha256 = request.args.get("version", desk.row.sha256)
        if desk.row.state == EMPTY or not documents.had_version(tx, round_name, school, sha256):
            raise not_found()
        body = documents.read_roster(tx, sha256)
    response = Response(body, mimetype="text/csv; charset=utf-8")
    response.set_etag(sha256)
    response.headers["Content-Disposition"] = f'attachment; filename="{school}-{round_name}-{sha256[:8]}.csv"'
    return response.make_conditional(request)


@blueprint.get("/api/v1/rounds/<round_name>/schools/<school>/versions")
def get_versions(round_name: str, school: str) -> ResponseReturnValue:
    """Every version the school had: sha256, revision, when it arrived."""
    with transaction() as tx:
        open_desk(tx, round_name, school, pupils=True)
        rows = documents.versions(tx, round_name, school)
    return jsonify(
        versions=[{"sha256": r.sha256, "revision": r.revision, "at": r.at.isoformat()} for r in rows]
    )
