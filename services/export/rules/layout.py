"""The layout of the package: which columns its two files have and how a canonical roster becomes their rows.

Columns with the suffix `_Onec` are those of ONEC / EDC student rows, codes from the code tables in deploy/codes; the
others are ours, so that a reader sees what counts and from which line of which sealed document a row comes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from services.contracts.roster.codes import table
from services.export.rules.frames import REASONS, Frame

LAST_TERM = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` is a type of Frictionless table schemas, `empty` marks columns no source fills yet."""

    name: str
    kind: str
    th: str
    en: str
    empty: bool = False


STUDENTS: tuple[Column, ...] = (
    Column("AcademicYear_Onec", "integer", "ปีการศึกษา", "Academic year (B.E.)"),
    Column("Semester_Onec", "integer", "ภาคเรียน", "Term; the year-end round belongs to term 2"),
    Column("DepartmentID_Onec", "string", "หน่วยงานต้นสังกัด", "Affiliation, code table edc_department"),
    Column("SchoolID_Onec", "string", "รหัสสถานศึกษา 10 หลัก", "School, 10 digits"),
    Column(
        "PersonID_Onec",
        "string",
        "เลขประจำตัวประชาชนหรือรหัส G",
        "National ID, or the G-code of a pupil without one",
    ),
    Column("PassportNumber_Onec", "string", "เลขที่หนังสือเดินทาง", "Passport number; rosters have none", True),
    Column(
        "PrefixID_Onec", "string", "รหัสคำนำหน้าชื่อ", "Title, code table title; blank for titles without a code"
    ),
    Column("FirstName_Onec", "string", "ชื่อ", "First name"),
    Column("MiddleName_Onec", "string", "ชื่อกลาง", "Middle name; rosters have none", True),
    Column("LastName_Onec", "string", "นามสกุล", "Last name"),
    Column("GenderID_Onec", "string", "รหัสเพศ", "1 male, 2 female"),
    Column("NationalityID_Onec", "string", "รหัสสัญชาติ", "Nationality, code table nationality"),
    Column("DisabilityID_Onec", "string", "รหัสความพิการ", "1-9, 99 none (ONEC codes)"),
    Column("DisadvantageEducationID_Onec", "string", "รหัสความด้อยโอกาส", "1-10, 99 none (ONEC codes)"),
    Column("VillageNumber_Onec", "string", "หมู่ที่ (ที่อยู่ปัจจุบัน)", "Village number of the present address"),
    Column("Street_Onec", "string", "ถนน (ที่อยู่ปัจจุบัน)", "Road of the present address"),
    Column("Soi_Onec", "string", "ซอย", "Lane; rosters write it with the road", True),
    Column("Trok_Onec", "string", "ตรอก", "Alley; rosters write it with the road", True),
    Column(
        "SubDistrictID_Onec",
        "string",
        "รหัสตำบล 6 หลัก",
        "Sub-district code; rosters carry its name only",
        True,
    ),
    Column("SchoolAdmissionYear_Onec", "string", "ปีที่เข้าเรียน", "Year of admission; rosters have none", True),
    Column(
        "GradeLevelID_Onec", "string", "รหัสชั้น", "Grade, code table grade; blank where no code is known (ปวช.)"
    ),
    Column("RoomID_Onec", "string", "ห้อง", "Room"),
    Column(
        "GPAX_Onec", "string", "ผลการเรียนเฉลี่ยสะสม", "Cumulative grade point average, as the school wrote it"
    ),
    Column("StudentStatusID_Onec", "string", "รหัสสถานภาพ", "10 studying, 20 graduated"),
    Column("RosterLine", "integer", "ลำดับในเอกสารที่ผนึก", "Line of the school's sealed document, from 1"),
    Column("Counted", "boolean", "นับเป็นนักเรียน", "Whether the pupil is counted"),
    Column("NotCountedReason", "string", "เหตุที่ไม่นับ", "Why not; blank where counted"),
)

SCHOOLS: tuple[Column, ...] = (
    Column("AcademicYear_Onec", "integer", "ปีการศึกษา", "Academic year (B.E.)"),
    Column("Semester_Onec", "integer", "ภาคเรียน", "Term; the year-end round belongs to term 2"),
    Column("DepartmentID_Onec", "string", "หน่วยงานต้นสังกัด", "Affiliation, code table edc_department"),
    Column("SchoolID_Onec", "string", "รหัสสถานศึกษา 10 หลัก", "School, 10 digits"),
    Column("SmisID", "string", "รหัสโรงเรียน 8 หลัก", "School, 8 digits (SMIS)"),
    Column("SchoolName", "string", "ชื่อโรงเรียน", "Name"),
    Column("AreaID", "string", "รหัสเขตพื้นที่", "Education service area at closing"),
    Column("AreaName", "string", "ชื่อเขตพื้นที่", "Its name"),
    Column("Province", "string", "จังหวัด", "Province"),
    Column("Levels", "string", "ระดับที่เปิดสอน", "Levels taught"),
    Column("State", "string", "สถานะเมื่อปิดรอบ", "State at closing"),
    Column("Counted", "boolean", "นับข้อมูลของโรงเรียน", "Whether the school's pupils are in students.csv"),
    Column("Pupils", "integer", "จำนวนนักเรียนในเอกสาร", "Pupils in the sealed document"),
    Column(
        "PupilsCounted",
        "integer",
        "จำนวนนักเรียนที่นับ",
        "Counted pupils; with the five columns after it they make Pupils",
    ),
    *(Column(f"Not_{reason}", "integer", f"ไม่นับ: {reason}", f"Not counted: {reason}") for reason in REASONS),
    Column(
        "RosterSHA256", "string", "SHA-256 ของเอกสาร", "SHA-256 of the sealed document; blank without one"
    ),
    Column(
        "Buildings",
        "integer",
        "จำนวนสิ่งก่อสร้าง",
        "Buildings confirmed in the B-OBEC round of the year; blank without",
    ),
    Column("BuildingsConfirmedBy", "string", "ผู้ยืนยันสิ่งก่อสร้าง", "school or area; blank where nobody confirmed"),
)


@dataclass(frozen=True, slots=True)
class Term:
    """Whose round it is: academic year (B.E.) and term; `term` None = the year-end round."""

    academic_year: int
    term: int | None

    @property
    def semester(self) -> int:
        return self.term or LAST_TERM


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolFacts:
    """What the register and the buildings round know of a school; blank where they know nothing."""

    smis8: str = ""
    name: str = ""
    esa_name: str = ""
    province: str = ""
    levels: str = ""
    buildings: int | None = None
    buildings_level: str = ""


def student_rows(roster: pl.DataFrame, frames: Sequence[Frame], term: Term) -> pl.DataFrame:
    """The rows of counted schools in STUDENTS' columns, all text; empty = null. `roster`: the frames' extracts, one below the other."""
    graduated = _codes("edc_status", "onec")
    status = pl.when(pl.col("graduated") == "1").then(pl.lit(graduated["สำเร็จการศึกษา"]))
    reason = pl.col("_reason")
    given: dict[str, pl.Expr] = {
        "AcademicYear_Onec": pl.lit(str(term.academic_year)),
        "Semester_Onec": pl.lit(str(term.semester)),
        "DepartmentID_Onec": pl.lit(department()),
        "SchoolID_Onec": pl.col("_school"),
        "PersonID_Onec": pl.col("national_id"),
        "PrefixID_Onec": _coded("title", "title"),
        "FirstName_Onec": pl.col("first_name_th"),
        "LastName_Onec": pl.col("last_name_th"),
        "GenderID_Onec": _coded("sex", "sex"),
        "NationalityID_Onec": _coded("nationality", "nationality"),
        "DisabilityID_Onec": _coded("disability", "disability", "onec"),
        "DisadvantageEducationID_Onec": _coded("disadvantage", "disadvantage", "onec"),
        "VillageNumber_Onec": pl.col("cur_moo"),
        "Street_Onec": pl.col("cur_road"),
        "GradeLevelID_Onec": _coded("grade", "grade"),
        "RoomID_Onec": pl.col("room"),
        "GPAX_Onec": pl.col("gpax"),
        "StudentStatusID_Onec": status.otherwise(pl.lit(graduated["กำลังศึกษา"])),
        "RosterLine": pl.col("_line").cast(pl.String),
        "Counted": pl.when(reason.is_null()).then(pl.lit("1")).otherwise(pl.lit("0")),
        "NotCountedReason": reason,
    }
    nothing = pl.lit(None, pl.String)
    columns = [given.get(c.name, nothing).alias(c.name) for c in STUDENTS]
    return roster.with_columns(*_places(frames)).select(columns)


def _places(frames: Sequence[Frame]) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Of each pupil the school, the line in its document (from 1), and why it does not count (null where it does)."""
    pupils = [frame.pupils for frame in frames]
    reasons: list[str | None] = [None] * sum(pupils)
    for frame, end in zip(frames, itertools.accumulate(pupils), strict=True):
        for line, reason in frame.not_counted.items():
            reasons[end - frame.pupils + line - 1] = reason
    schools = pl.DataFrame({"_school": [frame.school for frame in frames], "_pupils": pupils})
    counted = schools.filter(pl.col("_pupils") > 0).select(
        pl.col("_school").repeat_by("_pupils"), pl.int_ranges(1, pl.col("_pupils") + 1).alias("_line")
    )
    places = counted.explode("_school", "_line")
    return places["_school"], places["_line"], pl.Series("_reason", reasons, pl.String)


def school_row(frame: Frame, facts: SchoolFacts, term: Term) -> tuple[str, ...]:
    """The row of one school in SCHOOLS' columns."""
    reasons = _reasons(frame)
    counted = frame.pupils - sum(reasons.values())
    built = "" if facts.buildings is None else str(facts.buildings)
    return (
        *(str(term.academic_year), str(term.semester), department(), frame.school, facts.smis8, facts.name),
        *(frame.esa, facts.esa_name, facts.province, facts.levels, frame.state, str(int(frame.counted))),
        *(str(frame.pupils), str(counted), *(str(reasons[reason]) for reason in REASONS)),
        *(frame.sha256 or "", built, facts.buildings_level),
    )


def _reasons(frame: Frame) -> Counter[str]:
    if not frame.counted:
        return Counter({"not-certified": frame.pupils})
    return Counter(frame.not_counted.values())


def department() -> str:
    return table("edc_department").values[0].code


def _codes(name: str, attribute: str) -> dict[str, str]:
    return {value.label: str(getattr(value, attribute)) for value in table(name).values}


def _coded(column: str, name: str, attribute: str = "code") -> pl.Expr:
    codes = {label: code or None for label, code in _codes(name, attribute).items()}
    return pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String)


def names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]
