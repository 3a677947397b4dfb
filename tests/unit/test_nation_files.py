"""The files of a synthetic nation against its truth: read and checked by intake's own rules, they hold what was planted
and nothing else."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from deploy.rehearsal import register
from deploy.rehearsal.faults import NO_PUPILS, RULES
from deploy.rehearsal.nation import SCHOOLS_FILE, TRUTH_FILE, Order, make_nation
from deploy.rehearsal.truth import SchoolTruth, Truth, Upload, areas, load, outline, save, schools_of
from deploy.rehearsal.wrong import REASONS
from services.contracts.roster.canonical import canonicalise
from services.contracts.roster.fields import COLUMNS
from services.contracts.roster.identity import id_fault
from services.intake.rules.catalogue import CATALOGUE
from services.intake.rules.catalogue_refusals import REFUSALS, Unreadable
from services.intake.rules.checks import Roster, check
from services.intake.rules.reading import Readout, read

SEED = 20


def schools_list(path: Path, *wanted: tuple[str, int]) -> Path:
    """A list with so many schools of these ESAs, taken from a made-up one."""
    rows = register.make(1)
    register.write(
        (school for esa, count in wanted for school in [row for row in rows if row.esa == esa][:count]), path
    )
    return path


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two areas, 72 primary and 4 secondary schools."""
    folder = tmp_path_factory.mktemp("nation")
    schools = schools_list(folder / "list.tsv", ("6602", 72), ("101701", 4))
    make_nation(Order(SEED, folder / "made", schools=schools))
    return folder / "made"


@pytest.fixture(scope="module")
def truth(nation: Path) -> Truth:
    return load(nation / TRUTH_FILE)


def uploads(truth: Truth, expect: str) -> list[tuple[SchoolTruth, Upload]]:
    return [
        (school, upload)
        for school in truth.schools.values()
        for upload in school.uploads
        if upload.expect == expect
    ]


def readout(nation: Path, upload: Upload) -> Readout:
    return read((nation / upload.file).read_bytes(), filename=upload.file)


def test_every_readable_file_has_the_planted_findings_and_no_other(nation: Path, truth: Truth) -> None:
    accepted = uploads(truth, "accepted")
    rosters = [
        Roster(
            canonicalise(readout(nation, upload).frame), school.code, school.smis8, date(2021, 11, 10), 2564
        )
        for school, upload in accepted
    ]
    for (_, upload), findings in zip(accepted, check(rosters), strict=True):
        found = Counter((f.rule, f.severity, f.source_row or 0, f.field) for f in findings)
        planted = Counter((f.rule, f.severity, f.row, f.field) for f in upload.findings)
        assert found == planted, upload.file


def test_every_wrong_file_is_refused_for_its_reason(nation: Path, truth: Truth) -> None:
    rejected = uploads(truth, "rejected")
    assert {upload.reason for _, upload in rejected} == set(REASONS) <= set(REFUSALS)
    for _, upload in rejected:
        with pytest.raises(Unreadable) as refused:
            readout(nation, upload)
        assert refused.value.code == upload.reason


def test_each_area_has_every_error_and_warning_at_least_once(truth: Truth) -> None:
    rules = {rule for rule, entry in CATALOGUE.items() if entry.severity != "note"}
    assert rules == {*RULES, NO_PUPILS}
    planted = {
        finding.rule
        for school, upload in uploads(truth, "accepted")
        if school.esa == "6602"
        for finding in upload.findings
    }
    assert rules <= planted


def test_a_third_of_the_schools_begin_with_one_to_five_faults(truth: Truth) -> None:
    spoilt = [
        {(f.rule) for f in upload.findings if f.severity != "note"}
        for school, upload in uploads(truth, "accepted")
        if upload.purpose == "first" and school.esa == "6602" and upload.pupils
    ]
    faulty = [rules for rules in spoilt if rules]
    assert all(len(rules) <= 5 for rules in faulty)
    assert 20 <= len(faulty) <= 26


def test_the_last_file_is_free_of_errors_and_of_unexplained_warnings(truth: Truth) -> None:
    for school in truth.schools.values():
        assert school.last.expect == "accepted"
        assert all(finding.then in ("explain", "note") for finding in school.last.findings)
        assert all(finding.severity != "error" for finding in school.last.findings)


def test_counts_are_those_of_the_last_file(nation: Path, truth: Truth) -> None:
    for school in truth.schools.values():
        frame = canonicalise(readout(nation, school.last).frame)
        held = {
            (grade, sex): number for grade, sex, number in frame.group_by("grade", "sex").len().iter_rows()
        }
        told = {
            (grade, sex): number
            for grade, pair in school.counts.items()
            for sex, number in zip("ชญ", pair, strict=True)
            if number
        }
        assert held == told
        assert school.pupils == school.last.pupils == sum(told.values())
        assert school.counted == school.pupils - sum(school.not_counted.values())


def test_duplicates_stand_in_both_files_and_leave_the_false_one_when_removed(
    nation: Path, truth: Truth
) -> None:
    first = {
        school.code: upload for school, upload in uploads(truth, "accepted") if upload.purpose == "first"
    }
    frames = {code: readout(nation, upload).frame for code, upload in first.items()}
    last = {code: readout(nation, school.last).frame for code, school in truth.schools.items()}

    def at(code: str, row: int) -> str:
        return str(frames[code].filter(pl.col("_source_row") == row)["national_id"].item())

    for pair in truth.duplicates:
        assert pair.true_school != pair.false_school
        assert (
            at(pair.true_school, pair.true_row) == at(pair.false_school, pair.false_row) == pair.national_id
        )
        assert pair.national_id in last[pair.true_school]["national_id"]
        assert (pair.national_id in last[pair.false_school]["national_id"]) == (pair.resolution != "removed")
    assert {pair.resolution for pair in truth.duplicates} == {"removed", "ours", "undecided"}
    assert 0.003 < len(truth.duplicates) / truth.totals.pupils < 0.012


def test_ids_are_valid_and_on_one_roll_only_but_for_the_planted_duplicates(
    nation: Path, truth: Truth
) -> None:
    ids = [
        number
        for school in truth.schools.values()
        for number in canonicalise(readout(nation, school.last).frame)["national_id"].to_list()
    ]
    assert [number for number in ids if id_fault(number)] == []
    repeated = {number for number, times in Counter(ids).items() if times > 1}
    assert repeated == {pair.national_id for pair in truth.duplicates if pair.resolution != "removed"}
    assert any(number.startswith("G") for number in ids)


def test_pupils_are_not_counted_for_one_reason_each(truth: Truth) -> None:
    not_counted: Counter[str] = Counter()
    for school in truth.schools.values():
        not_counted.update(school.not_counted)
    resolutions = Counter(pair.resolution for pair in truth.duplicates)
    assert not_counted["duplicate-lost"] == resolutions["ours"]
    assert not_counted["duplicate-undecided"] == 2 * resolutions["undecided"]
    assert not_counted["under-age"] > 0
    assert not_counted["cannot-discharge"] > 0


def test_forms_are_those_that_schools_send(nation: Path, truth: Truth) -> None:
    forms = Counter(school.form for school in truth.schools.values())
    assert set(forms) == {"utf8-bom", "utf8", "windows-874", "tab", "xlsx"}
    assert 0.15 <= forms["xlsx"] / len(truth.schools) <= 0.22
    for school, upload in uploads(truth, "accepted"):
        if not upload.pupils:
            continue
        got = readout(nation, upload)
        stored = [key for key in got.frame.columns if key in COLUMNS]
        assert len(stored) >= 80
        assert got.unknown_headers == ()
        assert got.header_row == (2 if school.form == "xlsx" else 1)
        assert got.frame["school_code"].is_in([school.smis8]).sum() >= upload.pupils - 1


def test_the_year_end_round_has_results(nation: Path, tmp_path: Path) -> None:
    order = Order(SEED, tmp_path / "made", round="2564-end", schools=nation / SCHOOLS_FILE, limit=3)
    make_nation(order)
    truth = load(tmp_path / "made" / TRUTH_FILE)
    frame = canonicalise(readout(tmp_path / "made", next(iter(truth.schools.values())).last).frame)
    assert truth.count_day == "2022-04-30"
    assert set(frame["year_result"]) <= {"สอบได้", "สอบตก"}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_with_any_number_of_processes(nation: Path, tmp_path: Path) -> None:
    schools = nation / SCHOOLS_FILE
    make_nation(Order(SEED, tmp_path / "two", schools=schools, jobs=2))
    assert digests(tmp_path / "two") == digests(nation)
    make_nation(Order(SEED + 1, tmp_path / "other", schools=schools, limit=4))
    other, here = digests(tmp_path / "other"), digests(nation)
    assert all(other[file] != here[file] for file in other if file in here)


def test_truth_reads_back_as_it_was_written(nation: Path, truth: Truth, tmp_path: Path) -> None:
    save(truth, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (nation / TRUTH_FILE).read_bytes()
    assert list(schools_of(nation / TRUTH_FILE)) == list(truth.schools.values())
    assert truth.totals.schools == len(truth.schools) == 76
    assert truth.totals.duplicates == len(truth.duplicates)


def test_truth_of_another_format_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"format": 0}')
    with pytest.raises(ValueError, match="format 0"):
        load(tmp_path / "truth.json")


def test_an_outline_has_every_school_and_file_but_nothing_to_be_found(nation: Path, truth: Truth) -> None:
    told = outline(nation / TRUTH_FILE).schools
    assert list(told) == list(truth.schools)
    for code, school in told.items():
        whole = truth.schools[code]
        assert [u.file for u in school.uploads] == [u.file for u in whole.uploads]
        assert (school.smis8, school.esa, school.pupils) == (whole.smis8, whole.esa, whole.pupils)
        assert not any(upload.findings for upload in school.uploads)


def test_a_school_that_stands_under_no_area_has_no_area_office(truth: Truth) -> None:
    first, *others = truth.schools.values()
    assert areas([replace(first, esa=""), *others]) == ["101701", "6602"]


def test_a_truth_that_is_broken_off_has_no_outline(nation: Path, tmp_path: Path) -> None:
    lines = (nation / TRUTH_FILE).read_text(encoding="utf-8").splitlines(keepends=True)
    for text in ("".join(lines[:5]), "".join(lines[:5])[:-20], '{"format": 2, "schools": {\n}'):
        (tmp_path / "truth.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"ends before|format 1|delimiter|Unterminated|Expecting"):
            outline(tmp_path / "truth.json")
