"""The rules of `catalogue` applied to canonical rosters, many in one vectorised pass. A finding names rule, line and field,
never a value. Whether findings keep a school from confirming is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from services.contracts.roster.codes import grades, table
from services.contracts.roster.dates import BUDDHIST_ERA
from services.contracts.roster.fields import COLUMNS, by_key
from services.contracts.roster.identity import id_faults
from services.intake.rules.catalogue import CATALOGUE, RULES, Severity

MAX_AGE = 40
ADULT_TITLE_AGE = 15
FUNDED_AGE = 4
AGE_TOLERANCE = 3


_CHILD_TITLES = ("เด็กชาย", "เด็กหญิง")
_ADULT_TITLES = ("นาย", "นางสาว")
_ORDER = {rule.code: number for number, rule in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Roster:
    """A canonical roster (`contracts.roster.canonical`, with `_source_row` where it came from a file) and what it is
    judged by: the school's 10-digit and 8-digit codes, the round's count day and academic year (Buddhist era)."""

    frame: pl.DataFrame
    school_code10: str
    smis8: str
    count_day: date
    academic_year_be: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Rule `rule` is broken on `line` of the canonical document (1-based; 0 is the roster as a whole), which came from
    row `source_row` of the user's file, in `field`."""

    rule: str
    severity: Severity
    line: int
    source_row: int | None
    field: str | None


@dataclass(frozen=True, slots=True)
class _Condition:
    """Where `broken` is true, `rule` is broken in `field`."""

    rule: str
    field: str
    broken: pl.Expr


def check(rosters: Sequence[Roster]) -> list[list[Finding]]:
    """The findings of every roster, in the order of `rosters`, each list by line, then rule, then field.

    One pass over all rows together; what is compared within a roster (repeated numbers) is kept apart by roster.
    """
    found: list[list[Finding]] = [
        [_finding("no-pupils", 0, None, None)] if not r.frame.height else [] for r in rosters
    ]
    filled = [(number, roster) for number, roster in enumerate(rosters) if roster.frame.height]
    if not filled:
        return found
    rows = _prepared(filled)
    conditions = _conditions()
    broken = rows.select(c.broken.fill_null(False).alias(str(number)) for number, c in enumerate(conditions))
    places = list(
        zip(*(rows.get_column(name).to_list() for name in ("_roster", "_line", "_source_row")), strict=True)
    )
    for number, any_broken in enumerate(broken.select(pl.all().any()).row(0)):
        if any_broken:
            condition = conditions[number]
            for row in broken.to_series(number).arg_true().to_list():
                roster, line, source_row = places[row]
                found[roster].append(_finding(condition.rule, line, source_row, condition.field))
    for findings in found:
        findings.sort(key=_position)
    return found


def _finding(rule: str, line: int, source_row: int | None, field: str | None) -> Finding:
    return Finding(rule, CATALOGUE[rule].severity, line, source_row, field)


def _position(finding: Finding) -> tuple[int, int, int]:
    column = COLUMNS.index(finding.field) if finding.field else -1
    return finding.line, _ORDER[finding.rule], column


def _prepared(rosters: Sequence[tuple[int, Roster]]) -> pl.DataFrame:
    """All rows in one frame, with the place they come from, what they are judged by, and what several rules ask for."""
    placed = pl.concat([_placed(number, roster) for number, roster in rosters], how="diagonal")
    order = {grade.label: grade.order for grade in grades()}
    birth = pl.col("birth_date")
    is_iso = birth.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")
    return placed.with_columns(
        id_faults("national_id").alias("_id_fault"),
        pl.when(is_iso).then(birth).str.to_date("%Y-%m-%d", strict=False).alias("_birth"),
        pl.col("grade").replace_strict(order, default=None, return_dtype=pl.Int32).alias("_grade"),
    ).with_columns(_age_at("_count_day").alias("_age"), _age_at("_may").alias("_age_may"))


def _placed(number: int, roster: Roster) -> pl.DataFrame:
    frame = roster.frame
    source = [] if "_source_row" in frame.columns else [pl.lit(None, pl.Int64).alias("_source_row")]
    may = date(roster.academic_year_be - BUDDHIST_ERA, 5, 16)
    return frame.with_columns(
        pl.lit(number, pl.Int32).alias("_roster"),
        pl.int_range(1, frame.height + 1, dtype=pl.Int64).alias("_line"),
        pl.lit(roster.school_code10).alias("_code10"),
        pl.lit(roster.smis8).alias("_smis8"),
        pl.lit(roster.count_day, pl.Date).alias("_count_day"),
        pl.lit(may, pl.Date).alias("_may"),
        *source,
    )


def _age_at(day: str) -> pl.Expr:
    """Full years from birth to a day; null without a birth date, negative when born later."""
    born, at = pl.col("_birth"), pl.col(day)
    before_birthday = _month_and_day(at) < _month_and_day(born)
    return at.dt.year() - born.dt.year() - before_birthday.cast(pl.Int32)


def _month_and_day(day: pl.Expr) -> pl.Expr:
    # polars gives months as 8-bit integers, which cannot hold 1231.
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()


@cache
def _conditions() -> tuple[_Condition, ...]:
    return (*_identity(), *_class_and_person(), *_values(), *_ages(), *_notes())


def _identity() -> Iterator[_Condition]:
    fault = pl.col("_id_fault")
    for name in ("missing", "format", "checksum"):
        yield _Condition(f"national-id-{name}", "national_id", fault == name)
    shaped = fault.is_null() | (fault == "checksum")
    yield _Condition("national-id-repeated", "national_id", shaped & _repeated("national_id"))
    coded = pl.col("student_code") != ""
    yield _Condition("student-code-repeated", "student_code", coded & _repeated("student_code"))
    code = pl.col("school_code")
    ours = (code != "") & ((code == pl.col("_smis8")) | (code == pl.col("_code10")))
    yield _Condition("school-code-mismatch", "school_code", ~ours)


def _repeated(column: str) -> pl.Expr:
    """True where the value stands more than once within the same roster."""
    return pl.struct("_roster", column).is_duplicated()


def _class_and_person() -> Iterator[_Condition]:
    yield _Condition("grade-unknown", "grade", pl.col("_grade").is_null())
    yield _Condition("room-invalid", "room", ~pl.col("room").str.contains(r"^[1-9][0-9]{0,3}\z"))
    yield _Condition("sex-missing", "sex", pl.col("sex") == "")
    for column in ("first_name_th", "last_name_th"):
        yield _Condition("name-missing", column, pl.col(column) == "")
    impossible = (pl.col("_birth") > pl.col("_count_day")) | (pl.col("_age") > MAX_AGE)
    yield _Condition("birth-date-invalid", "birth_date", pl.col("_birth").is_null() | impossible)
    for sex in ("ช", "ญ"):
        titles = [value.label for value in table("title").values if value.sex == sex]
        other = pl.col("sex").is_in(["ช", "ญ"]) & (pl.col("sex") != sex)
        yield _Condition("title-sex-conflict", "title", pl.col("title").is_in(titles) & other)


def _values() -> Iterator[_Condition]:
    for key in CATALOGUE["code-unknown"].fields:
        labels = ["", *table(by_key(key).table or "").labels]
        yield _Condition("code-unknown", key, ~pl.col(key).is_in(labels))
    for key in CATALOGUE["number-invalid"].fields:
        shape = (
            r"^(?:[0-9]{1,9})?\z" if by_key(key).kind == "int" else r"^(?:[0-9]{1,9}(?:\.[0-9]{1,17})?)?\z"
        )
        yield _Condition("number-invalid", key, ~pl.col(key).str.contains(shape))


def _ages() -> Iterator[_Condition]:
    order, age, title = pl.col("_grade"), pl.col("_age_may"), pl.col("title")
    # อ.1 (order 0) is for 3-year-olds at 16 May, ป.1 (order 3) for those born in one calendar year: 6, some already 7.
    # ปวช.1 (order 15) follows ม.3 as ม.4 (order 12) does.
    youngest = pl.when(order >= 15).then(order).otherwise(order + 3)
    oldest = pl.when(order >= 3).then(youngest + 1).otherwise(youngest)
    off = (age <= youngest - AGE_TOLERANCE) | (age >= oldest + AGE_TOLERANCE)
    yield _Condition("age-grade", "birth_date", _plausible_birth() & off)
    at_count = pl.col("_age")
    child = title.is_in(_CHILD_TITLES) & (at_count >= ADULT_TITLE_AGE)
    adult = title.is_in(_ADULT_TITLES) & (at_count < ADULT_TITLE_AGE)
    yield _Condition("title-age", "title", _plausible_birth() & (child | adult))
    yield from _body()


def _body() -> Iterator[_Condition]:
    """Bounds that a healthy or a very sick child of the age keeps, linear in age from three years on."""
    years = pl.col("_age").clip(3, 20) - 3
    known = _plausible_birth().fill_null(False)
    weight = pl.col("weight_kg").cast(pl.Float64, strict=False)
    height = pl.col("height_cm").cast(pl.Float64, strict=False)
    least_kg, most_kg = (8 + 1.1 * years).clip(upper_bound=25), (30 + 9.0 * years).clip(upper_bound=180)
    least_cm, most_cm = (70 + 4.0 * years).clip(upper_bound=120), (115 + 7.0 * years).clip(upper_bound=210)
    sane_kg = pl.when(known).then(weight.is_between(least_kg, most_kg)).otherwise(weight.is_between(8, 180))
    sane_cm = pl.when(known).then(height.is_between(least_cm, most_cm)).otherwise(height.is_between(70, 210))
    yield _Condition("body-measure", "weight_kg", (weight >= 0) & ~sane_kg)
    yield _Condition("body-measure", "height_cm", (height >= 0) & ~sane_cm)


def _plausible_birth() -> pl.Expr:
    return (pl.col("_birth") <= pl.col("_count_day")) & (pl.col("_age") <= MAX_AGE)


def _notes() -> Iterator[_Condition]:
    yield _Condition("cannot-discharge", "cannot_discharge_yet", pl.col("cannot_discharge_yet") == "1")
    under = pl.col("_age_may") < FUNDED_AGE
    yield _Condition("under-age", "birth_date", _plausible_birth() & under)
