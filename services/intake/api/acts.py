"""The acts of the round over HTTP: confirm, undo, certify, acknowledge, cancel. Each gives a signed receipt; the same
act by the same person on the same version answers with the receipt it already has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.contracts.access import AREA, CLERK, DIRECTOR, HQ
from services.intake import schemas
from services.intake.api.acting import Asked, Move, carry_out
from services.intake.api.desk import Desk, open_desk
from services.intake.rules import acts
from services.intake.rules.states import ACKNOWLEDGED, CERTIFIED, CONFIRMED, UNSIGNED
from services.intake.tables import submissions
from services.kit.http import body, if_match, transaction

blueprint = Blueprint("acts", __name__)
_SCHOOL = "/api/v1/rounds/<round_name>/schools/<school>"


@blueprint.post(f"{_SCHOOL}/confirmation")
def confirm(round_name: str, school: str) -> ResponseReturnValue:
    """The clerk confirms every item of the version named."""
    body(schemas.Nothing())
    version = if_match()

    def decide(desk: Desk) -> Move:
        windows = desk.windows("confirm")
        state = acts.confirm(desk.actor, desk.submission, desk.round.state, windows, version)
        return Move(CLERK, state, changes={"confirmed_by": desk.who.subject})

    asked = Asked("confirm", round_name, school, (CONFIRMED,), _same_version(version), decide)
    return jsonify(carry_out(asked))


@blueprint.delete(f"{_SCHOOL}/confirmation")
def undo(round_name: str, school: str) -> ResponseReturnValue:
    """The clerk takes the confirmation back, before the director certified."""

    def again(desk: Desk, last: sa.Row[Any]) -> bool:
        return bool(last.sha256 == desk.row.sha256)

    def decide(desk: Desk) -> Move:
        state = acts.undo(desk.actor, desk.submission, desk.round.state, desk.windows("confirm"))
        return Move(CLERK, state, changes={"confirmed_by": ""})

    return jsonify(carry_out(Asked("undo", round_name, school, UNSIGNED, again, decide)))


@blueprint.post(f"{_SCHOOL}/certification")
def certify(round_name: str, school: str) -> ResponseReturnValue:
    """The director, another person than the clerk and just signed in, certifies that the pupils exist."""
    statement, version = str(body(schemas.Certification())["statement"]), if_match()

    def decide(desk: Desk) -> Move:
        windows = desk.windows("certify")
        state = acts.certify(desk.actor, desk.submission, desk.round.state, windows, version)
        return Move(DIRECTOR, state, statement)

    asked = Asked("certify", round_name, school, (CERTIFIED,), _same_version(version), decide)
    return jsonify(carry_out(asked))


@blueprint.post(f"{_SCHOOL}/acknowledgement")
def acknowledge(round_name: str, school: str) -> ResponseReturnValue:
    """The area takes note of a certified report, on its day."""
    body(schemas.Nothing())
    version = if_match()

    def decide(desk: Desk) -> Move:
        windows = desk.windows("acknowledge")
        return Move(AREA, acts.acknowledge(desk.actor, desk.submission, desk.round.state, windows, version))

    asked = Asked("acknowledge", round_name, school, (ACKNOWLEDGED,), _same_version(version), decide)
    return jsonify(carry_out(asked))


@blueprint.post(f"{_SCHOOL}/cancellation")
def cancel(round_name: str, school: str) -> ResponseReturnValue:
    """The area in its days, or headquarters at any time, cancels what was signed, with a reason."""
    given: dict[str, Any] = body(schemas.Cancellation())
    lock, reason = bool(given["lock"]), str(given["reason"])

    def locked(desk: Desk) -> bool:
        return lock if desk.actor.is_a(HQ) else bool(desk.row.locked)

    def again(desk: Desk, last: sa.Row[Any]) -> bool:
        return (last.reason, last.sha256, locked(desk)) == (reason, desk.row.sha256, desk.row.locked)

    def decide(desk: Desk) -> Move:
        windows = desk.windows("acknowledge", "follow-up")
        state = acts.cancel(desk.actor, desk.submission, desk.round.state, windows, lock=lock)
        role = HQ if desk.actor.is_a(HQ) else AREA
        return Move(role, state, reason, {"confirmed_by": "", "locked": locked(desk)})

    return jsonify(carry_out(Asked("cancel", round_name, school, UNSIGNED, again, decide)))


@blueprint.get(f"{_SCHOOL}/receipts")
def receipts(round_name: str, school: str) -> ResponseReturnValue:
    """Every receipt of the submission, oldest first; `tabian verify` checks one offline."""
    with transaction() as tx:
        open_desk(tx, round_name, school)
        done = submissions.acts(tx, round_name, school)
    return jsonify(receipts=[row.receipt for row in done])


def _same_version(version: str) -> Callable[[Desk, sa.Row[Any]], bool]:
    return lambda _, last: bool(last.sha256 == version)
