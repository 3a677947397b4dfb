"""Errors and warnings planted in a roll: for each rule what a clerk typed wrong, and what a checker must say of it.

One function per rule changes copies of the columns; the rules themselves are intake's. Files that cannot be read at
all are made by `wrong`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from deploy.rehearsal.draw import Columns, be_date_column
from deploy.rehearsal.identities import Ints
from deploy.rehearsal.pupils import titles
from deploy.rehearsal.roll import Roll
from deploy.rehearsal.rounds import Round, day_number
from deploy.rehearsal.sizes import GRADES

ERRORS: Final = (
    "national-id-missing", "national-id-format", "national-id-checksum", "national-id-repeated",
    "school-code-mismatch", "grade-unknown", "room-invalid", "sex-missing", "name-missing", "birth-date-invalid",
    "title-sex-conflict", "code-unknown", "number-invalid", "student-code-repeated",
)  # fmt: skip
WARNINGS: Final = ("age-grade", "title-age", "body-measure")
RULES: Final = (*ERRORS, *WARNINGS)
NO_PUPILS: Final = (
    "no-pupils"  # a warning of the whole roll: a school without pupils has it, nobody plants it
)
UNDER_AGE: Final = "under-age"
CANNOT_DISCHARGE: Final = "cannot-discharge"
PAIRED: Final = frozenset({"national-id-repeated", "student-code-repeated"})

_LATE: Final = 5 * 365 + 1  # days by which a birth is moved: five years outside a grade's usual age


@dataclass(slots=True)
class Cells:
    """Changed cells of a roll: (field key, row) to the text typed there."""

    roll: Roll
    round: Round
    changed: dict[tuple[str, int], str] = field(default_factory=dict)

    def put(self, key: str, row: int, value: str) -> None:
        """Type a value."""
        self.changed[key, row] = value

    def of(self, key: str, row: int) -> str:
        """What stands in the roll."""
        return str(self.roll.columns[key][row])


Plant = Callable[[Cells, int, int], str]


def _national_id_missing(cells: Cells, row: int, _variant: int) -> str:
    cells.put("national_id", row, "")
    return "national_id"


def _national_id_format(cells: Cells, row: int, variant: int) -> str:
    value = cells.of("national_id", row)
    cells.put(
        "national_id", row, (value[:12], "1.10E+12", f"={value}", value[:6] + "O" + value[7:])[variant % 4]
    )
    return "national_id"


def _national_id_checksum(cells: Cells, row: int, variant: int) -> str:
    """The last digit mistyped; of a G-code, which has no check digit, a number with a wrong one is made."""
    value = cells.of("national_id", row)
    digits = value if value.isdigit() else "1112034563562"
    cells.put("national_id", row, digits[:12] + str((int(digits[12]) + 1 + variant % 9) % 10))
    return "national_id"


def _repeated(key: str) -> Plant:
    def plant(cells: Cells, row: int, variant: int) -> str:
        cells.put(key, row, cells.of(key, variant))  # for a paired rule the variant is the other pupil's row
        return key

    return plant


def _school_code_mismatch(cells: Cells, row: int, _variant: int) -> str:
    code = cells.of("school_code", row)
    cells.put("school_code", row, code[:4] + f"{(int(code[4:]) + 41) % 10_000:04d}")
    return "school_code"


def _grade_unknown(cells: Cells, row: int, variant: int) -> str:
    cells.put("grade", row, ("ป.7", "ม.0", "เตรียม", "")[variant % 4])
    return "grade"


def _room_invalid(cells: Cells, row: int, variant: int) -> str:
    cells.put("room", row, ("0", "ก", "")[variant % 3])
    return "room"


def _sex_missing(cells: Cells, row: int, _variant: int) -> str:
    cells.put("sex", row, "")
    return "sex"


def _name_missing(cells: Cells, row: int, variant: int) -> str:
    key = ("first_name_th", "last_name_th")[variant % 2]
    cells.put(key, row, "")
    return key


def _birth_date_invalid(cells: Cells, row: int, variant: int) -> str:
    cells.put("birth_date", row, ("", "31/02/2553", "ไม่ทราบ", "05/13/2553")[variant % 4])
    return "birth_date"


def _title_sex_conflict(cells: Cells, row: int, _variant: int) -> str:
    cells.put("sex", row, "ญ" if cells.of("sex", row) == "ช" else "ช")
    return "title"


def _code_unknown(cells: Cells, row: int, variant: int) -> str:
    key, value = (
        ("religion", "พุธ"),
        ("travel_mode", "ยานแม่"),
        ("disability", "พิการเล็กน้อย"),
        ("nationality", "ไทยแลนด์"),
    )[variant % 4]
    cells.put(key, row, value)
    return key


def _number_invalid(cells: Cells, row: int, variant: int) -> str:
    key, value = (("travel_minutes", "ครึ่งชั่วโมง"), ("elder_sisters", "-1"), ("father_income", "หมื่นห้า"))[
        variant % 3
    ]
    cells.put(key, row, value)
    return key


def _age_grade(cells: Cells, row: int, _variant: int) -> str:
    """Born five years before the class: everything that goes with the age goes along, so that only this rule trips."""
    birth = cells.roll.persons.birth[row : row + 1] - _LATE
    months = (day_number(cells.round.count_day) - int(birth[0])) * 12 // 365
    cells.put("birth_date", row, str(be_date_column(birth, padded=True)[0]))
    cells.put(
        "title", row, str(titles(cells.roll.persons.girl[row : row + 1], birth, cells.round.count_day)[0])
    )
    cells.put("age_years", row, str(months // 12))
    for key in ("weight_kg", "height_cm"):
        cells.put(key, row, "")
    return "birth_date"


def _title_age(cells: Cells, row: int, _variant: int) -> str:
    turned = {"เด็กชาย": "นาย", "เด็กหญิง": "นางสาว", "นาย": "เด็กชาย", "นางสาว": "เด็กหญิง"}
    cells.put("title", row, turned[cells.of("title", row)])
    return "title"


def _body_measure(cells: Cells, row: int, variant: int) -> str:
    key, value = (("weight_kg", "312"), ("height_cm", "14.5"))[variant % 2]
    cells.put(key, row, value)
    return key


_PLANTS: Final[dict[str, Plant]] = {
    "national-id-missing": _national_id_missing,
    "national-id-format": _national_id_format,
    "national-id-checksum": _national_id_checksum,
    "national-id-repeated": _repeated("national_id"),
    "student-code-repeated": _repeated("student_code"),
    "school-code-mismatch": _school_code_mismatch,
    "grade-unknown": _grade_unknown,
    "room-invalid": _room_invalid,
    "sex-missing": _sex_missing,
    "name-missing": _name_missing,
    "birth-date-invalid": _birth_date_invalid,
    "title-sex-conflict": _title_sex_conflict,
    "code-unknown": _code_unknown,
    "number-invalid": _number_invalid,
    "age-grade": _age_grade,
    "title-age": _title_age,
    "body-measure": _body_measure,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: the rows (0-based) that the rule must name, and the cells that were typed."""

    rule: str
    rows: tuple[int, ...]
    field: str
    cells: dict[tuple[str, int], str]

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "warning" if self.rule in WARNINGS else "error"


def plant(
    roll: Roll, rules: tuple[str, ...], free: Ints, rng: np.random.Generator, round_: Round
) -> list[Fault]:
    """Plant these rules, each on pupils of its own among the rows `free`; rules that find no pupil are left out."""
    rows = [int(row) for row in rng.permutation(free)]
    faults = []
    for rule in rules:
        variant = int(rng.integers(1_000))
        chosen = _choose(rule, roll, rows)
        if len(chosen) < 1 + (rule in PAIRED):
            continue
        rows = [row for row in rows if row not in chosen]
        cells = Cells(roll, round_)
        key = _PLANTS[rule](cells, chosen[0], chosen[1] if rule in PAIRED else variant)
        faults.append(Fault(rule, tuple(sorted(chosen)), key, cells.changed))
    return faults


def _choose(rule: str, roll: Roll, rows: list[int]) -> list[int]:
    """The pupils to spoil: two for a repeated number, one of ป.1 or above for an age that is not the grade's."""
    if rule == "age-grade":
        rows = [row for row in rows if GRADES[roll.persons.grade[row]].startswith(("ป.", "ม."))]
    if rule == "national-id-repeated":
        rows = [row for row in rows if str(roll.columns["national_id"][row]).isdigit()]
    return rows[: 2 if rule in PAIRED else 1]


def typed(columns: Columns, faults: list[Fault]) -> Columns:
    """The columns with the faults' cells typed in; the columns given stay as they are."""
    changed = dict(columns)
    by_column: dict[str, dict[int, str]] = {}
    for fault in faults:
        for (key, row), value in fault.cells.items():
            by_column.setdefault(key, {})[row] = value
    for key, cells in by_column.items():
        values = columns[key].to_list()
        for row, value in cells.items():
            values[row] = value
        changed[key] = pl.Series(values, dtype=pl.String)
    return changed
