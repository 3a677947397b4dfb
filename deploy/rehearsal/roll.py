"""A school's roll: its pupils, and those wrongly entered as well, with every column of the field table as a file shows
it (Buddhist Era dates, ช/ญ, labels). How a file spells headers and bytes is `forms`' job, planting errors `faults`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from deploy.rehearsal import household, names
from deploy.rehearsal.draw import (
    Bools,
    Choice,
    Columns,
    be_date_column,
    constant,
    decimals,
    take,
    text,
    where,
)
from deploy.rehearsal.identities import Ints
from deploy.rehearsal.pupils import KINDERGARTEN, Persons, under_age
from deploy.rehearsal.register import School
from deploy.rehearsal.rounds import Round, day_number
from deploy.rehearsal.sizes import GRADES, rooms, stream
from services.contracts.roster.fields import FIELDS

_GRADE_LABELS: Final = pl.Series(list(GRADES))
_COMPULSORY: Final = (3, 12)  # ป.1 to ม.3, as places in GRADES
_VANISHED: Final = 0.002
_HEIGHT: Final = np.array(
    [
        [95, 102, 109, 115, 121, 127, 132, 137, 142, 148, 155, 161, 166, 168, 170, 171, 171],
        [94, 101, 108, 114, 120, 126, 132, 138, 145, 150, 154, 156, 157, 158, 158, 159, 159],
    ]
)  # cm by sex and full years 3 to 19, after the growth charts' medians
_WEIGHT: Final = np.array(
    [14, 16, 18, 20, 22.5, 25.5, 28.5, 32, 36, 40, 45, 49, 53, 55, 57, 58, 59]
)  # kg, both sexes
_YOUNGEST, _OLDEST = 3, 19
_BLOOD: Final = Choice({"O": 28, "B": 24, "A": 15, "AB": 6, "": 20, "ไม่ทราบ": 7}, "blood_type")
_DISADVANTAGE: Final = Choice(
    {
        "เด็กยากจน": 49.8, "ไม่ด้อยโอกาส": 49, "เด็กถูกทอดทิ้ง": 0.4, "ชนกลุ่มน้อย": 0.5,
        "ผลกระทบจากเอดส์": 0.1, "กำพร้า": 0.15, "เด็กที่ถูกทำร้ายทารุณ": 0.05,
    },
    "disadvantage",
)  # fmt: skip
_DISABILITY: Final = Choice(
    {
        "ไม่พิการ": 94.8, "การเรียนรู้": 3.9, "สติปัญญา": 0.5, "ร่างกาย/สุขภาพ": 0.3, "พฤติกรรมและอารมณ์": 0.2,
        "ออทิสติก": 0.15, "การมองเห็น": 0.06, "การได้ยิน": 0.05, "พิการซ้ำซ้อน": 0.04,
    },
    "disability",
)  # fmt: skip
_BOARDING: Final = Choice(
    {"อยู่กับบิดามารดา": 74, "อยู่กับญาติ": 24, "โครงการพักนอนประจำ บ้านพักนักเรียน/หอนอน": 1.5, "อยู่กับพระ": 0.5},
    "boarding",
)
_TRAVEL: Final = Choice(
    {"เดินเท้า": 24, "พาหนะไม่เสียค่าโดยสาร": 44, "พาหนะเสียค่าโดยสาร": 30, "จักรยานยืมเรียน": 2}, "travel_mode"
)
_KIND: Final = Choice({"ปกติ": 97, "เรียนรวม": 3})
_FIRST_STEP: Final = Choice(
    {"ศึกษาต่อโรงเรียนเดิม": 40, "ศึกษาต่อโรงเรียนอื่นในจังหวัด": 45, "ศึกษาต่อโรงเรียนอื่นต่างจังหวัด": 10, "ไม่ทราบ": 5},
    "next_step",
)
_LAST_GRADES: Final = np.array([GRADES.index(grade) for grade in ("ป.6", "ม.3", "ม.6", "ปวช.3")])


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll in the order of its file. Arrays have one entry per row.

    `origin` is the place of the pupil in the school's own `Persons`, or -1 - n for the n-th guest (a pupil wrongly
    entered here); `vanished` is the 3.1.8 flag; `columns` has every field of the field table as file text.
    """

    persons: Persons
    origin: Ints
    young: Bools
    vanished: Bools
    columns: Columns

    def __len__(self) -> int:
        return len(self.origin)

    def rows_of(self, origins: Ints) -> Ints:
        """Row (0-based) of each of these origins."""
        place = {int(origin): row for row, origin in enumerate(self.origin)}
        return np.array([place[int(origin)] for origin in origins], dtype=np.int64)

    def counts(self, keep: Bools) -> dict[str, tuple[int, int]]:
        """Grade label to (boys, girls) among the rows kept."""
        cells = np.zeros((len(GRADES), 2), dtype=np.int64)
        np.add.at(cells, (self.persons.grade[keep], self.persons.girl[keep]), 1)
        return {
            grade: (int(boys), int(girls))
            for grade, (boys, girls) in zip(GRADES, cells, strict=True)
            if boys + girls
        }


def build(
    seed: int, place: int, school: School, own: Persons, guests: Persons, never_vanish: Ints, round_: Round
) -> Roll:
    """The roll of a school from its own pupils and its guests, whose grades must be grades the school has.

    `never_vanish`: places of own pupils that must not get the 3.1.8 flag.
    """
    rng = stream(seed, place, 2)
    everyone = own.and_also(guests)
    room = _rooms(everyone.grade)
    order = np.lexsort((everyone.girl, room, everyone.grade))
    origin = np.concatenate([np.arange(len(own)), -1 - np.arange(len(guests))]).astype(np.int64)[order]
    persons, room = everyone.at(order), room[order]
    young = under_age(persons.birth, round_)
    vanished = _vanished(rng, persons, origin, young, never_vanish)
    first_code = int(rng.integers(1_000, 9_000))
    codes = first_code + len(own) - origin
    columns = {
        **persons.columns,
        "school_code": constant(school.smis8, len(persons)),
        "school_name": constant(school.name, len(persons)),
        "grade": take(_GRADE_LABELS, persons.grade),
        "room": text(room),
        "student_code": text(codes),
        "cannot_discharge_yet": where(vanished, "1", ""),
        "birth_date": be_date_column(persons.birth, padded=bool(rng.random() < 0.85)),
        **_english(rng, len(persons)),
        **_body(rng, persons, round_),
        **household.columns(rng, persons, school.province_code),
        **_needs(rng, len(persons)),
        **_travel(rng, len(persons)),
        **_schooling(rng, persons, school.province),
        **(_year_end(rng, persons) if round_.year_end else {}),
    }
    blank = constant("", len(persons))
    ordered = {field.key: columns.get(field.key, blank) for field in FIELDS}
    return Roll(persons, origin, young, vanished, ordered)


def _rooms(grade: Ints) -> Ints:
    """Room of each pupil: a grade's pupils are spread evenly over its rooms, guests as well."""
    room = np.ones(len(grade), dtype=np.int64)
    for place in np.unique(grade):
        members = np.flatnonzero(grade == place)
        room[members] = 1 + np.arange(len(members)) * rooms(len(members), GRADES[place]) // len(members)
    return room


def _vanished(rng: np.random.Generator, persons: Persons, origin: Ints, young: Bools, never: Ints) -> Bools:
    """Children of compulsory age who cannot be discharged; never a guest or one of `never`."""
    low, high = _COMPULSORY
    drawn = (rng.random(len(persons)) < _VANISHED) & (persons.grade >= low) & (persons.grade < high)
    return np.asarray(drawn & (origin >= 0) & ~young & ~np.isin(origin, never))


def _english(rng: np.random.Generator, count: int) -> Columns:
    blank = rng.random(count) < 0.8
    first = take(names.ENGLISH_GIVEN, rng.integers(len(names.ENGLISH_GIVEN), size=count))
    last = take(names.ENGLISH_FAMILY, rng.integers(len(names.ENGLISH_FAMILY), size=count))
    return {"first_name_en": where(blank, "", first), "last_name_en": where(blank, "", last)}


def _body(rng: np.random.Generator, persons: Persons, round_: Round) -> Columns:
    """Ages at the count day, and weight and height within two deviations of what is usual at that age."""
    count = len(persons)
    months = ((day_number(round_.count_day) - persons.birth) / 30.4375).astype(np.int64)
    usual = np.clip(months // 12, _YOUNGEST, _OLDEST) - _YOUNGEST
    height = _HEIGHT[persons.girl, usual] * (1 + 0.04 * np.clip(rng.standard_normal(count), -2, 2))
    weight = _WEIGHT[usual] * (1 + 0.13 * np.clip(rng.standard_normal(count), -2, 2))
    unknown = rng.random(count) < 0.03
    return {
        "age_years": text(months // 12),
        "age_months": text(months % 12),
        "weight_kg": where(unknown, "", take(decimals(10, 1, 120), (weight * 10).astype(np.int64))),
        "height_cm": where(unknown, "", take(decimals(1, 0, 220), height.astype(np.int64))),
        "blood_type": _BLOOD.column(rng, count),
    }


def _needs(rng: np.random.Generator, count: int) -> Columns:
    disadvantage = _DISADVANTAGE.column(rng, count)
    poor = (disadvantage == "เด็กยากจน").to_numpy()
    flags = {
        key: where(poor & (rng.random(count) < share), "1", "0")
        for key, share in (
            ("lacks_uniform", 0.5), ("lacks_stationery", 0.35), ("lacks_textbook", 0.1), ("lacks_lunch", 0.6),
        )
    }  # fmt: skip
    return {
        "disadvantage": disadvantage,
        **flags,
        "disability": _DISABILITY.column(rng, count),
        "boarding": _BOARDING.column(rng, count),
    }


def _travel(rng: np.random.Generator, count: int) -> Columns:
    tenths = np.minimum(rng.exponential(25, size=(2, count)), 300).astype(np.int64)
    unpaved = np.where(rng.random(count) < 0.7, 0, tenths[0] // 4)
    water = np.where(rng.random(count) < 0.99, 0, tenths[1] // 3)
    minutes = 3 + (unpaved + tenths[1] + water) // 5
    kilometres = decimals(10, 1, 60)
    return {
        "dist_unpaved_km": take(kilometres, unpaved),
        "dist_paved_km": take(kilometres, tenths[1]),
        "dist_water_km": take(kilometres, water),
        "travel_minutes": text(minutes),
        "travel_mode": _TRAVEL.column(rng, count),
    }


def _schooling(rng: np.random.Generator, persons: Persons, province: str) -> Columns:
    marks = np.clip(rng.normal(290, 55, size=(2, len(persons))), 100, 400).astype(np.int64)
    marked = persons.grade > KINDERGARTEN
    return {
        "student_type": _KIND.column(rng, len(persons)),
        "gpax": where(marked, take(decimals(100, 2, 4), marks[0]), ""),
        "gpa": where(marked, take(decimals(100, 2, 4), marks[1]), ""),
        "birth_province": constant(province or "กรุงเทพมหานคร", len(persons)),
    }


def _year_end(rng: np.random.Generator, persons: Persons) -> Columns:
    count = len(persons)
    passed = (persons.grade < KINDERGARTEN) | (rng.random(count) < 0.992)
    last = np.isin(persons.grade, _LAST_GRADES)
    return {
        "year_result": where(passed, "สอบได้", "สอบตก"),
        "years_studied": where(passed, "1", "2"),
        "failing_reason": where(passed, "", "เวลาเรียนไม่ถึงเกณฑ์"),
        "graduated": where(last, where(passed, "1", "0"), ""),
        "next_step": where(last & passed, _FIRST_STEP.column(rng, count), ""),
    }
