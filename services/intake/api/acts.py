"""The acts of the round over HTTP: confirm, undo, certify, acknowledge, cancel. Each gives a signed receipt; the same
act by the same person on the same version answers with the receipt it already has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.contracts.access import AREA, CLERK, DIRECTOR, HQ
from services.contracts.signed import sign
from services.contracts.statements import Receipt, Screening, Signer
from services.intake import schemas
from services.intake.api.desk import Desk, open_desk
from services.intake.rules import acts
from services.intake.rules.states import ACKNOWLEDGED, CERTIFIED, CONFIRMED, UNSIGNED
from services.intake.tables import submissions
from services.kit.database import Transaction
from services.kit.http import body, if_match, runtime, transaction

blueprint = Blueprint("acts", __name__)
_SCHOOL = "/api/v1/rounds/<round_name>/schools/<school>"


@blueprint.post(f"{_SCHOOL}/confirmation")
def confirm(round_name: str, school: str) -> ResponseReturnValue:
    body(schemas.Nothing())
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        done = _done_before(tx, desk, "confirm", CONFIRMED)
        if done is None:
            windows = desk.windows("confirm")
            state = acts.confirm(desk.actor, desk.submission, desk.round.state, windows, if_match())
            done = _perform(tx, desk, "confirm", CLERK, state, confirmed_by=desk.who.subject)
        return jsonify(done)


@blueprint.delete(f"{_SCHOOL}/confirmation")
def undo(round_name: str, school: str) -> ResponseReturnValue:
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        last = _last(tx, desk, "undo", UNSIGNED)
        if last is not None and last.sha256 == desk.row.sha256:
            return jsonify(_answer(last.receipt, desk.row._asdict()))
        state = acts.undo(desk.actor, desk.submission, desk.round.state, desk.windows("confirm"))
        return jsonify(_perform(tx, desk, "undo", CLERK, state, confirmed_by=""))


@blueprint.post(f"{_SCHOOL}/certification")
def certify(round_name: str, school: str) -> ResponseReturnValue:
    statement = str(body(schemas.Certification())["statement"])
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        done = _done_before(tx, desk, "certify", CERTIFIED)
        if done is None:
            windows = desk.windows("certify")
            state = acts.certify(desk.actor, desk.submission, desk.round.state, windows, if_match())
            done = _perform(tx, desk, "certify", DIRECTOR, state, text=statement)
        return jsonify(done)


@blueprint.post(f"{_SCHOOL}/acknowledgement")
def acknowledge(round_name: str, school: str) -> ResponseReturnValue:
    body(schemas.Nothing())
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        done = _done_before(tx, desk, "acknowledge", ACKNOWLEDGED)
        if done is None:
            windows = desk.windows("acknowledge")
            state = acts.acknowledge(desk.actor, desk.submission, desk.round.state, windows, if_match())
            done = _perform(tx, desk, "acknowledge", AREA, state)
        return jsonify(done)


@blueprint.post(f"{_SCHOOL}/cancellation")
def cancel(round_name: str, school: str) -> ResponseReturnValue:
    given: dict[str, Any] = body(schemas.Cancellation())
    with transaction() as tx:
        desk = open_desk(tx, round_name, school, lock=True)
        lock = bool(given["lock"])
        role = HQ if desk.actor.is_a(HQ) else AREA
        locked = lock if role == HQ else desk.row.locked
        last = _last(tx, desk, "cancel", UNSIGNED)
        again = (given["reason"], desk.row.sha256, desk.row.locked)
        if last is not None and (last.reason, last.sha256, locked) == again:
            return jsonify(_answer(last.receipt, desk.row._asdict()))
        windows = desk.windows("acknowledge", "follow-up")
        state = acts.cancel(desk.actor, desk.submission, desk.round.state, windows, lock=lock)
        done = _perform(tx, desk, "cancel", role, state, text=given["reason"], confirmed_by="", locked=locked)
        return jsonify(done)


@blueprint.get(f"{_SCHOOL}/receipts")
def receipts(round_name: str, school: str) -> ResponseReturnValue:
    """Every receipt of the submission, oldest first; `tabian verify` checks one offline."""
    with transaction() as tx:
        open_desk(tx, round_name, school)
        done = submissions.acts(tx, round_name, school)
    return jsonify(receipts=[row.receipt for row in done])


def _done_before(tx: Transaction, desk: Desk, act: str, state: str) -> dict[str, Any] | None:
    """The answer already given, if this very act is the submission's last and is sent again."""
    last = _last(tx, desk, act, (state,))
    return (
        _answer(last.receipt, desk.row._asdict()) if last is not None and last.sha256 == if_match() else None
    )


def _last(tx: Transaction, desk: Desk, act: str, states: tuple[str, ...]) -> sa.Row[Any] | None:
    """The submission's last act, if it is such a one by this person and left it in the state in which it still is."""
    done = submissions.acts(tx, desk.round.name, desk.row.school) if desk.row.state in states else ()
    last = done[-1] if done else None
    return last if last is not None and (last.act, last.subject) == (act, desk.who.subject) else None


def _perform(
    tx: Transaction, desk: Desk, act: str, role: str, state: str, *, text: str = "", **values: Any
) -> dict[str, Any]:
    """Move the submission, keep the act with its receipt, tell the others; all in this transaction."""
    after = submissions.change(tx, desk.row, act, state=state, **values)
    receipt = _receipt(desk, act, role, after["revision"], text)
    done = {"act": act, "subject": desk.who.subject, "by": desk.who.name, "role": role, "reason": text}
    submissions.record_act(tx, after, desk.actor.at, done, receipt)
    return _answer(receipt, after)


def _receipt(desk: Desk, act: str, role: str, revision: int, text: str) -> dict[str, Any]:
    """The signed statement of who did what to which version and when it arrived (services/contracts/statements.py)."""
    screening = desk.row.screening
    receipt = Receipt(
        act=act,
        round=desk.round.name,
        school=desk.row.school,
        sha256=desk.row.sha256 or "",
        pupils=desk.row.pupils,
        who=Signer(subject=desk.who.subject, name=desk.who.name, role=role),
        arrived=desk.actor.at.isoformat(),
        statement=text,
        screening=Screening(**screening) if screening else None,
        revision=revision,
        issued=runtime().clock.now().isoformat(),
    )
    key, kid = runtime().keys.receipt
    return sign(receipt.payload(), key, kid)


def _answer(receipt: dict[str, Any], submission: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: submission[name] for name in ("state", "revision", "sha256", "pupils")}
    return {"receipt": receipt, "submission": shown}
