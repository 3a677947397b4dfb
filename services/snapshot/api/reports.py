"""Reports of a sealed round: counted pupils by grade and sex, who is not counted and why, and the budget.

`?school=` or `?esa=` narrow them; without either a person gets all they may see: a school its own, an area its schools,
headquarters the nation. No report names a pupil.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from services.contracts.roster.codes import grades
from services.kit.database import Transaction
from services.kit.errors import Problem, not_found
from services.kit.http import transaction
from services.snapshot.api.desk import scope_asked, seal_of
from services.snapshot.rules.counts import COUNTED, REASONS
from services.snapshot.rules.rates import CERTAINTIES, LEVELS
from services.snapshot.tables import results
from services.snapshot.tables.results import Scope

blueprint = Blueprint("reports", __name__)
PAGE = 5000
_GRADES = {grade.label: grade.order for grade in grades()}


@blueprint.get("/api/v1/rounds/<round_name>/reports/counts")
def get_counts(round_name: str) -> ResponseReturnValue:
    """Counted pupils by grade and sex, and the totals of the scope: counted + not counted = pupils."""
    with transaction() as tx:
        scope = _scope(tx, round_name)
        cells = results.counts(tx, round_name, scope)
        totals = results.totals(tx, round_name, scope)
    counted = sorted((c for c in cells if c.reason == COUNTED), key=lambda c: (_rank(c.grade), c.sex))
    return jsonify(
        round=round_name,
        schools=totals.schools,
        pupils=totals.pupils,
        counted=totals.counted,
        not_counted=_by_reason(cells),
        counts=[{"grade": c.grade, "sex": c.sex, "pupils": c.pupils} for c in counted],
    )


@blueprint.get("/api/v1/rounds/<round_name>/reports/not-counted")
def get_not_counted(round_name: str) -> ResponseReturnValue:
    """Pupils not counted, by school and reason; `cursor` is `next` of the page before."""
    school, _, reason = request.args.get("cursor", "").partition(":")
    limit = max(1, min(request.args.get("limit", PAGE, type=int), PAGE))
    if "\0" in school + reason:
        raise not_found()
    with transaction() as tx:
        scope = _scope(tx, round_name)
        rows = results.not_counted(tx, round_name, scope, (school, reason), limit)
        totals = _by_reason(results.counts(tx, round_name, scope))
    last = rows[-1] if len(rows) == limit else None
    return jsonify(
        round=round_name,
        rows=[dict(row._mapping) for row in rows],
        totals=totals,
        next=f"{last.school}:{last.reason}" if last else None,
    )


@blueprint.get("/api/v1/rounds/<round_name>/budget")
def get_budget(round_name: str) -> ResponseReturnValue:
    """Baht by item, level and grade, each line with how sure its rate is, and their sums."""
    with transaction() as tx:
        scope = _scope(tx, round_name)
        about = seal_of(tx, round_name).budget
        if about is None:
            raise Problem(409, "no-budget", "รอบนี้ไม่ใช้คำนวณงบประมาณ", "No money hangs on this round's count")
        rows = results.budget_lines(tx, round_name, scope)
        totals = results.totals(tx, round_name, scope)
    items = {item["key"]: item for item in about["items"]}
    lines = [_line(row, items) for row in sorted(rows, key=lambda row: _place(row, list(items)))]
    return jsonify(
        round=round_name,
        academic_year=about["academic_year"],
        term=about["term"],
        payment=about["payment"],
        heads=totals.counted,
        heads_without_rate=totals.heads_without_rate,
        baht=sum(line["baht"] for line in lines),
        by_certainty=_sums(lines, "certainty", CERTAINTIES),
        by_level=_sums(lines, "level", LEVELS),
        by_item=_sums(lines, "item", items),
        lines=lines,
    )


def _scope(tx: Transaction, round_name: str) -> Scope:
    """The schools asked for. Raises Problem 404 where this person sees none of them under this seal."""
    seal_of(tx, round_name)
    scope = scope_asked()
    if results.totals(tx, round_name, scope).schools == 0:
        raise not_found()
    return scope


def _by_reason(cells: Iterable[sa.Row[Any]]) -> dict[str, int]:
    found = Counter[str]()
    for cell in cells:
        found[cell.reason] += cell.pupils
    return {reason: found[reason] for reason in REASONS}


def _line(row: sa.Row[Any], items: dict[str, Any]) -> dict[str, Any]:
    words = items[row.item]
    return {
        "level": row.level,
        "grade": row.grade,
        "item": row.item,
        "item_th": words["th"],
        "item_en": words["en"],
        "heads": row.heads,
        "rate": row.rate,
        "baht": row.baht,
        "certainty": row.certainty,
    }


def _place(row: sa.Row[Any], items: Sequence[str]) -> tuple[int, int, int]:
    return (items.index(row.item), LEVELS.index(row.level), _rank(row.grade))


def _rank(grade: str) -> int:
    return _GRADES.get(grade, len(_GRADES))


def _sums(lines: Iterable[dict[str, Any]], key: str, keys: Iterable[str]) -> dict[str, int]:
    found = dict.fromkeys(keys, 0)
    for line in lines:
        found[line[key]] += line["baht"]
    return found
