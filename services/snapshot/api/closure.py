"""Closing a round: headquarters announces it, follows it, and may give it up until the round is sealed."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.contracts.access import HQ, OPS, holds
from services.contracts.snapshot import ClosingAborted, ClosingAnnounced
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import not_found
from services.kit.http import body, transaction
from services.snapshot import schemas
from services.snapshot.api.desk import only_hq, open_round
from services.snapshot.rules.awaiting import Awaited, awaited
from services.snapshot.rules.closing import abort, announce
from services.snapshot.tables import closings, rounds

blueprint = Blueprint("closure", __name__)
URL = "/api/v1/rounds/<round_name>/closure"


@blueprint.post(URL)
def close(round_name: str) -> ResponseReturnValue:
    """Announce the closing. Asked again while it is under way, the same attempt answers."""
    only_hq()
    body(schemas.Nothing())
    with transaction() as tx:
        held = open_round(tx, round_name, lock=True)
        row = closings.latest(tx, round_name)
        current = closings.closing_of(row) if row else None
        under_way = current is not None and current.phase in closings.UNDER_WAY
        closure = current.closure if current and under_way else str(uuid.uuid4())
        made = announce(current, held.plan, closure, tx.now(), held.extensions)
        if made != current:
            closings.add(tx, made, principal().subject)
            revision = rounds.advance_revision(tx, held)
            told = ClosingAnnounced(round=round_name, closure=closure, revision=revision)
            tx.publish(told, subject=round_name)
        return jsonify(_shape(tx, _latest(tx, round_name))), 202


@blueprint.get(URL)
def follow(round_name: str) -> ResponseReturnValue:
    """How far it is, and who is awaited. Headquarters and operators only."""
    if not any(holds(principal().grants, role) for role in (HQ, OPS)):
        raise not_found()
    with transaction() as tx:
        open_round(tx, round_name)
        return jsonify(_shape(tx, _latest(tx, round_name)))


@blueprint.delete(URL)
def give_up(round_name: str) -> ResponseReturnValue:
    """Abort the attempt under way; the schools can go on. Again: the same answer."""
    only_hq()
    with transaction() as tx:
        held = open_round(tx, round_name, lock=True)
        row = _latest(tx, round_name)
        after = abort(closings.closing_of(row))
        if after.phase != row.phase:
            closings.step(tx, row, after)
            revision = rounds.advance_revision(tx, held)
            told = ClosingAborted(round=round_name, closure=row.id, revision=revision)
            tx.publish(told, subject=round_name)
        return jsonify(_shape(tx, _latest(tx, round_name)))


def _latest(tx: Transaction, round_name: str) -> sa.Row[Any]:
    found = closings.latest(tx, round_name)
    if found is None:
        raise not_found()
    return found


def _shape(tx: Transaction, row: sa.Row[Any]) -> dict[str, Any]:
    waiting = awaited(closings.closing_of(row), closings.progress(tx, row))
    if row.refusal and row.phase != "aborted":
        waiting = (Awaited("hq", row.refusal["th"], row.refusal["en"]),)
    return {
        "closure": row.id,
        "round": row.round,
        "state": row.phase,
        "since": row.announced_at.isoformat(),
        "by": row.announced_by,
        "schools": row.schools,
        "manifest_sha256": row.manifest_sha256,
        "awaiting": [{"who": one.service, "th": one.th, "en": one.en} for one in waiting],
        "refusal": row.refusal,
        "steps": row.steps,
    }
