"""Carrying acts out: those that come at the same moment together, in one transaction and a few statements.

What somebody else holds, a second act on the same school, and all of a batch that failed, are carried out alone by the
thread that brought them: nobody waits for another school's upload, and nobody's fault is another's. An answer counts only
once its transaction is committed. Not here: what each act asks for (`acts`), and who may (`rules.acts`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from services.contracts.intake import SubmissionState
from services.contracts.refusal import Refusal
from services.contracts.signed import sign
from services.contracts.statements import Receipt, Screening, Signer
from services.intake.api.desk import Desk, Visit, desk_of, visit
from services.intake.metrics import ACTS
from services.intake.tables import rounds, submissions
from services.intake.tables.register import next_revision
from services.kit import tracing
from services.kit.database import Transaction
from services.kit.gathering import Gathering
from services.kit.http import runtime, transaction
from services.kit.logs import under

log = logging.getLogger(__name__)
MOST = 24
"""Acts of one transaction: more would make the first wait for the last."""
_SHOWN = ("school", "state", "revision", "confirmed_by", "locked")


@dataclass(frozen=True, slots=True)
class Move:
    """What an act does: in which role, to which state, with which words; `changes`: `confirmed_by`, `locked`."""

    role: str
    state: str
    text: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """An act that somebody asks for. `decide` gives its move or raises a Refusal; `leaves` are the states in which it
    leaves a submission, and `again` says whether it is the submission's last act sent once more. `trace`: what it is carried
    out in (W3C)."""

    name: str
    round: str
    school: str
    leaves: tuple[str, ...]
    again: Callable[[Desk, sa.Row[Any]], bool]
    decide: Callable[[Desk], Move]
    visit: Visit = field(default_factory=visit)
    trace: str = ""
    answer: dict[str, Any] | Refusal | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What an act is to be answered; `done`: it was carried out for this, not before and not refused."""

    asked: Asked
    answer: dict[str, Any] | Refusal
    done: bool = False


def carry_out(asked: Asked) -> dict[str, Any]:
    """Receipt and submission. Raises Refusal."""
    gathering: Gathering[Asked] = runtime().parts.setdefault("acts", Gathering(_together, MOST))
    gathering.take_part(asked)
    if asked.answer is None:
        _alone(asked)
    assert asked.answer is not None
    if isinstance(asked.answer, Refusal):
        raise asked.answer
    return asked.answer


def _together(asked: Sequence[Asked]) -> None:
    """Those on one round, and the first on each school, whose submissions are free."""
    name = asked[0].round
    first = {one.school: one for one in reversed(asked) if one.round == name}
    try:
        with _traced(first.values()), transaction() as tx:
            rounds.enter(tx, name)
            rows = submissions.find_free(tx, name, first)
            answers = _answers(tx, [(first[school], row) for school, row in rows.items()])
    except Exception as problem:
        log.warning(
            "acts are carried out one by one", extra={"error": type(problem).__name__, "acts": len(first)}
        )
        return
    _tell(answers)


def _alone(asked: Asked) -> None:
    with _traced([asked]), transaction() as tx:
        rounds.enter(tx, asked.round)
        row = submissions.find(tx, asked.round, asked.school, lock=True)
        answers = _answers(tx, [(asked, row)])
    _tell(answers)


@contextmanager
def _traced(asked: Collection[Asked]) -> Iterator[None]:
    """Each act in a span of its own, in the trace of its request; its event goes on under it."""
    pieces = [tracing.Piece(f"act {one.name}", one.visit.correlation, one.visit.traceparent) for one in asked]
    with tracing.spans(runtime().service.name, "internal", pieces) as spans:
        for one, span in zip(asked, spans, strict=True):
            one.trace = span.traceparent
        yield


def _tell(answers: Sequence[Answered]) -> None:
    """The transaction is committed."""
    for one in answers:
        one.asked.answer = one.answer
        if one.done:
            ACTS.labels(one.asked.name).inc()


def _answers(tx: Transaction, found: Sequence[tuple[Asked, sa.Row[Any] | None]]) -> list[Answered]:
    """Decide acts on submissions that this transaction holds, all of one round, and write what they did."""
    if not found:
        return []
    name = found[0][0].round
    waiting = submissions.waiting_uploads(tx, name, [asked.school for asked, _ in found])
    answers: list[Answered] = []
    states: list[SubmissionState] = []
    written: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for asked, row in found:
        try:
            desk = desk_of(asked.visit, row, waiting.get(asked.school))
            answer = _before(tx, asked, desk)
            if answer is not None:
                answers.append(Answered(asked, answer))
                continue
            after, act = _performed(asked, desk, asked.decide(desk))
        except Refusal as refusal:
            answers.append(Answered(asked, refusal))
            continue
        with under(asked.visit.correlation, asked.trace):
            states.append(submissions.state_of(tx, after, asked.name))
        written.append((after, act))
        answers.append(Answered(asked, _answer(act["receipt"], after), done=True))
    submissions.show(tx, name, [{name: after[name] for name in _SHOWN} for after, _ in written])
    submissions.record_acts(tx, [act for _, act in written])
    submissions.tell(tx, name, states)
    return answers


def _before(tx: Transaction, asked: Asked, desk: Desk) -> dict[str, Any] | None:
    """The answer already given, if this very act is the submission's last and is sent again by the same person."""
    last = submissions.last_act(tx, asked.round, asked.school) if desk.row.state in asked.leaves else None
    if (
        last is None
        or (last.act, last.subject) != (asked.name, desk.who.subject)
        or not asked.again(desk, last)
    ):
        return None
    return _answer(last.receipt, desk.row._asdict())


def _performed(asked: Asked, desk: Desk, move: Move) -> tuple[dict[str, Any], dict[str, Any]]:
    """The submission as the act leaves it, and the act's own row with its receipt."""
    revision = next_revision(desk.row.revision)
    after = desk.row._asdict() | dict(move.changes) | {"state": move.state, "revision": revision}
    done = {"act": asked.name, "subject": desk.who.subject, "by": desk.who.name, "role": move.role}
    named = {name: after[name] for name in ("round", "school", "revision", "sha256", "pupils")}
    receipt = _receipt(asked, desk, move, revision)
    return after, {**named, **done, "at": desk.actor.at, "reason": move.text, "receipt": receipt}


def _receipt(asked: Asked, desk: Desk, move: Move, revision: int) -> dict[str, Any]:
    """The signed statement of who did what to which version and when it arrived (services/contracts/statements.py)."""
    screening = desk.row.screening
    receipt = Receipt(
        act=asked.name,
        round=desk.round.name,
        school=desk.row.school,
        sha256=desk.row.sha256 or "",
        pupils=desk.row.pupils,
        who=Signer(subject=desk.who.subject, name=desk.who.name, role=move.role),
        arrived=desk.actor.at.isoformat(),
        statement=move.text,
        screening=Screening(**screening) if screening else None,
        revision=revision,
        issued=runtime().clock.now().isoformat(),
    )
    key, kid = runtime().keys.receipt
    return sign(receipt.payload(), key, kid)


def _answer(receipt: dict[str, Any], submission: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: submission[name] for name in ("state", "revision", "sha256", "pupils")}
    return {"receipt": receipt, "submission": shown}
