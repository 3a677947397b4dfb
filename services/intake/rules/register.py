"""Reading the public list of schools (TSV: province, esa_code, esa_name, smis8, school_id10, name_th, levels_taught).

The real list has faults that were kept for years: they are reported and do not stop the import. A school without an
area is left out, since nobody could acknowledge it; a code of nine digits is kept as it stands.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass

from services.contracts.intake import RegisteredSchool
from services.contracts.refusal import Refusal

COLUMNS = ("province", "esa_code", "esa_name", "smis8", "school_id10", "name_th", "levels_taught")
_CODE = re.compile(r"^[0-9]{9,10}$")


@dataclass(frozen=True, slots=True)
class RegisterFault:
    """One fault of the list: line in the file (1 = header), stable code, what it means."""

    line: int
    code: str
    th: str
    en: str


@dataclass(frozen=True, slots=True)
class Area:
    esa: str
    name: str
    schools: tuple[RegisteredSchool, ...]


@dataclass(frozen=True, slots=True)
class Register:
    areas: tuple[Area, ...]
    faults: tuple[RegisterFault, ...]


def read_register(data: bytes) -> Register:
    """The areas with their schools, in order of code. Raises Refusal 422 if it is not such a list at all."""
    reader = csv.DictReader(io.StringIO(_text(data)), delimiter="\t", quoting=csv.QUOTE_NONE)
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise Refusal(
            422,
            "not-a-register",
            "ไฟล์ไม่ใช่บัญชีรายชื่อโรงเรียน: ต้องมีคอลัมน์ " + ", ".join(COLUMNS),
            "This is not a list of schools: it needs the columns " + ", ".join(COLUMNS),
        )
    names: dict[str, str] = {}
    schools: dict[str, dict[str, RegisteredSchool]] = defaultdict(dict)
    faults: list[RegisterFault] = []
    seen: set[str] = set()
    for line, row in enumerate(reader, start=2):
        value = {column: (row[column] or "").strip() for column in COLUMNS}
        found, usable = _faults(line, value, seen)
        faults += found
        if not usable:
            continue
        code = value["school_id10"]
        seen.add(code)
        names[value["esa_code"]] = value["esa_name"]
        schools[value["esa_code"]][code] = RegisteredSchool(
            code=code,
            smis8=value["smis8"],
            name=value["name_th"],
            levels=value["levels_taught"],
            province=value["province"],
        )
    areas = tuple(
        Area(esa, names[esa], tuple(members[code] for code in sorted(members)))
        for esa, members in sorted(schools.items())
    )
    return Register(areas, tuple(faults))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Refusal(
            422, "not-a-register", "ไฟล์ต้องเป็น UTF-8", "The list of schools must be UTF-8 text"
        ) from problem


def _faults(line: int, value: dict[str, str], seen: set[str]) -> tuple[list[RegisterFault], bool]:
    """(faults of the row, whether the school can be registered)"""
    code = value["school_id10"]
    if not _CODE.match(code):
        return [
            RegisterFault(
                line,
                "code-unreadable",
                "รหัสโรงเรียนไม่ใช่ตัวเลข 10 หลัก",
                "The school's code is not 10 digits: left out",
            )
        ], False
    if code in seen:
        return [
            RegisterFault(line, "code-repeated", "รหัสโรงเรียนซ้ำ", "The code stands there already: left out")
        ], False
    if not value["esa_code"]:
        return [
            RegisterFault(line, "area-blank", "ไม่ระบุเขตพื้นที่การศึกษา", "The school has no area: left out")
        ], False
    if len(code) == 9:
        return [
            RegisterFault(line, "code-short", "รหัสโรงเรียนมี 9 หลัก", "The code has 9 digits: kept as it stands")
        ], True
    return [], True
