"""A school's page: where it stands, what blocks it, its findings and duplicates, its counts and its acts.

Pupils are shown to the school's own people only; an area officer sees states and numbers. Not here: forms that
change something (roster, acts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, render_template

from gateway.portal import wording
from gateway.portal.language import t
from gateway.portal.neighbours import Part, ask, fetch, part, path
from gateway.portal.pages.answers import Answer
from gateway.portal.sessions import person, signed_in
from services.contracts.access import AREA, CLERK, DIRECTOR, HQ
from services.contracts.roster.codes import grades
from services.contracts.roster.fields import by_key
from services.kit.http import runtime

SHOWN_FINDINGS = 200
STEPS = ("draft", "ready", "confirmed", "certified", "acknowledged")
_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def blueprint() -> Blueprint:
    school = Blueprint("school", __name__, url_prefix="/rounds/<round>/schools/<school>")
    school.add_url_rule("", "show", show)
    school.add_url_rule("/certify", "certify", certify)
    school.add_url_rule("/roster.csv", "roster", roster)
    school.add_url_rule("/proof.json", "proof", proof)
    school.add_url_rule("/receipts.json", "receipts", receipts)
    return school


@signed_in(CLERK, DIRECTOR, AREA, HQ)
def show(round: str, school: str) -> Answer:
    found = ask("GET", path("rounds", round, "schools", school))
    own = person().grant.role in (CLERK, DIRECTOR)
    return render_template(
        "school.html",
        school=found,
        own=own,
        findings=_findings(found) if own else Part(),
        field_name=_field_name,
        receipts=part(path("rounds", round, "schools", school, "receipts"), "receipts"),
        grades=by_grade(found.get("counts") or ()),
        **_wording(found),
    )


@signed_in(DIRECTOR)
def certify(round: str, school: str) -> Answer:
    """The director's page: the statement, what it covers, and the password before the act."""
    found = ask("GET", path("rounds", round, "schools", school))
    return render_template(
        "certify.html",
        school=found,
        grades=by_grade(found.get("counts") or ()),
        stepped_up=person().stepped_up,
        **_wording(found),
    )


@signed_in(CLERK, DIRECTOR)
def roster(round: str, school: str) -> Answer:
    """The current roll as the file whose SHA-256 is confirmed and certified."""
    return _download(
        path("rounds", round, "schools", school, "roster"), "text/csv", f"roster-{round}-{school}.csv"
    )


@signed_in(CLERK, DIRECTOR, AREA, HQ)
def proof(round: str, school: str) -> Answer:
    """The proof that this school's roll is under the seal, for `tabian verify`."""
    url = path("rounds", round, "snapshot", "proofs", school)
    return _download(url, "application/json", f"proof-{round}-{school}.json")


@signed_in(CLERK, DIRECTOR, AREA, HQ)
def receipts(round: str, school: str) -> Answer:
    """The school's signed receipts, for `tabian verify`."""
    url = path("rounds", round, "schools", school, "receipts")
    return _download(url, "application/json", f"receipts-{round}-{school}.json")


def by_grade(counts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts by grade and sex as a table: `rows` of (grade, boys, girls, all), and `total` of the same shape."""
    table: dict[str, list[int]] = {}
    for one in counts:
        row = table.setdefault(str(one["grade"]), [0, 0, 0])
        row[2] += one["pupils"]
        if one["sex"] in ("ช", "ญ"):
            row["ชญ".index(one["sex"])] += one["pupils"]
    order = {grade.label: place for place, grade in enumerate(grades())}
    rows = [(grade, *table[grade]) for grade in sorted(table, key=lambda name: (order.get(name, 99), name))]
    return {"rows": rows, "total": [sum(row[column] for row in rows) for column in (1, 2, 3)]}


def _wording(found: Mapping[str, Any]) -> dict[str, Any]:
    now = runtime().clock.now()
    acts = ("confirm", "certify", "acknowledge")
    return {
        "headline": wording.headline(found, now),
        "why_not": {act: wording.why_not(found, act, now) for act in acts},
        "uploading": wording.uploading(found),
        "passed": wording.passed,
        "steps": STEPS,
    }


def _findings(found: Mapping[str, Any]) -> Part:
    """Findings of the file that made the current roll, the gravest first."""
    upload = found.get("current_upload") or (found.get("upload") or {}).get("upload")
    if not upload or not found.get("sha256"):
        return Part(data=[])
    answer = part(path("uploads", str(upload), "findings"), "findings")
    if answer.data:
        answer.data.sort(key=lambda one: (_SEVERITY.get(one["severity"], 3), bool(one.get("explained"))))
    return answer


def _field_name(key: str) -> str:
    field = by_key(key)
    return t(field.th, field.en)


def _download(url: str, media_type: str, filename: str) -> Response:
    chunks, headers = fetch(url, accept=media_type)
    response = Response(chunks, content_type=headers.get("Content-Type", media_type))
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    if "ETag" in headers:
        response.headers["ETag"] = headers["ETag"]
    return response
