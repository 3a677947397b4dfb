"""Packages over the HTTP API: who may, what is in them, and that they describe themselves rightly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.contracts.buildings import InventoryConfirmed
from services.contracts.export import PackageBuilt
from services.export import tables
from services.export.files import Store
from services.kit.keys import Keys
from tests.support.bench import Bench
from tests.support.packages import URL, A, B, C, D, built, export_bench, fetch, hq, problem, rows
from tests.support.sealed_round import ROUND, SealedRound, four_schools, pupil
from tests.support.tokens import bearer


@pytest.fixture
def there(keys: Path) -> SealedRound:
    return SealedRound(Keys(keys), four_schools())


@pytest.fixture
def b(bench: Callable[..., Bench], there: SealedRound) -> Bench:
    return export_bench(bench, there)


def test_an_unsealed_or_unknown_round_is_refused(b: Bench) -> None:
    problem(b.client.post(URL, headers=hq(b)), 409, "round-not-sealed")
    assert b.client.get(URL, headers=hq(b)).json == {"exports": []}
    for unknown in ("2564-1", "%00", "x" * 300):
        problem(b.client.post(f"/api/v1/rounds/{unknown}/exports", headers=hq(b)), 404, "not-found")


def test_only_headquarters_knows_of_packages(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    file = f"/api/v1/exports/{package['export']}/files/students.csv"
    for grant in (("clerk", A), ("director", A), ("area", "6602"), ("ops", "*"), ("partner", "*")):
        who = bearer(b.keys, "someone", grant)
        for url in (URL, f"/api/v1/exports/{package['export']}", file):
            problem(b.client.get(url, headers=who), 404, "not-found")
        problem(b.client.post(URL, headers=who), 404, "not-found")
    problem(b.client.get(file), 401, "token-missing")


def test_the_students_are_those_of_counted_schools_coded(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    assert (package["state"], package["rows"], package["error"]) == ("built", 3, None)
    assert package["progress"] == {"schools": 4, "total": 4}
    students = rows(fetch(b, package, "students.csv"))
    assert {one["SchoolID_Onec"] for one in students} == {A}
    by_id = {one["PersonID_Onec"]: one for one in students}
    girl, monk, graduate = (
        by_id[pupil(1)["national_id"]],
        by_id["G640000000001"],
        by_id[pupil(3)["national_id"]],
    )
    assert (girl["PrefixID_Onec"], girl["GenderID_Onec"], girl["DisabilityID_Onec"]) == ("2", "2", "8")
    assert (girl["GradeLevelID_Onec"], girl["GPAX_Onec"]) == ("311", "3.25")
    assert (monk["PrefixID_Onec"], monk["NationalityID_Onec"], monk["LastName_Onec"]) == ("", "MM", 'ก"ข, ค')
    assert (monk["AcademicYear_Onec"], monk["Semester_Onec"], monk["DepartmentID_Onec"]) == (
        "2564",
        "2",
        "10",
    )
    assert (graduate["StudentStatusID_Onec"], monk["StudentStatusID_Onec"]) == ("20", "10")
    assert (graduate["DisadvantageEducationID_Onec"], monk["DisadvantageEducationID_Onec"]) == ("", "9")
    assert graduate["GradeLevelID_Onec"] == ""
    lost = [one for one in students if one["Counted"] == "0"]
    assert [(one["RosterLine"], one["NotCountedReason"]) for one in lost] == [("1", "duplicate-undecided")]


def test_every_school_has_a_row_and_its_counts_add_up(b: Bench, there: SealedRound) -> None:
    for revision, level, number in ((3, "area", 12), (2, "school", 11)):
        b.deliver(
            InventoryConfirmed(
                round="bobec-2564",
                school=A,
                esa="6602",
                revision=revision,
                level=level,
                buildings=number,
                sha256="f" * 64,
                at="2021-10-20T09:00:00+07:00",
            )
        )
    listed = rows(fetch(b, built(b, there), "schools.csv"))
    assert [one["SchoolID_Onec"] for one in listed] == [A, B, C, D]
    for one in listed:
        reasons = sum(int(value) for name, value in one.items() if name.startswith("Not_"))
        assert int(one["Pupils"]) == int(one["PupilsCounted"]) + reasons
    first, second, third, fourth = listed
    assert (first["Pupils"], first["PupilsCounted"], first["Not_duplicate-undecided"]) == ("3", "2", "1")
    assert (first["Buildings"], first["BuildingsConfirmedBy"]) == ("12", "area")
    assert (first["SchoolName"], first["AreaName"], first["SmisID"]) == (
        "บ้าน 1",
        "สพป.พิจิตร เขต 2",
        "66020001",
    )
    assert (second["Counted"], second["Not_not-certified"], second["Buildings"]) == ("0", "2", "")
    assert (third["Counted"], third["Pupils"]) == ("1", "0")
    assert (fourth["State"], fourth["RosterSHA256"]) == ("empty", "")


def test_the_description_says_what_is_there(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    document = json.loads(fetch(b, package, "datapackage.json"))
    assert document["snapshot"]["root"] == there.seal()["payload"]["root"]
    assert document["snapshot"]["seal"] == there.seal()
    assert document["round"] == ROUND
    for described in document["resources"]:
        data = fetch(b, package, described["path"])
        assert described["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert described["bytes"] == len(data)
        table = rows(data)
        assert described["rows"] == len(table)
        fields = described["schema"]["fields"]
        assert data.decode().splitlines()[0].split(",") == [field["name"] for field in fields]
        keys = [tuple(one[name] for name in described["schema"]["primaryKey"]) for one in table]
        assert len(set(keys)) == len(keys)
        for field in fields:
            assert field["title"]
            assert field["description"]
            values = {one[field["name"]] for one in table} - {""}
            if field["type"] == "integer":
                assert all(value.isdigit() for value in values)
            if field["type"] == "boolean":
                assert values <= {*field["trueValues"], *field["falseValues"]}
            if field.get("constraints") == {"maxLength": 0}:
                assert not values
    (told,) = b.published(PackageBuilt)
    manifest = next(one for one in package["files"] if one["name"] == "datapackage.json")
    assert told["manifest_sha256"] == manifest["sha256"]
    assert (told["package"], told["rows"]) == (package["export"], 3)


def test_asked_twice_it_is_one_package(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    again = b.client.post(URL, headers=hq(b))
    assert (again.status_code, again.json) == (202, package)
    b.jobs()
    assert len(b.client.get(URL, headers=hq(b)).json["exports"]) == 1
    assert len(b.published(PackageBuilt)) == 1


def test_files_that_are_not_of_the_package_are_not_found(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    for name in ("x.csv", "..%2f..%2fclock.json", "%00", "schools.csv%00"):
        url = f"/api/v1/exports/{package['export']}/files/{name}"
        problem(b.client.get(url, headers=hq(b)), 404, "not-found")
    problem(b.client.get("/api/v1/exports/not-an-id", headers=hq(b)), 404, "not-found")
    url = "/api/v1/exports/00000000-0000-0000-0000-000000000000"
    problem(b.client.get(url, headers=hq(b)), 404, "not-found")
    problem(b.client.post(URL, json={"round": 1}, headers=hq(b)), 422, "invalid-body")


def test_who_fetched_what_is_kept_and_the_files_are_private(b: Bench, there: SealedRound) -> None:
    package = built(b, there)
    fetch(b, package, "students.csv")
    with b.database.transaction() as tx:
        (seen,) = tx.execute(sa.select(tables.reading)).all()
    assert (seen.export, seen.file, seen.by) == (package["export"], "students.csv", "hq")
    store = Store(b.runtime.settings.data)
    assert store.root.stat().st_mode & 0o077 == 0
    etag = f'"{package["files"][0]["sha256"]}"'
    url = f"/api/v1/exports/{package['export']}/files/{package['files'][0]['name']}"
    with b.client.get(url, headers=hq(b) | {"If-None-Match": etag}) as same:
        assert same.status_code == 304
