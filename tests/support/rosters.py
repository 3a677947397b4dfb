"""Small rosters for tests: sound pupils as a clerk's CSV, and the round they belong to."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from services.contracts.calendar import RoundPlan, load
from services.contracts.roster.fields import by_key
from services.contracts.roster.identity import check_digit

CALENDAR = Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml"
ROUND = "2564-2"


def plan(name: str = ROUND) -> RoundPlan:
    """A round of the letter's calendar."""
    return next(plan for plan in load(CALENDAR) if plan.name == name)


def national_id(number: int) -> str:
    """The n-th synthetic national ID, with its check digit."""
    twelve = f"1660{number:08d}"
    return f"{twelve}{check_digit(twelve)}"


def pupil(number: int, smis8: str = "66020001", **values: str) -> dict[str, str]:
    """A pupil of ป.1 on whom no rule trips; `values` by field key replace or add."""
    boy = number % 2 == 0
    sound = {
        "school_code": smis8,
        "national_id": national_id(number),
        "grade": "ป.1",
        "room": "1",
        "student_code": str(1000 + number),
        "sex": "ช" if boy else "ญ",
        "title": "เด็กชาย" if boy else "เด็กหญิง",
        "first_name_th": f"สมมติ{number}",
        "last_name_th": "ทดสอบ",
        "birth_date": date(2014, 1 + number % 12, 1 + number % 28).strftime("%d/%m/") + "2557",
        "nationality": "ไทย",
        "religion": "พุทธ",
    }
    return sound | values


def csv_file(pupils: list[dict[str, str]], encoding: str = "utf-8-sig") -> bytes:
    """The pupils as a file with Thai headers. An empty list gives the header line only."""
    keys = list(dict.fromkeys(key for row in pupils or [pupil(1)] for key in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([by_key(key).th for key in keys])
    writer.writerows([row.get(key, "") for key in keys] for row in pupils)
    return text.getvalue().encode(encoding)


def roll(first: int, count: int, smis8: str = "66020001", **values: str) -> list[dict[str, str]]:
    """`count` sound pupils from number `first`."""
    return [pupil(number, smis8, **values) for number in range(first, first + count)]
