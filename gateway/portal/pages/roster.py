"""What changes a roll: sending a file, explaining a warning, editing one pupil, answering a duplicate."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for

from gateway.portal.language import reason, t, word
from gateway.portal.neighbours import Refused, ask, fetch, part, path, send_file
from gateway.portal.pages.answers import Answer, tried, typed
from gateway.portal.sessions import signed_in
from services.contracts.access import CLERK, DIRECTOR
from services.contracts.roster.codes import table
from services.contracts.roster.dates import BUDDHIST_ERA, iso_date
from services.contracts.roster.fields import STORED, Field

_SCHOOL = "/rounds/<round>/schools/<school>"
_UNFINISHED = ("received", "checking")
_MOST_TYPED = 500
_LOOKS, _LOOK_SECONDS = 10, 0.15
_GROUPS = (
    ("นักเรียน", "Pupil", "school_code"),
    ("บิดา มารดา ผู้ปกครอง", "Parents and guardian", "parents_status"),
    ("ที่อยู่", "Addresses", "reg_house_code"),
    ("ความจำเป็นและการเดินทาง", "Needs and travel", "weight_kg"),
    ("การเรียน", "Schooling", "student_type"),
)


def blueprint() -> Blueprint:
    roster = Blueprint("roster", __name__)
    roster.add_url_rule("/uploads/<upload>/state", "state", state)
    roster.add_url_rule(f"{_SCHOOL}/upload", "upload", upload, methods=["POST"])
    roster.add_url_rule(f"{_SCHOOL}/uploads/<upload>", "progress", progress)
    roster.add_url_rule(f"{_SCHOOL}/uploads/<upload>/findings.csv", "findings", findings)
    roster.add_url_rule(f"{_SCHOOL}/explanations", "explain", explain, methods=["POST"])
    roster.add_url_rule(f"{_SCHOOL}/pupils/<key>", "pupil", pupil)
    roster.add_url_rule(f"{_SCHOOL}/pupils/<key>", "edit", edit, methods=["POST"])
    roster.add_url_rule(f"{_SCHOOL}/pupils/<key>/removal", "remove", remove, methods=["POST"])
    roster.add_url_rule(f"{_SCHOOL}/duplicates/<case>", "ours", ours, methods=["POST"])
    return roster


@signed_in(CLERK)
def upload(round: str, school: str) -> Answer:
    """Pass a clerk's file on to intake, streamed; then to the page that shows the checking."""
    page = url_for("school.show", round=round, school=school)
    file, again = request.files.get("roster"), typed("again", most=64)
    if file is None or not file.filename:
        flash(t("เลือกไฟล์ก่อน", "Choose a file first"), "warning")
        return redirect(page, 303)
    media_type = file.mimetype or "application/octet-stream"
    url = path("rounds", round, "schools", school, "roster")
    name = file.filename
    return _accepted(
        round,
        school,
        lambda: send_file(url, file.stream, media_type=media_type, filename=name, if_match=again or None),
    )


@signed_in(CLERK, DIRECTOR)
def progress(round: str, school: str, upload: str) -> Answer:
    """One upload: being checked (the page looks again by itself), or what came of it."""
    found = ask("GET", path("uploads", upload))
    return render_template(
        "upload.html", upload=found, round=round, school=school, waiting=found["state"] in _UNFINISHED
    )


@signed_in(CLERK, DIRECTOR)
def state(upload: str) -> Response:
    """The same for the page's script."""
    found = ask("GET", path("uploads", upload))
    return jsonify(waiting=found["state"] in _UNFINISHED, text=word("upload", found["state"]))


@signed_in(CLERK, DIRECTOR)
def findings(round: str, school: str, upload: str) -> Response:
    chunks, headers = fetch(path("uploads", upload, "findings"), accept="text/csv")
    response = Response(chunks, content_type=headers.get("Content-Type", "text/csv"))
    response.headers["Content-Disposition"] = f'attachment; filename="findings-{round}-{school}.csv"'
    return response


@signed_in(CLERK)
def explain(round: str, school: str) -> Answer:
    """A sentence for a warning that is right as it stands."""
    wanted = {"rule": typed("rule", most=60), "key": typed("key", most=100), "sentence": typed("sentence")}
    return tried(
        lambda: ask("POST", path("rounds", round, "schools", school, "explanations"), json=wanted),
        ("บันทึกคำอธิบายแล้ว", "The explanation is kept"),
        url_for("school.show", round=round, school=school, _anchor="findings"),
    )


@signed_in(CLERK, DIRECTOR)
def pupil(round: str, school: str, key: str) -> Answer:
    """The form for one pupil, fields by group; `field` names the one a finding is about."""
    found = ask("GET", path("rounds", round, "schools", school, "roster", "students", key))
    return _form(round, school, found, found["values"], found["sha256"])


@signed_in(CLERK)
def edit(round: str, school: str, key: str) -> Answer:
    """Send the changed fields only, against the roll that was on the screen."""
    url = path("rounds", round, "schools", school, "roster", "students", key)
    before, sha256 = ask("GET", url), typed("sha256", most=64)
    typed_in = {field.key: _typed_value(field) for field in STORED if field.key in request.form}
    changed = {name: text for name, text in typed_in.items() if text != before["values"].get(name, "")}
    if not changed:
        flash(t("ไม่มีช่องใดเปลี่ยน", "Nothing was changed"), "warning")
        return redirect(url_for("school.show", round=round, school=school), 303)
    try:
        return _accepted(round, school, lambda: ask("PATCH", url, json=changed, if_match=sha256), strict=True)
    except Refused as problem:
        flash(reason(problem), "danger")
        return _form(round, school, before, before["values"] | typed_in, sha256), problem.status


@signed_in(CLERK)
def remove(round: str, school: str, key: str) -> Answer:
    """Take a pupil off the roll: the answer to a duplicate that is not ours, or to a child who left."""
    url = path("rounds", round, "schools", school, "roster", "students", key)
    return _accepted(round, school, lambda: ask("DELETE", url, if_match=typed("sha256", most=64)))


@signed_in(CLERK, DIRECTOR)
def ours(round: str, school: str, case: str) -> Answer:
    """ "The child is ours", with the sentence that says why."""
    wanted = {"school": school, "sentence": typed("sentence")}

    def send() -> None:
        ask("POST", path("duplicates", case, "evidence"), json=wanted)
        _wait_until_shown(round, school, case)

    return tried(
        send,
        ("ส่งคำชี้แจงแล้ว เขตจะเป็นผู้ตัดสิน", "Your sentence is sent; the area decides"),
        url_for("school.show", round=round, school=school, _anchor="duplicates"),
    )


def _wait_until_shown(round: str, school: str, case: str) -> None:
    """Dedup took the answer and tells intake, which the school's page asks: wait for it, but never for long."""
    for _ in range(_LOOKS):
        cases = part(path("rounds", round, "schools", school), "cases").data or ()
        if any(one["case"] == case and one["answer"] != "none" for one in cases):
            return
        time.sleep(_LOOK_SECONDS)


def _typed_value(field: Field) -> str:
    text = typed(field.key, most=_MOST_TYPED)
    return iso_date(text) if field.kind == "date" else text


def _accepted(round: str, school: str, send: Any, *, strict: bool = False) -> Answer:
    """To the progress page of what was sent; a refusal is said on the school's page (or raised if `strict`).
    Raises Away."""
    try:
        answer = send()
    except Refused as problem:
        if strict:
            raise
        flash(reason(problem), "danger")
        return redirect(url_for("school.show", round=round, school=school), 303)
    return redirect(url_for("roster.progress", round=round, school=school, upload=str(answer["upload"])), 303)


def _form(round: str, school: str, found: Any, values: dict[str, str], sha256: str) -> str:
    wanted = request.values.get("field", "")
    return render_template(
        "pupil.html",
        round=round,
        school=school,
        pupil=found,
        values=values,
        sha256=sha256,
        groups=_groups(),
        wanted=wanted if any(field.key == wanted for field in STORED) else "",
        labels=lambda field: table(field.table).labels,
        as_typed=_as_typed,
        yes_no=lambda label: t("ใช่", "Yes") if label == "1" else t("ไม่ใช่", "No"),
    )


def _as_typed(field: Field, value: str) -> str:
    """A value as a clerk writes it: dates as 05/11/2553; what cannot be read stays as it is."""
    if field.kind != "date":
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    return f"{day:%d/%m}/{day.year + BUDDHIST_ERA}"


def _groups() -> list[tuple[str, str, list[Field]]]:
    """The stored fields in canonical order, cut where each group begins."""
    starts = {first: (th, en) for th, en, first in _GROUPS}
    groups: list[tuple[str, str, list[Field]]] = []
    for field in STORED:
        if field.key in starts or not groups:
            groups.append((*starts.get(field.key, _GROUPS[0][:2]), []))
        groups[-1][2].append(field)
    return groups
