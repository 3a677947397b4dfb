"""The last act: receipts and proofs verified offline, the package built and held against what was uploaded, and
everything that was accepted still there."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime
from typing import Any

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.scenario import ROUND, Cast, Stage, at_once
from services.contracts import statements
from services.contracts.signed import NotGenuine, verify

ID_COLUMN, SCHOOL_COLUMN = "PersonID_Onec", "SchoolID_Onec"


def check_nothing_lost(stage: Stage, people: Cast) -> None:
    """Every accepted version and every act that was answered is still there, and every receipt and proof is genuine."""
    jwks = stage.client.get("/.well-known/jwks.json").json()
    at_once(
        stage, lambda code: _check_school(stage, people, code, jwks), sorted(people.clerks), "schools checked"
    )


def _check_school(stage: Stage, people: Cast, code: str, jwks: dict[str, Any]) -> None:
    clerk = people.clerks[code]
    held = {version["sha256"] for version in clerk.ask(school_path(code, "/versions"))["versions"]}
    lost = [sha for sha in people.versions.get(code, []) if sha not in held]
    kept = clerk.ask(school_path(code, "/receipts"))["receipts"]
    lost += [receipt["signature"] for receipt in people.receipts.get(code, []) if receipt not in kept]
    stage.summary.add(lost=len(lost))
    for receipt in kept:
        try:
            verify(receipt, jwks)
            stage.summary.add(receipts_verified=1)
        except NotGenuine as problem:
            stage.summary.fault(f"a receipt of {code}: {problem}")
    _check_proof(stage, people, code, jwks)


def _check_proof(stage: Stage, people: Cast, code: str, jwks: dict[str, Any]) -> None:
    """The proof leads to the seal, and its leaf is the roster the school holds, byte for byte."""
    clerk = people.clerks[code]
    proof = clerk.ask(f"/api/v1/rounds/{ROUND}/snapshot/proofs/{code}")
    roster = clerk.send("GET", school_path(code, "/roster")).content
    try:
        shown, seal = statements.read_proof(proof, jwks)
    except NotGenuine as problem:
        stage.summary.fault(f"the proof of {code}: {problem}")
        return
    stage.summary.expect(f"sealed roster of {code}", shown.leaf.sha256, hashlib.sha256(roster).hexdigest())
    stage.summary.expect(f"root over {code}", seal.root, stage.summary.merkle_root)
    stage.summary.add(proofs_verified=1)


def check_reports(stage: Stage, people: Cast) -> None:
    """Counted and the reasons for the rest add up to the pupils, and are those of the truth."""
    reasons = people.hq.ask(f"/api/v1/rounds/{ROUND}/reports/not-counted")["totals"]
    stage.summary.not_counted = {reason: pupils for reason, pupils in sorted(reasons.items()) if pupils}
    wanted: dict[str, int] = {}
    for code, school in people.truth.schools.items():
        told = {"not-certified": school.pupils} if code == people.late else school.not_counted
        for reason, pupils in told.items():
            if pupils:
                wanted[reason] = wanted.get(reason, 0) + pupils
    stage.summary.expect("pupils not counted", stage.summary.not_counted, dict(sorted(wanted.items())))
    total = stage.summary.counted + sum(reasons.values())
    stage.summary.expect("counted and not counted together", total, stage.summary.students)
    budget = people.hq.ask(f"/api/v1/rounds/{ROUND}/budget")
    stage.summary.budget_baht = budget["baht"]


def build_package(stage: Stage, people: Cast) -> None:
    """12 November 2564: the EDC package is built, and holds exactly the pupils of the counted schools' rosters."""
    stage.set_clock(datetime.fromisoformat("2021-11-12T09:00:00+07:00"))
    path = f"/api/v1/rounds/{ROUND}/exports"
    package = stage.wait_for(lambda: _requested(people, path), "the round ready to be exported")
    built: dict[str, Any] = stage.wait_for(lambda: _built(people, package), "the package built", 120)
    files = {file["name"]: _download(stage, people, package, file) for file in built["files"]}
    students = csv.DictReader(io.StringIO(files["students.csv"].decode("utf-8-sig")))
    exported: dict[str, set[str]] = {}
    for row in students:
        exported.setdefault(row[SCHOOL_COLUMN], set()).add(row[ID_COLUMN])
        stage.summary.export_rows += 1
    certified = [code for code in sorted(people.clerks) if code != people.late]
    at_once(
        stage,
        lambda code: _compare_export(stage, people, code, exported.get(code, set())),
        certified,
        "rolls compared",
    )
    stage.summary.expect("schools in the package", set(exported) <= set(certified), True)


def _requested(people: Cast, path: str) -> str | None:
    answer = people.hq.attempt("POST", path)
    return str(answer.json()["export"]) if answer.is_success else None


def _built(people: Cast, package: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = people.hq.ask(f"/api/v1/exports/{package}")
    if shown["state"] == "failed":
        raise RuntimeError(f"the package failed: {shown['error']}")
    return shown if shown["state"] == "built" else None


def _download(stage: Stage, people: Cast, package: str, file: dict[str, Any]) -> bytes:
    content = people.hq.send("GET", f"/api/v1/exports/{package}/files/{file['name']}").content
    stage.summary.expect(f"SHA-256 of {file['name']}", hashlib.sha256(content).hexdigest(), file["sha256"])
    return content


def _compare_export(stage: Stage, people: Cast, code: str, exported: set[str]) -> None:
    roster = people.clerks[code].send("GET", school_path(code, "/roster")).content.decode()
    uploaded = {row["national_id"] for row in csv.DictReader(io.StringIO(roster))}
    if uploaded != exported:
        stage.summary.fault(f"package of {code}: {len(uploaded ^ exported)} pupils differ from the roster")
