"""Dedup's HTTP API: the cases a person may know of, a school's answer, the area's decision."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from services.contracts.access import CLERK, DIRECTOR, Grant, esas_seen, sees_school
from services.dedup import casework
from services.dedup.schemas import DecisionSchema, EvidenceSchema, ListSchema, case_view
from services.dedup.tables import cases, register, rounds
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import not_found
from services.kit.http import arrived, body, transaction

blueprint = Blueprint("duplicates", __name__)


@blueprint.get("/api/v1/rounds/<round_name>/duplicates")
def list_cases(round_name: str) -> ResponseReturnValue:
    """The cases of this person's schools, in pages."""
    asked: dict[str, Any] = ListSchema().load(request.args.to_dict())
    with transaction() as tx:
        if rounds.calendar(tx, round_name) is None:
            raise not_found()
        wanted = _wanted(tx, principal().grants, asked)
        rows = cases.page(tx, round_name, wanted, asked["cursor"], asked["limit"] + 1)
    shown = rows[: asked["limit"]]
    following = str(shown[-1].number) if len(rows) > len(shown) else None
    return jsonify(cases=[case_view(row) for row in shown], next=following)


@blueprint.post("/api/v1/duplicates/<uuid:case>/evidence")
def give_evidence(case: UUID) -> ResponseReturnValue:
    """A school says in a sentence why the pupil is theirs."""
    given: dict[str, Any] = body(EvidenceSchema())
    with transaction() as tx:
        row = casework.answer(tx, _person(), str(case), given["school"], given["sentence"])
    return jsonify(case_view(row))


@blueprint.post("/api/v1/duplicates/<uuid:case>/decision")
def decide(case: UUID) -> ResponseReturnValue:
    """The area, or headquarters between areas, decides whose the pupil is."""
    given: dict[str, Any] = body(DecisionSchema())
    with transaction() as tx:
        row = casework.decide(tx, _person(), str(case), given["belongs_to"], given["reason"])
    return jsonify(case_view(row))


def _person() -> casework.Person:
    who = principal()
    return casework.Person(who.subject, who.grants, arrived())


def _wanted(tx: Transaction, grants: tuple[Grant, ...], asked: dict[str, Any]) -> cases.Wanted:
    """The person's scope, narrowed by what was asked; 404 for a school or area outside it, and for who has none."""
    esas = esas_seen(grants)
    own = tuple(sorted({grant.scope for grant in grants if grant.role in (CLERK, DIRECTOR)}))
    school, esa = asked["school"], asked["esa"]
    if esas == () and not own:
        raise not_found()
    if school and not sees_school(grants, school, register.esa_of(tx, school)):
        raise not_found()
    if esa and esas is not None and esa not in esas:
        raise not_found()
    return cases.Wanted(schools=own, esas=esas, school=school, esa=esa, state=asked["state"])


def blueprints() -> tuple[Blueprint, ...]:
    return (blueprint,)
