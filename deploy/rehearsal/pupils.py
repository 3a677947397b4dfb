"""The pupils of one school as persons: number, name, sex, birth, grade. The same school always gives the same persons,
so that another school's false entry of one of them can be made without asking the first.

Everything else a roster says of them (home, family, needs) is `household`'s and `roll`'s job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from deploy.rehearsal import names
from deploy.rehearsal.draw import Bools, Choice, Columns, constant, take, where
from deploy.rehearsal.identities import Ints, g_codes, national_ids, running_numbers
from deploy.rehearsal.provinces import BORDER, SOUTH
from deploy.rehearsal.register import School
from deploy.rehearsal.rounds import Round, day_number, years_before
from deploy.rehearsal.sizes import BOYS, GRADES, stream

KINDERGARTEN: Final = 3  # grades before ป.1
_FOREIGN_AT_BORDER, _FOREIGN_ELSEWHERE = 0.06, 0.008
_REPEATERS: Final = 0.04
_REGISTERED_LATE: Final = 0.015
_SEX: Final = pl.Series(["ช", "ญ"])
_TITLES: Final = pl.Series(["เด็กชาย", "เด็กหญิง", "นาย", "นางสาว"])
_G, _NO_STATUS = -1, 0
# Papers of children without Thai nationality: a G-code, or a number with first digit 0, 7, 6 or 8.
_PAPERS: Final = Choice({"-1": 45, "0": 20, "7": 20, "6": 10, "8": 5})
_PAPER_DIGITS: Final = np.array([_G, _NO_STATUS, 7, 6, 8], dtype=np.int64)
_NATIONALITY: Final = Choice({"พม่า": 62, "กัมพูชา": 14, "ลาว": 12, "ไร้สัญชาติ": 12}, "nationality")
_ETHNICITY: Final = Choice(
    {"พม่า": 40, "กะเหรี่ยง": 18, "กัมพูชา": 14, "ลาว": 12, "ไทใหญ่": 10, "มอญ": 6}, "ethnicity"
)
_FAITH: Final = Choice({"พุทธ": 96.5, "อิสลาม": 2.3, "คริสต์": 1.2}, "religion")
_SOUTHERN_FAITH: Final = Choice({"อิสลาม": 86, "พุทธ": 13.8, "คริสต์": 0.2}, "religion")


@dataclass(frozen=True, slots=True)
class Persons:
    """The pupils of a school in school order; all arrays have one entry per pupil.

    `grade` is a place in `GRADES`, `girl` 0 or 1, `birth` days since 1970, `running` the number that makes IDs unique;
    `columns` holds what a roster copies as it is: national_id, sex, title, names, nationality, ethnicity, religion.
    """

    grade: Ints
    girl: Ints
    birth: Ints
    running: Ints
    columns: Columns

    def __len__(self) -> int:
        return len(self.grade)

    def at(self, places: Ints) -> Persons:
        """These persons, in this order."""
        columns = {key: take(column, places) for key, column in self.columns.items()}
        return Persons(
            self.grade[places], self.girl[places], self.birth[places], self.running[places], columns
        )

    def and_also(self, others: Persons) -> Persons:
        """These persons and after them the others."""
        return Persons(
            np.concatenate([self.grade, others.grade]),
            np.concatenate([self.girl, others.girl]),
            np.concatenate([self.birth, others.birth]),
            np.concatenate([self.running, others.running]),
            {key: pl.concat([column, others.columns[key]]) for key, column in self.columns.items()},
        )


def persons_of(seed: int, place: int, school: School, counts: Ints, round_: Round) -> Persons:
    """All pupils of the school in line `place` of the list, `counts` of each grade (shape (18,)), in grade order."""
    rng = stream(seed, place, 1)
    grade = np.repeat(np.arange(len(GRADES)), counts)
    count = len(grade)
    girl = (rng.random(count) >= BOYS).astype(np.int64)
    birth = _births(rng, grade, round_)
    running = running_numbers(seed, place, np.arange(count, dtype=np.int64))
    border = school.province_code in BORDER
    foreign = rng.random(count) < (_FOREIGN_AT_BORDER if border else _FOREIGN_ELSEWHERE)
    columns = {
        "national_id": _numbers(rng, foreign, school.province_code, running),
        "sex": take(_SEX, girl),
        "title": titles(girl, birth, round_.count_day),
        **_names(rng, girl),
        **_origin(rng, foreign, south=school.province_code in SOUTH),
    }
    return Persons(grade, girl, birth, running, columns)


def titles(girl: Ints, birth: Ints, count_day: date) -> pl.Series:
    """เด็กชาย and เด็กหญิง until the fifteenth birthday, นาย and นางสาว from it on."""
    grown = birth <= day_number(years_before(count_day, 15))
    return take(_TITLES, girl + 2 * grown)


def under_age(birth: Ints, round_: Round) -> Bools:
    """Who had not lived four full years when the term opened (not funded, not counted)."""
    return np.asarray(birth > day_number(years_before(round_.term_opening, 4)))


def _first_and_days(grade: int, year: int) -> tuple[int, int]:
    """First birthday and number of birthdays of a grade's year group: kindergarten counts full years at 16 May,
    ป.1 and above calendar years (domain reference §1.4)."""
    if grade < KINDERGARTEN:
        born = year - 4 - grade
        first, after = date(born, 5, 17), date(born + 1, 5, 17)
    else:
        born = year - 7 - (grade - KINDERGARTEN) + (3 if grade >= GRADES.index("ปวช.1") else 0)
        first, after = date(born, 1, 1), date(born + 1, 1, 1)
    return day_number(first), (after - first).days


def _births(rng: np.random.Generator, grade: Ints, round_: Round) -> Ints:
    ranges = np.array([_first_and_days(place, round_.year) for place in range(len(GRADES))], dtype=np.int64)
    first, days = ranges[grade].T
    birth = first + (rng.random(len(grade)) * days).astype(np.int64)
    repeats = (rng.random(len(grade)) < _REPEATERS) & (grade >= KINDERGARTEN)
    return np.asarray(birth - 365 * repeats, dtype=np.int64)


def _numbers(rng: np.random.Generator, foreign: Bools, province: int, running: Ints) -> pl.Series:
    count = len(running)
    digit = np.where(rng.random(count) < _REGISTERED_LATE, 2, 1)
    if not foreign.any():
        return national_ids(digit, province, running)
    digit = np.where(foreign, _PAPER_DIGITS[_PAPERS.places(rng, count)], digit)
    numbers = national_ids(np.maximum(digit, 0), province, running)
    return where(digit == _G, g_codes(province, running), numbers)


def _names(rng: np.random.Generator, girl: Ints) -> Columns:
    count = len(girl)
    boys = take(names.male(), rng.integers(len(names.male()), size=count))
    girls = take(names.female(), rng.integers(len(names.female()), size=count))
    return {
        "first_name_th": where(girl == 1, girls, boys),
        "last_name_th": take(names.family(), rng.integers(len(names.family()), size=count)),
    }


def _origin(rng: np.random.Generator, foreign: Bools, *, south: bool) -> Columns:
    count = len(foreign)
    religion = (_SOUTHERN_FAITH if south else _FAITH).column(rng, count)
    thai = constant("ไทย", count)
    if not foreign.any():
        return {"nationality": thai, "ethnicity": thai, "religion": religion}
    return {
        "nationality": where(foreign, _NATIONALITY.column(rng, count), thai),
        "ethnicity": where(foreign, _ETHNICITY.column(rng, count), thai),
        "religion": religion,
    }
