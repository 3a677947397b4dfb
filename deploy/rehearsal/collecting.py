"""The first act of the play: opening, uploads with their wrong files and planted errors, and duplicates."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from deploy.rehearsal.person import Person
from deploy.rehearsal.scenario import BUILDINGS_ROUND, ROUND, Cast, Stage, at_once
from deploy.rehearsal.truth import Duplicate, SchoolTruth, Upload

SENTENCE = "ตรวจสอบเอกสารแล้ว ข้อมูลถูกต้องตามจริง"
OURS = "นักเรียนมาเรียนที่โรงเรียนนี้จริง มีหลักฐานการเข้าเรียน"


def school_path(code: str, tail: str = "") -> str:
    return f"/api/v1/rounds/{ROUND}/schools/{code}{tail}"


def open_rounds(stage: Stage, people: Cast) -> None:
    """15 October 2564: headquarters imports the register and opens the rounds from the calendar."""
    stage.set_clock(datetime.fromisoformat("2021-10-15T09:00:00+07:00"))
    esas = set(people.areas)
    lines = (stage.nation / "schools.tsv").read_text(encoding="utf-8").splitlines()
    kept = [lines[0], *(line for line in lines[1:] if line.split("\t")[1] in esas)]
    body = "\n".join(kept).encode() + b"\n"
    answer = people.hq.send("PUT", "/api/v1/register", content=body).json()
    stage.say(
        f"  register: {answer['schools']} schools in {answer['areas']} areas, {len(answer['faults'])} faults"
    )
    for name in (ROUND, BUILDINGS_ROUND):
        people.hq.do("POST", "/api/v1/rounds", {"round": name})
    stage.summary.schools = len(people.clerks)
    stage.wait_for(lambda: _all_known(people), "every school known to every service")


def _all_known(people: Cast) -> bool:
    answer = people.hq.send("GET", f"/api/v1/rounds/{ROUND}/schools", params={"limit": "1"})
    return answer.status_code == 200 and answer.json()["summary"]["schools"] >= len(people.clerks)


def upload_all(stage: Stage, people: Cast) -> None:
    """Every clerk sends the school's files in order, but for those that take duplicates off the roll."""
    at_once(
        stage, lambda code: _upload_school(stage, people, code), sorted(people.clerks), "schools uploaded"
    )


def _upload_school(stage: Stage, people: Cast, code: str) -> None:
    told = people.truth.schools[code]
    for planned in told.uploads:
        if planned.purpose != "final":
            _send(stage, people, told, planned)


def _send(stage: Stage, people: Cast, told: SchoolTruth, planned: Upload) -> None:
    """One file: its end and its findings must be those of the truth."""
    clerk = people.clerks[told.code]
    content = (stage.nation / planned.file).read_bytes()
    upload = clerk.upload(school_path(told.code, "/roster"), content, planned.file.rsplit("/", 1)[-1])
    people.remember_version(told.code, upload)
    stage.summary.add(uploads=1)
    if planned.expect == "rejected":
        stage.summary.expect(f"{planned.file} refused", (upload["reason"] or {}).get("code"), planned.reason)
        stage.summary.add(rejected_files=1)
        return
    stage.summary.expect(f"{planned.file} ends", upload["state"] in ("accepted", "unchanged"), True)
    stage.summary.expect(f"{planned.file} pupils", upload["pupils"], planned.pupils)
    _compare_findings(stage, clerk, told.code, upload, planned)


def _compare_findings(
    stage: Stage, clerk: Person, code: str, upload: dict[str, Any], planned: Upload
) -> None:
    found = clerk.ask(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    seen = {(f["rule"], f["row"] or 0, f["field"]): f for f in found}
    wanted = {(p.rule, p.row, p.field): p for p in planned.findings}
    notes = {place for place, p in wanted.items() if p.severity == "note"}
    if planned.purpose == "first":
        stage.summary.add(
            errors_planted=len(wanted.keys() - notes),
            errors_found=len((wanted.keys() & seen.keys()) - notes),
            notes_planted=len(notes),
            notes_found=len(notes & seen.keys()),
        )
    stage.summary.add(errors_unplanted=len(seen.keys() - wanted.keys()))
    for place in sorted(seen.keys() ^ wanted.keys(), key=str):
        stage.summary.fault(
            f"{planned.file}: finding {place} {'not planted' if place in seen else 'not found'}"
        )
    for place, plant in wanted.items():
        if plant.then == "explain" and place in seen:
            said = {"rule": plant.rule, "key": seen[place]["key"], "sentence": SENTENCE}
            clerk.do("POST", school_path(code, "/explanations"), said)


def settle_duplicates(stage: Stage, people: Cast) -> None:
    """The planted duplicates must be what the schools see; each is removed or claimed as the truth says."""
    planted = people.truth.duplicates
    stage.summary.duplicates_planted = len(planted)
    began = time.monotonic()
    stage.wait_for(lambda: _open_cases(people) >= len(planted), f"{len(planted)} duplicate cases", 120)
    stage.summary.duplicates_open_seconds = round(time.monotonic() - began, 2)
    concerned = sorted({s for d in planted for s in (d.true_school, d.false_school)})
    stage.wait_for(lambda: all(_seen(people, code) for code in concerned), "every school seeing its cases")
    found: set[tuple[str, frozenset[str]]] = set()
    for code in concerned:
        found |= _what_a_school_sees(people, code)
    wanted = {(d.national_id, frozenset((d.true_school, d.false_school))) for d in planted}
    stage.summary.duplicates_found = len(found & wanted)
    stage.summary.expect("duplicates that were not planted", len(found - wanted), 0)
    for duplicate in planted:
        if duplicate.resolution != "removed":
            _both_claim(people, duplicate)
    removing = sorted({d.false_school for d in planted if d.resolution == "removed"})
    at_once(stage, lambda code: _send_final(stage, people, code), removing, "duplicates removed")
    remaining = sum(d.resolution != "removed" for d in planted)
    stage.wait_for(lambda: _open_cases(people) == remaining, f"{remaining} cases left open")


def _cases(people: Cast) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    asked = {"state": "open"}
    while True:
        page = people.hq.ask(f"/api/v1/rounds/{ROUND}/duplicates", **asked)
        cases += page["cases"]
        if not page["next"]:
            return cases
        asked["cursor"] = page["next"]


def _open_cases(people: Cast) -> int:
    return len(_cases(people))


def _seen(people: Cast, code: str) -> bool:
    wanted = sum(code in (d.true_school, d.false_school) for d in people.truth.duplicates)
    cases = people.clerks[code].ask(school_path(code))["cases"]
    return sum(case["state"] == "open" for case in cases) >= wanted


def _what_a_school_sees(people: Cast, code: str) -> set[tuple[str, frozenset[str]]]:
    """Open the pupil behind each open case, as a clerk would; remembers which case is about whom."""
    clerk = people.clerks[code]
    seen = set()
    for case in clerk.ask(school_path(code))["cases"]:
        if case["state"] == "open":
            pupil = clerk.ask(school_path(code, f"/roster/students/{case['key']}"))["values"]["national_id"]
            people.cases[pupil] = case["case"]
            seen.add((pupil, frozenset({code, *(other["school"] for other in case["others"])})))
    return seen


def _both_claim(people: Cast, duplicate: Duplicate) -> None:
    for code in (duplicate.true_school, duplicate.false_school):
        said = {"school": code, "sentence": OURS}
        case = people.cases[duplicate.national_id]
        people.clerks[code].do("POST", f"/api/v1/duplicates/{case}/evidence", said)


def _send_final(stage: Stage, people: Cast, code: str) -> None:
    told = people.truth.schools[code]
    for planned in told.uploads:
        if planned.purpose == "final":
            _send(stage, people, told, planned)


def record_buildings(stage: Stage, people: Cast) -> None:
    """B-OBEC, October: a few schools record a building and confirm; their area confirms after them."""
    for code in sorted(people.clerks)[:3]:
        base = f"/api/v1/bobec/{BUILDINGS_ROUND}/schools/{code}"
        clerk, area = people.clerks[code], people.areas[people.truth.schools[code].esa]
        _known_to_buildings(stage, clerk, base)
        clerk.do("POST", f"{base}/buildings", _BUILDING)
        clerk.do("POST", f"{base}/confirmation", sha256=clerk.ask(base)["sha256"])
        confirmed = area.do("POST", f"{base}/confirmation", sha256=area.ask(base)["sha256"])
        stage.summary.expect(f"buildings of {code}", confirmed["state"], "confirmed-by-area")
        stage.summary.add(buildings_confirmed=1)


def _known_to_buildings(stage: Stage, clerk: Person, base: str) -> None:
    """The service hears of the round and its schools by events."""
    stage.wait_for(lambda: clerk.send("GET", base).is_success, f"{base} known")


_BUILDING = {
    "type": "01",
    "design": "สปช. 105/29",
    "rooms_design": 5,
    "rooms_actual": 5,
    "rooms_special": 1,
    "year_built_be": 2540,
    "cost_baht": 960000,
    "budget_source": "งบประมาณจากต้นสังกัด",
    "condition": "พอใช้",
}
