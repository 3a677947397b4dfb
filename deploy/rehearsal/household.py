"""Where pupils live and with whom: brothers and sisters, parents, guardian and both addresses, column-wise.

The persons themselves come from `pupils`. Nothing here is looked up in a real register: villages and roads are invented.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from deploy.rehearsal import names
from deploy.rehearsal.draw import Choice, Columns, constant, decimals, take, text, where
from deploy.rehearsal.identities import Ints, national_ids
from deploy.rehearsal.provinces import NAMES
from deploy.rehearsal.pupils import Persons

_FATHERS, _MOTHERS, _RELATIVES = 21, 41, 61  # bases of the ID districts: see `identities.national_ids`
_STATUS: Final = Choice(
    {
        "อยู่ด้วยกัน": 63, "แยกกันอยู่": 15, "หย่าร้าง": 12.5, "บิดาถึงแก่กรรม": 4, "มารดาถึงแก่กรรม": 2,
        "บิดาและมารดาถึงแก่กรรม": 0.5, "บิดาหรือมารดาทอดทิ้ง": 1, "ไม่ระบุ": 2,
    },
    "parents_status",
)  # fmt: skip
_OCCUPATION: Final = Choice(
    {
        "เกษตรกรรม": 34, "รับจ้าง": 40, "นักธุรกิจ-ค้าขาย": 10, "รับราชการ": 5, "พนักงานรัฐวิสาหกิจ": 1.5,
        "พนักงาน/เจ้าหน้าที่รัฐ/ลูกจ้าง": 4, "ไม่ได้ประกอบอาชีพ": 4, "อื่นๆ": 1.5,
    },
    "occupation",
)  # fmt: skip
_RELATION: Final = Choice(
    {
        "มารดา": 40, "บิดา": 32, "ยาย": 8, "ย่า": 6, "ตา": 3, "ปู่": 3, "ป้า": 2.5, "น้า": 2, "ลุง": 1.5, "อา": 1, "ญาติ": 1,
    },
    "guardian_relation",
)  # fmt: skip
_MOTHER, _FATHER = 0, 1
_MEN: Final = np.isin(np.arange(11), [1, 4, 5, 8])  # บิดา, ตา, ปู่, ลุง of `_RELATION`
_MOTHER_TITLE: Final = Choice({"นาง": 58, "นางสาว": 42})
_FIRST_DIGIT: Final = np.array([3, 3, 3, 3, 3, 5, 1, 1, 1, 1], dtype=np.int64)
_ROAD: Final = Choice({"": 88, "เทศบาล 1": 4, "เทศบาล 2": 3, "ประชาราษฎร์": 3, "มิตรภาพ": 2})
_SUBDISTRICTS: Final = pl.Series(
    [
        "บ้านใหม่",
        "หนองบัว",
        "ในเมือง",
        "ท่าเสา",
        "วังทอง",
        "โคกสูง",
        "ดอนแก้ว",
        "นาโพธิ์",
        "ห้วยยาง",
        "คลองใหญ่",
        "บึงงาม",
        "สระแก้ว",
    ]
)
_DISTRICTS: Final = pl.Series(["ท่าหลวง", "บ้านดอน", "หนองไผ่", "วังน้ำใส", "โพธิ์ทอง", "เนินสูง", "ทุ่งใหญ่"])
_HOUSE_NUMBERS: Final = pl.Series(
    [f"{number}" if number % 3 else f"{number}/{1 + number // 7 % 9}" for number in range(1, 400)]
)
_MOVED: Final = 0.18  # live elsewhere than where they are registered


def columns(rng: np.random.Generator, persons: Persons, province: int) -> Columns:
    """The 26 columns about family and the 18 about addresses, for all pupils of a roll."""
    moved = rng.random(len(persons)) < _MOVED
    registered = _address(rng, len(persons), province)
    neighbour = np.where(moved, rng.integers(len(persons), size=len(persons)), np.arange(len(persons)))
    return {
        **_siblings(rng, len(persons)),
        **_family(rng, persons, province),
        **{f"reg_{key}": column for key, column in registered.items()},
        **{f"cur_{key}": take(column, neighbour) for key, column in registered.items()},
    }


def _siblings(rng: np.random.Generator, count: int) -> Columns:
    numbers = np.minimum(rng.poisson(0.35, size=(4, count)), 4)
    studying = rng.binomial(numbers.sum(axis=0), 0.6)
    order = 1 + numbers[0] + numbers[2]
    keys = ("elder_brothers", "younger_brothers", "elder_sisters", "younger_sisters")
    return {
        **{key: text(number) for key, number in zip(keys, numbers, strict=True)},
        "child_order": text(order),
        "siblings_studying": text(studying),
    }


def _family(rng: np.random.Generator, persons: Persons, province: int) -> Columns:
    """Parents and guardian; a guardian who is a parent is that parent, word for word."""
    count = len(persons)
    surname = persons.columns["last_name_th"]
    own_name = take(names.family(), rng.integers(len(names.family()), size=count))
    father = _grown_up(rng, persons.running, province, _FATHERS, constant("นาย", count))
    mother = _grown_up(rng, persons.running, province, _MOTHERS, _MOTHER_TITLE.column(rng, count), women=True)
    father["last_name"] = surname
    mother["last_name"] = where(rng.random(count) < 0.7, surname, own_name)
    relation = _RELATION.places(rng, count)
    man = _MEN[relation]
    relative = _grown_up(rng, persons.running, province, _RELATIVES, where(man, "นาย", "นาง"), women=~man)
    relative["last_name"] = where(rng.random(count) < 0.5, surname, own_name)
    guardian = {
        key: where(relation == _MOTHER, mother[key], where(relation == _FATHER, father[key], relative[key]))
        for key in father
    }
    people = {"father": father, "mother": mother, "guardian": guardian}
    return {
        "parents_status": _STATUS.column(rng, count),
        "guardian_relation": take(_RELATION.labels, relation),
        **{f"{who}_{key}": column for who, person in people.items() for key, column in person.items()},
    }


def _grown_up(
    rng: np.random.Generator,
    running: Ints,
    province: int,
    base: int,
    title: pl.Series,
    women: bool | np.typing.NDArray[np.bool_] = False,
) -> Columns:
    count = len(running)
    male = take(names.male(), rng.integers(len(names.male()), size=count))
    female = take(names.female(), rng.integers(len(names.female()), size=count))
    phone = "0" + text(rng.integers(610_000_000, 999_999_999, size=count))
    incomes = decimals(1, 0, 60) + "000"
    income = take(incomes, np.minimum(1 + rng.lognormal(1.9, 0.6, count).astype(np.int64), 60))
    return {
        "national_id": national_ids(_FIRST_DIGIT[rng.integers(10, size=count)], province, running, base),
        "title": title,
        "first_name": where(np.broadcast_to(women, count), female, male),
        "income": where(rng.random(count) < 0.06, "", income),
        "phone": where(rng.random(count) < 0.12, "", phone),
        "occupation": _OCCUPATION.column(rng, count),
    }


def _address(rng: np.random.Generator, count: int, province: int) -> Columns:
    name = NAMES[province]
    district = rng.integers(len(_DISTRICTS) + 1)
    in_capital = district == len(_DISTRICTS)
    capital_word = "" if province == 10 else "เมือง"
    district_name = f"{capital_word}{name}" if in_capital else _DISTRICTS[int(district)]
    house_code = province * 10**9 + rng.integers(10**8, 10**9, size=count)
    phone = "0" + text(rng.integers(32_000_000, 77_999_999, size=count))
    return {
        "house_code": text(house_code),
        "house_no": take(_HOUSE_NUMBERS, rng.integers(len(_HOUSE_NUMBERS), size=count)),
        "moo": text(rng.integers(1, 16, size=count)),
        "road": _ROAD.column(rng, count),
        "subdistrict": take(_SUBDISTRICTS, rng.integers(len(_SUBDISTRICTS), size=count)),
        "district": constant(district_name, count),
        "province": constant(name, count),
        "postcode": constant(f"{province}{'000' if in_capital else f'{110 + 10 * int(district)}'}", count),
        "phone": where(rng.random(count) < 0.75, "", phone),
    }
