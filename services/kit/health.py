"""/healthz: this process answers. /readyz: its database answers and has the migrations this code was built for, or later
ones: while a release goes round, processes of the version before work on.

Not the broker: a service without it still takes work, and the outbox keeps it. A process that is about to be ended is
asked first to say that it is not ready, so that the edge sends it nothing more.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.kit.auth import public
from services.kit.migrations import carries, current_revision, head_revision
from services.kit.service import Runtime


def health_blueprint(runtime: Runtime) -> Blueprint:
    blueprint = Blueprint("health", __name__)
    head = head_revision(runtime.service)
    leaving = runtime.settings.leaving_file

    @blueprint.get("/healthz")
    @public
    def healthz() -> ResponseReturnValue:
        """Whether this process answers."""
        return jsonify(status="ok", service=runtime.service.name)

    @blueprint.get("/readyz")
    @public
    def readyz() -> ResponseReturnValue:
        """Whether it has its database as it needs it, and may be sent requests."""
        if leaving is not None and leaving.exists():
            return jsonify(status="leaving", service=runtime.service.name), 503
        try:
            with runtime.database.transaction() as tx:
                revision = current_revision(tx.connection)
        except sa.exc.SQLAlchemyError:
            return jsonify(status="database-away", service=runtime.service.name), 503
        if not carries(revision, head):
            return jsonify(status="migrations-missing", has=revision, wants=head), 503
        return jsonify(status="ready", service=runtime.service.name)

    return blueprint
