"""One school's submission as the API shows it. Pupils appear only to people of the school itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from services.contracts.refusal import Refusal
from services.intake.api import uploads as upload_views
from services.intake.api.desk import Desk
from services.intake.rules import acts
from services.intake.rules.identified import identity_keys
from services.intake.rules.states import blocks
from services.intake.tables import documents, submissions, unsettled, uploads
from services.intake.tables.unsettled import own_party
from services.kit.database import Transaction
from services.kit.http import runtime

_SHOWN = ("title", "first_name_th", "last_name_th", "grade", "room")
_ACTIVITIES = ("update", "confirm", "certify", "acknowledge")


def describe_school(tx: Transaction, desk: Desk) -> dict[str, Any]:
    """Everything the school's page, the director's page and the area's look need."""
    row, latest = desk.row, uploads.latest(tx, desk.round.name, desk.row.school)
    return {
        "school": desk.row.school,
        "name": desk.row.school_name,
        "esa": desk.row.school_esa,
        "esa_name": desk.row.school_esa_name,
        "levels": desk.row.school_levels,
        "round": desk.round.name,
        "state": row.state,
        "revision": row.revision,
        "sha256": row.sha256,
        "pupils": row.pupils,
        "counts": row.counts,
        "findings": {
            "errors": row.errors,
            "warnings": row.warnings,
            "unexplained": row.unexplained,
            "notes": row.notes,
        },
        "blocks": [{"code": b.code, "th": b.th, "en": b.en} for b in blocks(desk.submission)],
        "screening": row.screening,
        "upload": upload_views.describe(latest) if latest and desk.is_own else None,
        "current_upload": row.upload if desk.is_own else None,
        "cases": _cases(tx, desk),
        "acts": _acts(tx, desk),
        "windows": _windows(desk),
        "locked": row.locked,
        "may": allowed(desk),
        "statement": {"th": acts.STATEMENT_TH, "en": acts.STATEMENT_EN},
    }


def allowed(desk: Desk) -> list[str]:
    """The acts this person could do right now (certify: after step-up)."""
    actor, submission, state = desk.actor, desk.submission, desk.round.state
    sha = submission.sha256 or ""
    tries: dict[str, Callable[[], object]] = {
        "upload": lambda: acts.may_upload(actor, submission, state, desk.windows("update", "confirm")),
        "confirm": lambda: acts.confirm(actor, submission, state, desk.windows("confirm"), sha),
        "undo": lambda: acts.undo(actor, submission, state, desk.windows("confirm")),
        "certify": lambda: acts.certify(actor, submission, state, desk.windows("certify"), sha),
        "acknowledge": lambda: acts.acknowledge(actor, submission, state, desk.windows("acknowledge"), sha),
        "cancel": lambda: acts.cancel(
            actor, submission, state, desk.windows("acknowledge", "follow-up"), lock=False
        ),
    }
    return [name for name, guard in tries.items() if _passes(guard)]


def _passes(guard: Callable[[], object]) -> bool:
    try:
        guard()
    except Refusal as refused:
        return refused.code == "step-up-required"
    return True


def _windows(desk: Desk) -> dict[str, dict[str, Any]]:
    shown = {}
    for activity in _ACTIVITIES:
        (window,) = desk.windows(activity)
        shown[activity] = {
            "opens": window.opens.isoformat(),
            "closes": window.closes.isoformat(),
            "open": window.is_open(desk.actor.at),
        }
    return shown


def _acts(tx: Transaction, desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "act": done.act,
            "by": done.by,
            "role": done.role,
            "at": done.at.isoformat(),
            "sha256": done.sha256,
            "pupils": done.pupils,
            "reason": done.reason,
        }
        for done in submissions.acts(tx, desk.round.name, desk.row.school)
    ]


def _cases(tx: Transaction, desk: Desk) -> list[dict[str, Any]]:
    known = unsettled.cases(tx, desk.round.name, desk.row.school)
    pupils = _pupils_by_key(tx, desk) if known and desk.is_own else {}
    shown = []
    for case in known:
        own = own_party(case)
        shown.append(
            {
                "case": case.case,
                "state": case.state,
                "decision": case.decision,
                "answer": own.get("answer", "none"),
                "sentence": own.get("sentence", ""),
                "key": case.key if desk.is_own else "",
                "pupil": pupils.get(case.key),
                "others": [
                    {"school": p["school"], "name": p["name"], "esa": p["esa"]}
                    for p in case.parties
                    if p["school"] != case.school
                ],
            }
        )
    return shown


def _pupils_by_key(tx: Transaction, desk: Desk) -> dict[str, dict[str, str]]:
    """Identity key → the pupil on the school's current roll."""
    if desk.row.sha256 is None:
        return {}
    frame = documents.read_frame(tx, desk.row.sha256)
    keys = identity_keys(frame, runtime().keys.identity)
    return dict(zip(keys, frame.select(pl.col(_SHOWN)).to_dicts(), strict=True))
