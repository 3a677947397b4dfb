"""Every rule of the catalogue is tripped by what it is for and left alone by its nearest neighbour; one merged pass finds
what single passes find."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.roster.canonical import COLUMNS, canonicalise, canonicalise_many, empty
from services.contracts.roster.codes import table
from services.contracts.roster.fields import STORED, by_key
from services.contracts.roster.identity import check_digit
from services.intake.rules.catalogue import CATALOGUE, RULES
from services.intake.rules.checks import Finding, Roster, check

COUNT_DAY = date(2021, 11, 10)
CLEAN = {
    "school_code": "66020001",
    "national_id": "1112034563562",
    "grade": "ป.1",
    "room": "1",
    "student_code": "1001",
    "sex": "ช",
    "title": "เด็กชาย",
    "first_name_th": "สมชาย",
    "last_name_th": "ใจดี",
    "birth_date": "05/11/2557",
    "weight_kg": "21.5",
    "height_cm": "118",
    "religion": "พุทธ",
    "lacks_lunch": "0",
    "father_income": "9000",
}


def roster_of(*pupils: dict[str, str], **of: object) -> Roster:
    rows = [CLEAN | pupil | {"_source_row": number} for number, pupil in enumerate(pupils, start=3)]
    frame = pl.DataFrame(rows) if rows else empty()
    settings = {
        "school_code10": "1066020001",
        "smis8": "66020001",
        "count_day": COUNT_DAY,
        "academic_year_be": 2564,
    }
    return Roster(canonicalise(frame), **(settings | of))  # type: ignore[arg-type]


def found(*pupils: dict[str, str], **of: object) -> list[Finding]:
    return check([roster_of(*pupils, **of)])[0]


def codes(*pupils: dict[str, str], **of: object) -> list[tuple[str, str | None]]:
    return [(finding.rule, finding.field) for finding in found(*pupils, **of)]


def other(number: int) -> dict[str, str]:
    """Another clean pupil, on the row behind."""
    digits = f"15099{number:07}"
    return {"national_id": digits + str(check_digit(digits)), "student_code": str(2000 + number)}


def test_a_clean_roster_has_no_findings() -> None:
    assert codes({}, other(1), other(2)) == []


TRIPPED = [
    ("national-id-missing", "national_id", {"national_id": ""}),
    ("national-id-missing", "national_id", {"national_id": "-"}),
    ("national-id-format", "national_id", {"national_id": "1.11203E+12"}),
    ("national-id-format", "national_id", {"national_id": '="1112034563562"'}),
    ("national-id-format", "national_id", {"national_id": "111203456356"}),
    ("national-id-format", "national_id", {"national_id": "G64420000001"}),
    ("national-id-checksum", "national_id", {"national_id": "1112034563563"}),
    ("school-code-mismatch", "school_code", {"school_code": "66020002"}),
    ("school-code-mismatch", "school_code", {"school_code": ""}),
    ("grade-unknown", "grade", {"grade": ""}),
    ("grade-unknown", "grade", {"grade": "ป.7"}),
    ("grade-unknown", "grade", {"grade": "อนุบาล 1"}),
    ("room-invalid", "room", {"room": ""}),
    ("room-invalid", "room", {"room": "0"}),
    ("room-invalid", "room", {"room": "-1"}),
    ("room-invalid", "room", {"room": "1/2"}),
    ("room-invalid", "room", {"room": "1.5"}),
    ("sex-missing", "sex", {"sex": ""}),
    ("name-missing", "first_name_th", {"first_name_th": " "}),
    ("name-missing", "last_name_th", {"last_name_th": "\u200b"}),
    ("birth-date-invalid", "birth_date", {"birth_date": ""}),
    ("birth-date-invalid", "birth_date", {"birth_date": "31/02/2557"}),
    ("birth-date-invalid", "birth_date", {"birth_date": "11/11/2564"}),
    ("birth-date-invalid", "birth_date", {"birth_date": "10/11/2523"}),
    ("title-sex-conflict", "title", {"title": "เด็กหญิง"}),
    ("title-sex-conflict", "title", {"title": "ด.ช.", "sex": "หญิง"}),
    ("code-unknown", "sex", {"sex": "x"}),
    ("code-unknown", "religion", {"religion": "พุทธศาสนิก"}),
    ("code-unknown", "title", {"title": "คุณ"}),
    ("code-unknown", "lacks_lunch", {"lacks_lunch": "2"}),
    ("code-unknown", "disability", {"disability": "=1"}),
    ("number-invalid", "weight_kg", {"weight_kg": "21 กก."}),
    ("number-invalid", "weight_kg", {"weight_kg": "-21"}),
    ("number-invalid", "father_income", {"father_income": "เก้าพัน"}),
    ("number-invalid", "elder_brothers", {"elder_brothers": "1.5"}),
    ("number-invalid", "travel_minutes", {"travel_minutes": "1e3"}),
    ("number-invalid", "father_income", {"father_income": "9" * 40}),
    ("age-grade", "birth_date", {"birth_date": "15/05/2554"}),
    (
        "age-grade",
        "birth_date",
        {"birth_date": "16/05/2560", "grade": "ป.2", "weight_kg": "16", "height_cm": "100"},
    ),
    ("title-age", "title", {"title": "นาย"}),
    ("title-age", "title", {"birth_date": "10/11/2549", "grade": "ม.3", "weight_kg": "", "height_cm": ""}),
    ("body-measure", "weight_kg", {"weight_kg": "118"}),
    ("body-measure", "weight_kg", {"weight_kg": "0"}),
    ("body-measure", "height_cm", {"height_cm": "21.5"}),
    ("body-measure", "height_cm", {"height_cm": "1180"}),
    ("cannot-discharge", "cannot_discharge_yet", {"cannot_discharge_yet": "ใช่"}),
    (
        "under-age",
        "birth_date",
        {"birth_date": "17/05/2560", "grade": "อ.2", "weight_kg": "", "height_cm": ""},
    ),
]


@pytest.mark.parametrize(
    ("rule", "field", "values"), TRIPPED, ids=[f"{n}-{case[0]}" for n, case in enumerate(TRIPPED)]
)
def test_tripped(rule: str, field: str, values: dict[str, str]) -> None:
    findings = found(other(1), values)
    assert [(finding.rule, finding.field) for finding in findings] == [(rule, field)]
    assert findings[0].severity == CATALOGUE[rule].severity
    assert findings[0].source_row == 4


NOT_TRIPPED = [
    {"national_id": "G644200000001"},
    {"national_id": "0000000000001"},
    {"national_id": "1-1120-34563-56-2"},
    {"school_code": "1066020001"},
    {"school_code": "๖๖๐๒๐๐๐๑"},
    {"grade": "ประถมศึกษาปีที่ ๑"},
    {"room": "๐๒"},
    {"sex": "ชาย"},
    {"title": ""},
    {"title": "สามเณร"},
    {"title": "หม่อมหลวง"},
    {"title": "หม่อมหลวง", "sex": "ญ"},
    {"birth_date": "5 พ.ย. 2557"},
    {"religion": ""},
    {"religion": "ศาสนาพุทธ"},
    {"lacks_lunch": "ใช่"},
    {"weight_kg": "", "height_cm": ""},
    {"weight_kg": "-"},
    {"father_income": "15,000.00"},
    {"student_code": ""},
    {"cannot_discharge_yet": "0"},
    {"birth_date": "16/05/2554", "grade": "ป.2", "weight_kg": "30"},
    {"birth_date": "17/05/2554", "grade": "ป.1"},
    {"birth_date": "16/05/2560", "grade": "ป.1", "weight_kg": "16", "height_cm": "100"},
    {"birth_date": "16/05/2560", "grade": "อ.2", "weight_kg": "16", "height_cm": "100"},
    {"birth_date": "11/11/2549", "grade": "ม.3", "weight_kg": "50", "height_cm": "160"},
    {"birth_date": "10/11/2549", "grade": "ม.3", "title": "นาย", "weight_kg": "50", "height_cm": "160"},
    {"birth_date": "11/11/2523", "grade": "ม.6", "title": "นาย", "weight_kg": "70", "height_cm": "170"},
]


@pytest.mark.parametrize("values", NOT_TRIPPED, ids=range(len(NOT_TRIPPED)))
def test_not_tripped(values: dict[str, str]) -> None:
    allowed = {("age-grade", "birth_date")} if values.get("birth_date") == "11/11/2523" else set()
    assert set(codes(other(1), values)) == allowed


def test_a_number_twice_is_found_on_every_row_concerned() -> None:
    findings = found(
        {}, other(1), {"student_code": "1002", "grade": "ป.2"}, {"national_id": "", "student_code": "3"}
    )
    assert sorted((f.rule, f.source_row) for f in findings) == [
        ("national-id-missing", 6),
        ("national-id-repeated", 3),
        ("national-id-repeated", 5),
    ]


def test_damaged_numbers_are_not_also_repeated() -> None:
    twice = [{"national_id": "1.1E+12", "student_code": "1"}, {"national_id": "1.1E+12", "student_code": "2"}]
    assert codes(*twice) == [("national-id-format", "national_id")] * 2


def test_a_student_code_twice() -> None:
    pupils = ({}, other(1) | {"student_code": "1001"}, other(2))
    assert codes(*pupils) == [("student-code-repeated", "student_code")] * 2
    assert codes({"student_code": ""}, other(1) | {"student_code": ""}) == []


def test_no_pupils_is_about_the_whole_roster() -> None:
    assert found() == [Finding("no-pupils", "warning", 0, None, None)]


def test_a_school_without_an_eight_digit_code() -> None:
    assert codes({"school_code": ""}, smis8="") == [("school-code-mismatch", "school_code")]
    assert codes({"school_code": "1066020001"}, smis8="") == []


def test_ages_are_those_of_the_round() -> None:
    pupil = {"birth_date": "10/11/2549", "grade": "ม.3", "weight_kg": "", "height_cm": ""}
    assert codes(pupil, count_day=date(2021, 11, 9)) == []
    assert ("title-age", "title") in codes(pupil, count_day=date(2022, 4, 30))
    younger = {"birth_date": "16/05/2560", "grade": "อ.2", "weight_kg": "", "height_cm": ""}
    assert codes(younger, academic_year_be=2563) == [("under-age", "birth_date")]


@pytest.mark.parametrize("month", range(1, 13))
def test_full_years_in_every_month(month: int) -> None:
    born = {"birth_date": f"2006-{month:02}-10", "grade": "ม.3", "weight_kg": "", "height_cm": ""}
    before = date(2021, month, 9)
    assert ("title-age", "title") not in codes(born, count_day=before)
    assert ("title-age", "title") in codes(born, count_day=date(2021, month, 10))


def test_lines_and_source_rows() -> None:
    findings = found(
        {"room": "x", "grade": "ม.1", "birth_date": "01/01/2552", "weight_kg": "", "height_cm": ""}, other(1)
    )
    assert [(f.rule, f.line, f.source_row) for f in findings] == [("room-invalid", 2, 3)]
    stored = roster_of(other(1), {"room": "x"})
    edited = Roster(stored.frame.select(COLUMNS), "1066020001", "66020001", COUNT_DAY, 2564)
    assert [(f.line, f.source_row) for f in check([edited])[0]] == [(2, None)]


def test_findings_carry_no_values() -> None:
    assert set(Finding.__slots__) == {"rule", "severity", "line", "source_row", "field"}


def test_catalogue_is_complete() -> None:
    assert len(RULES) == len(CATALOGUE) == 20
    assert {case[0] for case in TRIPPED} | {
        "national-id-repeated",
        "student-code-repeated",
        "no-pupils",
    } == set(CATALOGUE)
    for rule in RULES:
        assert rule.source
        for th, en in ((rule.th, rule.en), (rule.fix_th, rule.fix_en)):
            assert any("\u0e00" <= char <= "\u0e7f" for char in th)
            assert en.isprintable()
        for key in rule.fields:
            by_key(key)


_FAULTS = st.sampled_from([case[2] for case in TRIPPED] + [{}] * 12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(_FAULTS, st.integers(0, 3)), max_size=5), min_size=1, max_size=6))
def test_merged_is_the_same_as_one_by_one(schools: list[list[tuple[dict[str, str], int]]]) -> None:
    rosters = [
        roster_of(
            *(other(number) | fault for fault, number in pupils),
            smis8="66020001" if index % 2 else "66020002",
        )
        for index, pupils in enumerate(schools)
    ]
    assert check(rosters) == [check([roster])[0] for roster in rosters]


def test_the_same_child_at_two_schools_is_no_finding_of_either() -> None:
    assert check([roster_of({}), roster_of({})]) == [[], []]


def test_random_whole_rosters_merged_and_alone() -> None:
    rng = random.Random(5)
    frames = [pl.DataFrame([_random_pupil(rng) for _ in range(rng.randint(1, 40))]) for _ in range(12)]
    merged = canonicalise_many(frames)
    rosters = [Roster(frame, "1066020001", "66020001", COUNT_DAY, 2564) for frame in merged]
    assert check(rosters) == [check([roster])[0] for roster in rosters]


def _random_pupil(rng: random.Random) -> dict[str, str]:
    return {field.key: rng.choice(["", "x", "1", "-3", "๒", *_labels(field.table)]) for field in STORED}


def _labels(name: str | None) -> list[str]:
    return list(table(name).labels) if name else ["1112034563562", "05/11/2557", "01/01/2500"]
