"""The marshmallow schema of one pupil, with the rules that look at several of a row's values. What compares rows with one
another (numbers that are repeated) is in `judging`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from deploy.rehearsal.bench.monolith.values import DECIMAL, value_of
from services.contracts.roster.codes import grade, table
from services.contracts.roster.dates import BUDDHIST_ERA
from services.contracts.roster.fields import STORED

MAX_AGE, ADULT_TITLE_AGE, FUNDED_AGE, AGE_TOLERANCE = 40, 15, 4, 3
_SEX_OF_TITLE = {value.label: value.sex for value in table("title").values if value.sex in ("ช", "ญ")}
_CHILD, _ADULT = ("เด็กชาย", "เด็กหญิง"), ("นาย", "นางสาว")
Broken = dict[str, list[str]]
"""field → the rules it breaks"""


@dataclass(frozen=True, slots=True)
class Place:
    """What a roll is judged by."""

    codes: tuple[str, str]
    count_day: date
    academic_year: int

    @property
    def may(self) -> date:
        return date(self.academic_year - BUDDHIST_ERA, 5, 16)


class Rules(Schema):
    """The rules of a row; its fields are the field table's."""

    class Meta:
        unknown = EXCLUDE

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    @validates_schema(skip_on_field_errors=False)
    def judge(self, data: dict[str, Any], **_: Any) -> None:
        broken: Broken = {}
        _judge_person(data, self.place, broken)
        born = _birthday(data.get("birth_date", ""), self.place.count_day)
        age = _years(born, self.place.count_day) if born else None
        if born is None or age is None:
            _add(broken, "birth_date", "birth-date-invalid")
        else:
            _judge_age(data, age, _years(born, self.place.may), broken)
        _judge_body(data, age, broken)
        if broken:
            raise ValidationError(broken)


PupilSchema = Rules.from_dict({field.key: value_of(field) for field in STORED}, name="PupilSchema")


def _add(broken: Broken, field: str, rule: str) -> None:
    broken.setdefault(field, []).append(rule)


def _birthday(text: str, count_day: date) -> date | None:
    """None for what is no date, lies ahead or is too long ago for a pupil."""
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return None
    return born if born <= count_day and _years(born, count_day) <= MAX_AGE else None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _judge_person(data: dict[str, Any], place: Place, broken: Broken) -> None:
    if data.get("school_code", "") not in place.codes:
        _add(broken, "school_code", "school-code-mismatch")
    expected = _SEX_OF_TITLE.get(data.get("title", ""))
    if expected and data.get("sex") in ("ช", "ญ") and data["sex"] != expected:
        _add(broken, "title", "title-sex-conflict")
    if data.get("cannot_discharge_yet") == "1":
        _add(broken, "cannot_discharge_yet", "cannot-discharge")


def _judge_age(data: dict[str, Any], age: int, age_in_may: int, broken: Broken) -> None:
    found = grade(data.get("grade", ""))
    if found is not None:
        youngest = found.order if found.order >= 15 else found.order + 3
        oldest = youngest + 1 if found.order >= 3 else youngest
        if not youngest - AGE_TOLERANCE < age_in_may < oldest + AGE_TOLERANCE:
            _add(broken, "birth_date", "age-grade")
    title = data.get("title", "")
    if (title in _CHILD and age >= ADULT_TITLE_AGE) or (title in _ADULT and age < ADULT_TITLE_AGE):
        _add(broken, "title", "title-age")
    if age_in_may < FUNDED_AGE:
        _add(broken, "birth_date", "under-age")


def _judge_body(data: dict[str, Any], age: int | None, broken: Broken) -> None:
    kilograms, centimetres = (8.0, 180.0), (70.0, 210.0)
    if age is not None:
        years = min(max(age, 3), 20) - 3
        kilograms = min(8 + 1.1 * years, 25), min(30 + 9.0 * years, 180)
        centimetres = min(70 + 4.0 * years, 120), min(115 + 7.0 * years, 210)
    for key, (least, most) in (("weight_kg", kilograms), ("height_cm", centimetres)):
        text = data.get(key, "")
        if text and DECIMAL.fullmatch(text) and not least <= float(text) <= most:
            _add(broken, key, "body-measure")
