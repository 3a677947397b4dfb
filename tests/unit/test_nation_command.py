"""`tabian nation make`: what it writes and says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.rehearsal import register
from deploy.rehearsal.truth import load
from gateway.cli.nation import nation


@pytest.fixture
def schools(tmp_path: Path) -> Path:
    path = tmp_path / "list.tsv"
    rows = register.make(1)
    register.write(
        [row for esa in ("6601", "6602") for row in [row for row in rows if row.esa == esa][:25]], path
    )
    return path


def run(*args: str | Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(nation, ["make", *map(str, args)], env=env)
    return done.exit_code, done.output


def test_makes_an_area_and_writes_the_result(schools: Path, tmp_path: Path) -> None:
    result = tmp_path / "results" / "nation.json"
    code, said = run(
        "--esa", "6601", "--schools", schools, "--limit", 3, "--out", tmp_path / "n", "--json", result
    )
    assert code == 0, said
    truth = load(tmp_path / "n" / "truth.json")
    written = json.loads(result.read_text(encoding="utf-8"))
    assert written["totals"]["schools"] == len(truth.schools) == 3
    assert written["totals"]["pupils"] == truth.totals.pupils
    assert written["rss_mib"] > 0
    assert len(register.read(tmp_path / "n" / "schools.tsv")) == 3
    assert {upload.file for school in truth.schools.values() for upload in school.uploads} == {
        str(path.relative_to(tmp_path / "n")) for path in (tmp_path / "n" / "rosters").iterdir()
    }
    assert "3 schools" in said


def test_several_areas_share_a_pupil(schools: Path, tmp_path: Path) -> None:
    code, said = run("--all", "--schools", schools, "--out", tmp_path / "n", "--seed", 4)
    assert code == 0, said
    truth = load(tmp_path / "n" / "truth.json")
    areas = {school.code: school.esa for school in truth.schools.values()}
    shared = [pair for pair in truth.duplicates if areas[pair.true_school] != areas[pair.false_school]]
    assert sorted(areas[pair.true_school] for pair in shared) == ["6601", "6602"]


def test_the_list_named_in_the_environment_is_used(schools: Path, tmp_path: Path) -> None:
    code, said = run(
        "--esa", "6601", "--limit", 1, "--out", tmp_path / "n", env={"TABIAN_SCHOOLS": str(schools)}
    )
    assert code == 0, said
    assert register.read(tmp_path / "n" / "schools.tsv") == register.read(schools)[:1]


def test_an_earlier_nation_is_replaced(schools: Path, tmp_path: Path) -> None:
    run("--esa", "6601", "--schools", schools, "--limit", 2, "--out", tmp_path / "n")
    code, _ = run("--esa", "6601", "--schools", schools, "--limit", 1, "--out", tmp_path / "n")
    assert code == 0
    kept = register.read(tmp_path / "n" / "schools.tsv")
    assert {path.name.split(".")[0] for path in (tmp_path / "n" / "rosters").iterdir()} == {kept[0].code}


def test_a_folder_with_other_files_is_left_alone(schools: Path, tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "thesis.txt").write_text("mine")
    code, said = run("--esa", "6601", "--schools", schools, "--out", tmp_path / "n")
    assert code == 1
    assert "something else" in said
    assert [path.name for path in (tmp_path / "n").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("choice", [[], ["--all", "--esa", "6601"]])
def test_area_or_all_must_be_chosen(choice: list[str], tmp_path: Path) -> None:
    code, said = run(*choice, "--out", tmp_path / "n")
    assert code == 2
    assert "--esa" in said


def test_an_area_that_the_list_lacks(schools: Path, tmp_path: Path) -> None:
    code, said = run("--esa", "9999", "--schools", schools, "--out", tmp_path / "n")
    assert code == 1
    assert "no school of ESA 9999" in said
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"province\tesa_code\n", register.PUBLIC_LIST.name.encode()]
)
def test_a_list_that_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_bytes(content)
    code, said = run("--all", "--schools", tmp_path / "list.tsv", "--out", tmp_path / "n")
    assert code == 1
    assert "cannot read the list" in said


def test_a_list_with_a_torn_row(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("\t".join(register.HEADER) + "\nพิจิตร\t6602\n", encoding="utf-8")
    code, said = run("--all", "--schools", tmp_path / "list.tsv", "--out", tmp_path / "n")
    assert code == 1
    assert "cannot read the list" in said
