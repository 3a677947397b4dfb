"""The register of areas and schools: imported by headquarters, published to the other services."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from services.contracts.access import HQ, holds
from services.intake.rules.register import read_register
from services.intake.tables.register import register_area
from services.intake.tables.rounds import add_submissions, move_submissions
from services.kit.auth import principal
from services.kit.errors import Problem
from services.kit.http import raw_body, transaction

blueprint = Blueprint("register", __name__)
REGISTER_BYTES = 16 * 1024 * 1024


@blueprint.put("/api/v1/register")
def put_register() -> ResponseReturnValue:
    """Import the list of schools (TSV). Importing the same list again changes nothing."""
    if not holds(principal().grants, HQ):
        raise Problem(
            403, "role-required", "เฉพาะ สพฐ. ที่นำเข้าบัญชีโรงเรียนได้", "Only headquarters imports the register"
        )
    given = read_register(raw_body(REGISTER_BYTES))
    changed = 0
    for area in given.areas:
        with transaction() as tx:
            changed += register_area(tx, area)
    with transaction() as tx:
        add_submissions(tx)
        move_submissions(tx)
    schools = sum(len(area.schools) for area in given.areas)
    return jsonify(
        areas=len(given.areas),
        areas_changed=changed,
        schools=schools,
        faults=[asdict(fault) for fault in given.faults],
    )
