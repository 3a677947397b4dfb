"""One scene per service in which every route has something to find, so that a refusal can only be for who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.buildings.app import SERVICE as BUILDINGS
from services.contracts.calendar import load
from services.contracts.intake import AreaRegistered, RegisteredSchool
from services.contracts.snapshot import RoundOpened
from services.dedup.app import SERVICE as DEDUP
from services.intake.app import SERVICE as INTAKE
from services.kit.keys import Keys
from services.snapshot.app import SERVICE as SNAPSHOT
from tests.support import duplicates, intake_desk, packages, snapshot_desk
from tests.support.bench import Bench
from tests.support.rosters import CALENDAR, ROUND, csv_file, pupil, roll
from tests.support.sealed_round import SealedRound, four_schools
from tests.support.tokens import bearer

Benches = Callable[..., Bench]
BUILDING = {
    "type": "01",
    "design": "สปช. 105/29",
    "rooms_design": 5,
    "rooms_actual": 4,
    "rooms_special": 1,
    "year_built_be": 2540,
    "cost_baht": 960000,
    "budget_source": "งบประมาณจากต้นสังกัด",
    "condition": "พอใช้",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`values`: what goes into the places of an address; `sent`: what a route is sent, by "METHOD rule" (else {});
    `tag`: the version that If-Match names."""

    bench: Bench
    school: str
    esa: str
    values: Mapping[str, str]
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tag: str = "0" * 64


def _intake(bench: Benches) -> Scene:
    """A roll with a warning, sent in and accepted."""
    desk = intake_desk.IntakeDesk(bench(INTAKE))
    upload = desk.upload(csv_file([pupil(1), pupil(2, sex="")]))
    found = desk.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    one = "/api/v1/rounds/<round_name>/schools/<school>"
    return Scene(
        bench=desk.bench,
        school=intake_desk.SCHOOL,
        esa=intake_desk.ESA,
        values={
            "round_name": ROUND,
            "school": intake_desk.SCHOOL,
            "key": found[0]["key"],
            "upload_id": upload["upload"],
        },
        sent={
            "PUT /api/v1/register": {"data": intake_desk.REGISTER.encode()},
            f"PUT {one}/roster": {"data": csv_file(roll(1, 3)), "content_type": "text/csv"},
            f"PATCH {one}/roster/students/<key>": {"json": {"sex": "ช"}},
            f"POST {one}/explanations": {"json": {"rule": "title-age", "sentence": "ตรวจแล้วถูกต้อง"}},
            f"POST {one}/certification": {"json": {"statement": desk.school()["statement"]["th"]}},
            f"POST {one}/cancellation": {"json": {"reason": "ตรวจพบข้อผิดพลาด"}},
        },
        tag=upload["sha256"],
    )


def _dedup(bench: Benches) -> Scene:
    """A pupil on two rolls of one area."""
    desk = duplicates.Desk(bench(DEDUP))
    for school in (duplicates.A, duplicates.B):
        desk.roll(school, ["fah"], 1)
    decision = {"belongs_to": duplicates.A, "reason": "ตรวจสอบแล้ว"}
    return Scene(
        bench=desk.bench,
        school=duplicates.A,
        esa=duplicates.AREA,
        values={"round_name": duplicates.ROUND, "case": desk.only_case()["case"]},
        sent={
            "POST /api/v1/duplicates/<uuid:case>/evidence": {"json": duplicates.EVIDENCE},
            "POST /api/v1/duplicates/<uuid:case>/decision": {"json": decision},
        },
    )


def _snapshot(bench: Benches) -> Scene:
    """A sealed round of one school."""
    desk = snapshot_desk.SnapshotDesk(bench(SNAPSHOT))
    assert desk.open().status_code == 201
    made = snapshot_desk.roll(1, 3)
    desk.accept(snapshot_desk.ONE, made)
    desk.close([snapshot_desk.entry(snapshot_desk.ONE, made)])
    assert desk.closure()["state"] == "sealed"
    return Scene(
        bench=desk.bench,
        school=snapshot_desk.ONE,
        esa=snapshot_desk.ESA,
        values={"round_name": ROUND, "school": snapshot_desk.ONE},
    )


def _buildings(bench: Benches) -> Scene:
    """One building that the school asked to pull down: both the school and the area may take that back."""
    made, school, esa = bench(BUILDINGS), intake_desk.SCHOOL, intake_desk.ESA
    listed = RegisteredSchool(code=school, smis8=school[2:], name="บ้านหนึ่ง", levels="ป", province="พิจิตร")
    made.deliver(AreaRegistered(esa=esa, name="สพป.พิจิตร เขต 2", revision=1, schools=(listed,)))
    plan = next(plan for plan in load(CALENDAR) if plan.kind != "roster")
    made.deliver(RoundOpened(round=plan.name, revision=1, plan=plan.to_plain()))
    clerk, url = bearer(made.keys, "clerk", ("clerk", school)), f"/api/v1/bobec/{plan.name}/schools/{school}"
    assert made.client.post(f"{url}/buildings", json=BUILDING, headers=clerk).status_code == 201
    asked = {"to": "demolition-requested", "document": "ศธ 04001/1"}
    assert made.client.post(f"{url}/buildings/1/retirement", json=asked, headers=clerk).status_code == 200
    one = "/api/v1/bobec/<round_name>/schools/<code>/buildings"
    return Scene(
        bench=made,
        school=school,
        esa=esa,
        values={"round_name": plan.name, "code": school, "number": "1"},
        sent={
            f"POST {one}": {"json": BUILDING},
            f"POST {one}/<int:number>/retirement": {"json": asked | {"to": "in-use"}},
        },
    )


def _export(bench: Benches, keys: Path) -> Scene:
    """A package that was built."""
    there = SealedRound(Keys(keys), four_schools())
    made = packages.export_bench(bench, there)
    package = packages.built(made, there)
    return Scene(
        bench=made,
        school=packages.A,
        esa="6602",
        values={
            "round_name": packages.ROUND,
            "export_id": package["export"],
            "name": package["files"][0]["name"],
        },
    )


def scene(name: str, bench: Benches, keys: Path) -> Scene:
    """The scene of that service."""
    if name == "export":
        return _export(bench, keys)
    return {"intake": _intake, "dedup": _dedup, "snapshot": _snapshot, "buildings": _buildings}[name](bench)
