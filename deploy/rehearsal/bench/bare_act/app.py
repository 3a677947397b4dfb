"""The bare act's Flask application: POST and DELETE of a confirmation. The edge has verified the token; what it claims is read
without more ado.

The environment is intake's (TABIAN_DATABASE_URL_FILE, TABIAN_THREADS), only the database is another on the same server.
"""

from __future__ import annotations

import base64
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import flask
import psycopg
from sqlalchemy.pool import QueuePool

from deploy.rehearsal.bench.bare_act.table import CONFIRMED, DATABASE, READY
from deploy.rehearsal.bench.database import beside
from services.contracts.access import CLERK

_UNDO = """
    UPDATE submission SET state = %s, who = %s, at = now(), number = number + 1
     WHERE round = %s AND school = %s RETURNING number
"""
_CONFIRM = _UNDO.replace(" RETURNING", " AND sha256 = %s RETURNING")
acts = flask.Blueprint("acts", __name__)


def application() -> flask.Flask:
    """What gunicorn runs."""
    url = beside(Path(os.environ["TABIAN_DATABASE_URL_FILE"]).read_text(encoding="utf-8").strip(), DATABASE)

    def connect() -> psycopg.Connection:
        # an UPDATE alone is a transaction: its commit is the server's, in the same round trip
        return psycopg.connect(url, autocommit=True, prepare_threshold=0)

    app = flask.Flask(__name__, static_folder=None)
    threads = int(os.environ["TABIAN_THREADS"])
    app.config["pool"] = QueuePool(connect, pool_size=threads, max_overflow=0, reset_on_return=None)
    app.register_blueprint(acts)
    return app


@acts.get("/readyz")
def ready() -> dict[str, Any]:
    """Whether this process answers."""
    return {}


@acts.route("/api/v1/rounds/<round_name>/schools/<school>/confirmation", methods=["POST", "DELETE"])
def act(round_name: str, school: str) -> tuple[dict[str, Any], int]:
    """Confirm the version of If-Match, or take it back: 409 of another version. The same again is done again, and answered well
    as Tabian answers it."""
    request = flask.request
    claims = _claims(request.headers["Authorization"])
    if [CLERK, school] not in claims["grants"]:
        return {"error": "not yours"}, 403
    if request.method == "POST":
        state, version = CONFIRMED, request.headers.get("If-Match", "").strip('"')
        number = _update(_CONFIRM, state, claims["sub"], round_name, school, version)
    else:
        state = READY
        number = _update(_UNDO, state, claims["sub"], round_name, school)
    if number is None:
        return {"error": "another version"}, 409
    return {"school": school, "state": state, "number": number}, 200


def _claims(header: str) -> dict[str, Any]:
    payload = header.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _update(statement: str, *values: str) -> int | None:
    """The act's number, None where no row fits."""
    pool: QueuePool = flask.current_app.config["pool"]
    with closing(pool.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else None
