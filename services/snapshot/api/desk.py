"""What the views share: who asks, the round they ask about, its seal, and which schools they may see of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import request

from services.contracts.access import CLERK, DIRECTOR, HQ, esas_seen, holds, sees_school
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found
from services.snapshot.tables import register, results, rounds
from services.snapshot.tables.results import Scope
from services.snapshot.tables.rounds import Round


def is_hq() -> bool:
    return holds(principal().grants, HQ)


def only_hq() -> None:
    """For acts everybody knows of and headquarters alone does. Raises Problem 403."""
    if not is_hq():
        raise Problem(403, "role-required", "เฉพาะ สพฐ. ที่ทำได้", "Only headquarters may do this")


def own_schools() -> tuple[str, ...]:
    """The schools this person belongs to."""
    return tuple(sorted({g.scope for g in principal().grants if g.role in (CLERK, DIRECTOR)}))


def open_round(tx: Transaction, name: str, *, lock: bool = False) -> Round:
    """The round of this name; `lock` also takes its lock. Raises Problem 404, or 503 while it is being sealed."""
    if "\0" in name:
        raise not_found()
    found = _locked(tx, name) if lock else rounds.find_round(tx, name)
    if found is None:
        raise not_found()
    return found


def _locked(tx: Transaction, name: str) -> Round | None:
    tx.execute(sa.text("SET LOCAL lock_timeout = 3000"))
    try:
        return rounds.lock_round(tx, name)
    except sa.exc.OperationalError:
        raise Problem(
            503,
            "round-busy",
            "ระบบกำลังทำงานกับรอบนี้อยู่ โปรดลองใหม่ในอีกสักครู่",
            "This round is being worked on; try again in a moment",
            headers={"Retry-After": "5"},
        ) from None


def seal_of(tx: Transaction, name: str) -> sa.Row[Any]:
    """The sealed round's row. Raises Problem 404 for a round unknown, 409 before it is sealed."""
    open_round(tx, name)
    found = results.find_seal(tx, name)
    if found is None:
        raise Problem(
            409,
            "round-not-sealed",
            "รอบนี้ยังไม่ปิดและผนึก จึงยังไม่มีรายงาน",
            "This round is not sealed yet; there is nothing to report",
        )
    return found


def scope_asked() -> Scope:
    """Which schools the request's `school` and `esa` mean, of those this person sees: without them all they see.
    Raises Problem 404 for what they may not know of."""
    school, esa = request.args.get("school", ""), request.args.get("esa", "")
    if "\0" in school + esa:
        raise not_found()
    seen, own = esas_seen(principal().grants), own_schools()
    if school:
        return Scope(schools=(school,), esas=None if school in own else _of(seen))
    if esa:
        if seen is not None and esa not in seen:
            raise not_found()
        return Scope(esas=(esa,))
    return Scope(schools=own) if own and seen == () else Scope(esas=_of(seen))


def _of(seen: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if seen == ():
        raise not_found()
    return seen


def school_seen(tx: Transaction, code: str, esa: str) -> None:
    """Raises Problem 404 unless this person may know of the school. `esa`: under the seal; today's counts as well."""
    known = register.find_school(tx, code)
    grants = principal().grants
    if not sees_school(grants, code, esa) and not (known and sees_school(grants, code, known.esa)):
        raise not_found()
