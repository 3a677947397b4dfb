"""The monolith's Flask application: PUT /schools/<code>/roster with a file; the answer comes when the roll is stored.

The environment names the database, the count day and the academic year.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, date, datetime
from typing import Any

import flask
import sqlalchemy as sa
from sqlalchemy.orm import Session

from deploy.rehearsal.bench.monolith.judging import Judged, judged, shaped
from deploy.rehearsal.bench.monolith.models import OF_A_SCHOOL, Duplicate, Finding, Pupil, Roster, School
from deploy.rehearsal.bench.monolith.reading import rows_of
from deploy.rehearsal.bench.monolith.schema import Place

DATABASE, COUNT_DAY, YEAR = "MONOLITH_DATABASE_URL", "MONOLITH_COUNT_DAY", "MONOLITH_ACADEMIC_YEAR"
BATCH = 500
rosters = flask.Blueprint("rosters", __name__)


def application() -> flask.Flask:
    """What gunicorn runs."""
    app = flask.Flask(__name__)
    app.config["engine"] = sa.create_engine(os.environ[DATABASE], pool_size=1)
    app.config["count_day"] = date.fromisoformat(os.environ[COUNT_DAY])
    app.config["year"] = int(os.environ[YEAR])
    app.register_blueprint(rosters)
    return app


@rosters.get("/")
def ready() -> dict[str, Any]:
    """Whether this process answers."""
    return {}


@rosters.put("/schools/<code>/roster")
def take(code: str) -> tuple[dict[str, Any], int]:
    """Store a roll with what was found in it; 400 for a file that is none."""
    data = flask.request.get_data()
    try:
        rows = rows_of(data)
    except ValueError:
        return {"error": "not a roster"}, 400
    config = flask.current_app.config
    with Session(config["engine"]) as session, session.begin():
        school = session.get_one(School, code)
        place = Place((school.smis8, school.code), config["count_day"], config["year"])
        found = judged(rows, place)
        _replace(session, code, found)
        duplicates = _duplicates(session, code, found)
        digest = hashlib.sha256(data).hexdigest()
        now = datetime.now(UTC)
        session.add(Roster(school=code, sha256=digest, pupils=len(found.pupils), received_at=now))
    return {"pupils": len(found.pupils), "findings": len(found.findings), "duplicates": duplicates}, 201


def _replace(session: Session, school: str, found: Judged) -> None:
    for model in OF_A_SCHOOL:
        session.execute(sa.delete(model).where(model.school == school))
    for start in range(0, len(found.pupils), BATCH):
        batch = found.pupils[start : start + BATCH]
        session.add_all(Pupil(school=school, row=number, **pupil) for number, pupil in batch)
        session.flush()
    session.add_all(
        Finding(school=school, row=row, rule=rule, field=field) for row, rule, field in found.findings
    )


def _duplicates(session: Session, school: str, found: Judged) -> int:
    """Note who of the roll is on another, by one look-up; how many there are."""
    ids = {text for _, pupil in found.pupils if shaped(text := pupil.get("national_id", ""))}
    if not ids:
        return 0
    elsewhere = sa.select(Pupil.school, Pupil.national_id).where(
        Pupil.national_id.in_(ids), Pupil.school != school
    )
    seen = set(session.execute(elsewhere).tuples())
    session.add_all(Duplicate(school=school, other=other, national_id=text) for other, text in seen)
    return len(seen)
